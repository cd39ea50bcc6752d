"""Drivers: one small file or folder a device family, found by name and imported only when asked for.

The configuration names a driver as in the table below ("sim.relays"), or as "package.module:Class" for a class of the
user's own that Python can import.
"""

from __future__ import annotations

import importlib

from pilothouse.errors import BadDriver, NotThere, nearest
from pilothouse.model import Thing

_DRIVERS = {
    "host": "pilothouse.drivers.host:Host",
    "sim.bath": "pilothouse.drivers.sim.bath:Bath",
    "sim.relays": "pilothouse.drivers.sim.relays:Relays",
    "sim.sensor": "pilothouse.drivers.sim.sensor:Sensor",
    "sim.supply": "pilothouse.drivers.sim.supply:Supply",
    "sim.valves": "pilothouse.drivers.sim.valves:Valves",
}

_CALLED = 'A driver is one of {known}, or a class of your own as "package.module:Class"'


def known() -> list[str]:
    """Names of all drivers that come with Pilothouse, sorted."""
    return sorted(_DRIVERS)


def find(name: str) -> type[Thing]:
    """The class of driver `name`.

    Raises NotThere when there is no driver of that name, BadDriver when a class of the user's cannot be used.
    """
    if name in _DRIVERS:
        return _load(_DRIVERS[name])
    if ":" in name:
        return _load(name)
    shown = name if len(name) <= 60 else f"{name[:60]}… ({len(name)} characters)"
    raise NotThere(
        f"there is no driver {shown!r}",
        nearest=nearest(name, _DRIVERS),
        remedy=_CALLED.format(known=", ".join(known())),
    )


def _load(path: str) -> type[Thing]:
    module_name, _, class_name = path.partition(":")
    module = _import(module_name, path)
    found = getattr(module, class_name, None)
    if found is None:
        raise BadDriver(
            f"driver {path!r} is not there",
            why=f"module {module_name} has no class {class_name!r}",
            nearest=_closest(module_name, class_name, vars(module)),
            remedy=f"Look into {getattr(module, '__file__', None) or module_name}",
        )
    if not (isinstance(found, type) and issubclass(found, Thing)) or found is Thing:
        raise BadDriver(
            f"{path!r} is no driver",
            why=f"{class_name} is not a subclass of pilothouse.model.Thing",
            remedy=f"Write: class {class_name}(Thing)",
        )
    return found


def _import(module_name: str, path: str) -> object:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        own = missing == module_name or module_name.startswith(f"{missing}.")
        raise BadDriver(
            f"driver {path!r} cannot be imported",
            why=f"there is no module {missing!r}" + ("" if own else ", which the driver needs"),
            remedy="Install it into the environment of Pilothouse, or put its folder into PYTHONPATH",
        ) from error
    except BadDriver:
        raise  # a declaration of the driver is wrong, and that error says which
    except Exception as error:  # the module is a stranger's and may raise anything; the agent logs it
        raise BadDriver(
            f"driver {path!r} cannot be imported",
            why=f"importing it raises {type(error).__name__}: {error}",
            remedy=f'See it with: python -c "import {module_name}"',
        ) from error


def _closest(module_name: str, class_name: str, members: dict[str, object]) -> str:
    classes = [name for name, found in members.items() if isinstance(found, type) and issubclass(found, Thing)]
    close = nearest(class_name, classes)
    return f"{module_name}:{close}" if close else ""
