"""Reads `pilothouse.toml` and `conf.d/*.toml` into a Config; finds every mistake, not only the first.

Each mistake names the file, the key and the nearest right one. Nothing is guessed and nothing is skipped: a key that
nobody knows is a mistake, because a misspelt `safe` is a relay that stays on.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import msgspec

from pilothouse.clock import parse_duration
from pilothouse.config.edge import mistakes_of
from pilothouse.config.places import Places
from pilothouse.config.site import Config, Duration, PropertyConfig, StandConfig, ThingConfig
from pilothouse.errors import BadName, ConfigError, nearest
from pilothouse.model.names import check_name
from pilothouse.rights import parse_grants

DEMO = "the built-in demo (node vitals and a simulated bench)"
_LIMIT = 4 * 1024 * 1024


class Mistake(NamedTuple):
    """One thing wrong with the configuration."""

    file: str
    key: str
    """Path of the key, such as "things.fan.properties.on.safe"; "" for the whole file."""
    what: str
    nearest: str = ""

    def __str__(self) -> str:
        where = f"{self.file}: {self.key}: " if self.key else f"{self.file}: "
        return f"{where}{self.what}" + (f" (did you mean {self.nearest!r}?)" if self.nearest else "")


def load(data: Path, file: Path | None = None) -> tuple[Config, str]:
    """The configuration and where it came from, in words.

    `file` is the one named on the command line; else `pilothouse.toml` of the data folder, with `conf.d` beside it;
    else the built-in demo. Raises ConfigError that lists every mistake, a line each.
    """
    config, origin, mistakes = read(data, file)
    if config is None or mistakes:
        listed = "\n".join(f"  {mistake}" for mistake in mistakes)
        count = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        raise ConfigError(
            f"The configuration has {count}:\n{listed}", remedy="Mend it and check with: pilothouse config check"
        )
    return config, origin


def read(data: Path, file: Path | None = None) -> tuple[Config | None, str, list[Mistake]]:
    """As `load`, and gives the mistakes instead of raising; the config is None when it cannot be made."""
    paths, origin = _find(data, file)
    mistakes: list[Mistake] = []
    merged: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for path in paths:
        table = _parse(path, mistakes)
        _merge(merged, table, "", _shown(path), sources, mistakes)
    if not paths:
        demo = tomllib.loads(files("pilothouse.config").joinpath("demo.toml").read_text(encoding="utf-8"))
        _merge(merged, demo, "", DEMO, sources, mistakes)
    config = _build(merged, sources, mistakes)
    return (None if mistakes else config), origin, mistakes


def _find(data: Path, file: Path | None) -> tuple[list[Path], str]:
    main = file or Places(data).config
    if file is not None and not file.is_file():
        raise ConfigError(f"There is no configuration file {file}", remedy="Check the path given with --config")
    folder = main.parent / "conf.d"
    found = ([main] if main.is_file() else []) + sorted(folder.glob("*.toml"))
    return found, ", ".join(str(path) for path in found) or DEMO


def _shown(path: Path) -> str:
    return f"conf.d/{path.name}" if path.parent.name == "conf.d" else path.name


def _parse(path: Path, mistakes: list[Mistake]) -> dict[str, Any]:
    try:
        content = path.read_bytes()
        if len(content) > _LIMIT:
            mistakes.append(Mistake(_shown(path), "", f"is {len(content)} bytes; a configuration has at most {_LIMIT}"))
            return {}
        return tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        mistakes.append(Mistake(_shown(path), "", f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        mistakes.append(Mistake(_shown(path), "", f"is not UTF-8 text (byte {error.start})"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        mistakes.append(Mistake(_shown(path), "", f"is not TOML: {error}"))
    return {}


def _merge(
    into: dict[str, Any], table: dict[str, Any], above: str, file: str, sources: dict[str, str], mistakes: list[Mistake]
) -> None:
    """Put `table` into `into`; a key that two files set is a mistake, a table may be spread over files.

    A thing is not spread: its table stands in one file, so that nobody looks for half a relay.
    """
    for key, value in table.items():
        path = f"{above}.{key}" if above else key
        old = into.get(key)
        spread = isinstance(old, dict) and isinstance(value, dict) and above not in ("things", "stands")
        if old is None:
            sources[path] = file
            into[key] = {} if isinstance(value, dict) else value
            if isinstance(value, dict):
                _merge(into[key], value, path, file, sources, mistakes)
        elif spread:
            _merge(into[key], value, path, file, sources, mistakes)
        else:
            mistakes.append(Mistake(file, path, f"is in {sources.get(path, 'another file')} already"))


def _build(merged: dict[str, Any], sources: dict[str, str], mistakes: list[Mistake]) -> Config | None:
    def wrong(path: str, what: str, near: str = "") -> None:
        mistakes.append(Mistake(_source(sources, path), path, what, near))

    hints = get_type_hints(Config)
    parts: dict[str, Any] = {}
    for key, value in merged.items():
        if key not in hints:
            wrong(key, "is not known", nearest(key, hints))
        elif not isinstance(value, dict):
            wrong(key, f"is a table, written [{key}]")
        elif key in _MANY:
            parts[key] = {name: _MANY[key](name, table, wrong) for name, table in value.items()}
        else:
            parts[key] = _struct(hints[key], value, key, wrong)
    if parts.get("hub") is not None:
        for key, what, near in mistakes_of(parts["hub"]):
            wrong(f"hub.{key}", what, near)
    site = parts.get("site")
    node = parts.get("node")
    for path, kind, name in (("site.name", "site", site and site.name), ("node.name", "node", node and node.name)):
        if name:
            _named(kind, name, path, wrong)
    return None if mistakes else Config(**parts)


def _source(sources: dict[str, str], path: str) -> str:
    """The file that set `path`, or the nearest table above it."""
    while path and path not in sources:
        path = path.rpartition(".")[0]
    return sources.get(path, "configuration")


def _named(kind: str, name: str, path: str, wrong: Any) -> None:
    try:
        check_name(kind, name)
    except BadName as error:
        wrong(path, f"{error.what}: {error.why}", error.nearest)


def _thing(name: str, table: Any, wrong: Any) -> ThingConfig | None:
    path = f"things.{name}"
    _named("thing", name, path, wrong)
    if not isinstance(table, dict):
        wrong(path, f"is a table, written [{path}]")
        return None
    if "driver" not in table:
        near = nearest("driver", table)
        what = 'has no driver; give it one, such as driver = "sim.relays"'
        wrong(f"{path}.{near}" if near else path, what, "driver" if near else "")
        return None
    fields = set(ThingConfig.__struct_fields__) - {"settings", "properties"}
    own = {key: value for key, value in table.items() if key in fields}
    properties = table.get("properties", {})
    if not isinstance(properties, dict):
        wrong(f"{path}.properties", f"is a table, written [{path}.properties.NAME]")
        properties = {}
    overrides: dict[str, Any] = {}
    for key, value in properties.items():
        _named("property", key, f"{path}.properties.{key}", wrong)
        overrides[key] = _struct(PropertyConfig, value, f"{path}.properties.{key}", wrong)
    thing: ThingConfig | None = _struct(ThingConfig, own, path, wrong)
    if thing is None:
        return None
    settings = {key: value for key, value in table.items() if key not in fields | {"properties"}}
    return msgspec.structs.replace(thing, properties=overrides, settings=settings)


def _stand(name: str, table: Any, wrong: Any) -> StandConfig | None:
    path = f"stands.{name}"
    _named("stand", name, path, wrong)
    if isinstance(table, dict) and not table.get("things"):
        wrong(path, 'has no things; give it some, such as things = ["relays", "bath"]')
    stand: StandConfig | None = _struct(StandConfig, table, path, wrong)
    return stand


def _group(name: str, outputs: Any, wrong: Any) -> tuple[str, ...]:
    path = f"exclusive.{name}"
    _named("group", name, path, wrong)
    if not isinstance(outputs, list) or not all(isinstance(output, str) for output in outputs):
        wrong(path, 'is a list of outputs, such as ["valves.valve_a", "valves.valve_b"]')
        return ()
    return tuple(outputs)


def _granted(name: str, rights: Any, wrong: Any) -> tuple[str, ...]:
    """Rights of a group that others name as they like, so any text is its name."""
    path = f"groups.{name}"
    if not isinstance(rights, list) or not all(isinstance(right, str) for right in rights):
        wrong(path, 'is a list of rights, such as ["viewer", "operator@bench"]')
        return ()
    try:
        return tuple(str(grant) for grant in parse_grants(rights))
    except BadName as error:
        wrong(path, f"{error.what}: {error.why}", error.nearest)
        return ()


_MANY: dict[str, Callable[[str, Any, Any], Any]] = {
    "things": _thing,
    "stands": _stand,
    "groups": _granted,
    "exclusive": _group,
}
"""Tables whose keys are the owner's own names, and what makes one entry of them."""


