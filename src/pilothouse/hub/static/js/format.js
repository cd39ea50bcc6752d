// How values look: the same rules as hub/pages/values.py, tested against the same table (tests/fixtures/shown.json).

export const NOTHING = "–";

const SYMBOLS = {
  Cel: "°C", "[degF]": "°F", By: "B", "By/s": "B/s", "bit/s": "bit/s", Ohm: "Ω", deg: "°", 1: "",
  m2: "m²", m3: "m³", "m/s2": "m/s²", "m3/h": "m³/h", "kW.h": "kWh", "W.h": "Wh", "[ppm]": "ppm",
  "[pH]": "pH", "/min": "1/min", "{rpm}": "rpm", "%[RH]": "% RH", "dB[W]": "dBW",
};
const PREFIXED = new Set(["By", "By/s", "bit/s", "Hz"]);
const PREFIXED_WHEN_FREE = new Set(["V", "A", "W", "Ohm", "F", "Pa", "m", "g", "J"]);
const PREFIXES = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"]];
const LONG_TEXT = 240;
const LONG_LIST = 16;
const DURATION_FROM = 120;

/** What people write for a UCUM code. */
export function symbol(unit) {
  if (Object.hasOwn(SYMBOLS, unit)) return SYMBOLS[unit];
  if (unit.startsWith("u") && unit.length > 1) return `µ${unit.slice(1)}`;
  return unit.replace(/^[{}]+|[{}]+$/g, "");
}

/** A value as [text, unit]; never HTML. `rules` = {unit, precision, writable}. */
export function shown(value, rules = {}) {
  const unit = rules.unit ?? "";
  const precision = rules.precision ?? null;
  if (value === null || value === undefined) return [NOTHING, ""];
  if (typeof value === "boolean") return [rules.writable ? (value ? "on" : "off") : value ? "yes" : "no", ""];
  if (typeof value === "number") return numberShown(value, unit, precision);
  if (typeof value === "string") return [value ? cut(value) : "“”", symbol(unit)];
  if (Array.isArray(value) && value.length && value.every((item) => typeof item === "number")) {
    const plainUnit = PREFIXED.has(unit) ? "" : unit;
    const parts = value.slice(0, LONG_LIST).map((item) => numberShown(item, plainUnit, precision)[0]);
    return [parts.join(" · ") + (value.length > LONG_LIST ? " …" : ""), symbol(unit)];
  }
  return [cut(spacedJson(value)), ""];
}

/** Value and unit in one piece. */
export function inWords(value, rules) {
  return shown(value, rules).join(" ").trim();
}

/** A length of time in its two largest units: "1 d 10 h", "2 min 5 s", "0.4 s". */
export function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const parts = [
    [Math.floor(whole / 86400), "d"], [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"], [whole % 60, "s"],
  ];
  let first = parts.findIndex(([number]) => number);
  if (first < 0) first = 3;
  return parts.slice(first, first + 2).filter(([number]) => number).map((part) => part.join(" ")).join(" ");
}

function numberShown(value, unit, precision) {
  if (!Number.isFinite(value)) return [NOTHING, ""];
  if (unit === "s" && value >= DURATION_FROM) return [duration(value), ""];
  if (PREFIXED.has(unit) || (precision === null && PREFIXED_WHEN_FREE.has(unit))) return prefixed(value, unit);
  if (precision !== null) {
    return [minus(grouped(value.toFixed(Math.max(0, Math.min(precision, 12))))), symbol(unit)];
  }
  return [plain(value), symbol(unit)];
}

function prefixed(value, unit) {
  const size = Math.abs(value);
  if (size === 0) return ["0", symbol(unit)];
  const whole = PREFIXED.has(unit);
  const usable = whole ? PREFIXES.slice(0, 5) : PREFIXES;
  const [factor, prefix] = usable.find(([limit]) => size >= limit * 0.9995) ?? usable.at(-1);
  const scaled = value / factor;
  let decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(scaled), 1)) + 1e-9));
  if (factor === 1 && whole) decimals = 0;
  return [minus(scaled.toFixed(decimals)), prefix + symbol(unit)];
}

function plain(value) {
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e15) return minus(grouped(String(value)));
  if (size >= 1e6 || size < 1e-4) {
    return minus(value.toExponential(3).replace("e+", "e").replace("e-", "e−"));
  }
  const text = value.toFixed(Math.max(0, 4 - Math.floor(Math.log10(size))));
  return minus(grouped(text.includes(".") ? text.replace(/\.?0+$/, "") : text));
}

function grouped(text) {
  const [head, tail] = text.split(".");
  const sign = head.startsWith("-") ? "-" : "";
  const digits = head.slice(sign.length);
  if (digits.length < 5) return text;
  return sign + digits.replace(/\B(?=(\d{3})+$)/g, "\u202f") + (tail === undefined ? "" : `.${tail}`);
}

function minus(text) {
  if (!text.startsWith("-")) return text;
  return /[1-9]/.test(text) ? `−${text.slice(1)}` : text.slice(1);
}

function cut(text) {
  const points = [...text];
  return points.length <= LONG_TEXT ? text : `${points.slice(0, LONG_TEXT).join("")}… (${points.length} characters)`;
}

function spacedJson(value) {
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(", ")}]`;
  if (value && typeof value === "object") {
    return `{${Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${spacedJson(item)}`).join(", ")}}`;
  }
  return JSON.stringify(value);
}
