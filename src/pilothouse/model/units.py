"""How people write units. Descriptions carry UCUM codes (decision 4); nothing converts, this is for the eye only."""

from __future__ import annotations

_SYMBOLS = {
    "Cel": "°C", "[degF]": "°F", "By": "B", "By/s": "B/s", "bit/s": "bit/s", "Ohm": "Ω", "deg": "°", "1": "",
    "m2": "m²", "m3": "m³", "m/s2": "m/s²", "m3/h": "m³/h", "kW.h": "kWh", "W.h": "Wh", "[ppm]": "ppm",
    "[pH]": "pH", "/min": "1/min", "{rpm}": "rpm", "%[RH]": "% RH", "dB[W]": "dBW",
}  # fmt: skip


def symbol(unit: str) -> str:
    """What people write for a UCUM code."""
    found = _SYMBOLS.get(unit)
    if found is not None:
        return found
    return "µ" + unit[1:] if unit.startswith("u") and len(unit) > 1 else unit.strip("{}")