def _struct(kind: Any, table: Any, path: str, wrong: Any) -> Any:
    """`table` as a struct, one field after the other, so that every mistake is found."""
    if not isinstance(table, dict):
        wrong(path, f"is a table, written [{path}]")
        return None
    hints = get_type_hints(kind, include_extras=True)
    taken: dict[str, Any] = {}
    for key, value in table.items():
        where = f"{path}.{key}"
        if key not in kind.__struct_fields__:
            wrong(where, "is not known", nearest(key, kind.__struct_fields__))
            continue
        try:
            taken[key] = msgspec.convert(value, hints[key])
            if _is_duration(hints[key]) and value is not None:
                parse_duration(taken[key])
        except ValueError as error:
            if isinstance(error, msgspec.ValidationError) and not _is_duration(hints[key]):
                wrong(where, f"{_words(str(error))}; it is {value!r}")
                continue
            wrong(where, f'{value!r} is no duration; write a number of seconds, or "250ms", "5s", "20m", "12h", "30d"')
    try:
        return kind(**taken)
    except TypeError:
        return None  # a required field was wrong and is among the mistakes already


def _is_duration(hint: Any) -> bool:
    return bool(hint == Duration or hint == Duration | None)


def _words(message: str) -> str:
    message = message.replace(" | null`", "`")
    for code, word in (("`str`", "text"), ("`bool`", "true or false"), ("`int`", "a whole number")):
        message = message.replace(code, word)
    return message.replace("`float`", "a number").replace("Expected", "takes").replace(", got", ", not")
