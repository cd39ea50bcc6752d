"""`pilothouse watch`: what happens, as it happens."""

from __future__ import annotations

import fnmatch
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from pilothouse.cli import show
from pilothouse.cli.access import HERE, Access
from pilothouse.client import Change, Client, Lost, Snapshot
from pilothouse.errors import BadName, NotThere, nearest
from pilothouse.model import Quality, Value

_WILD = "*?["


class Seen(NamedTuple):
    """A value that came."""

    series: str
    time: int
    value: Value
    quality: Quality


def watch_(*patterns: str, count: int | None = None, access: Access = HERE) -> None:
    """Print values as they change, until Ctrl-C.

    Begins with the present values. Goes on by itself after a lost link, and
    says on standard error when it was lost and when it came back.

    For example:
        pilothouse watch greenhouse/fan
        pilothouse watch 'bench/supply.*' '*/host.cpu*'
        pilothouse watch --json | jq .

    Parameters
    ----------
    patterns:
        node/thing or node/thing.property, with * for anything; none = all
    count:
        end after so many values
    """
    with access.connect() as hub:
        units = _units(hub, patterns) if not access.json else {}
        for printed, seen in enumerate(values(hub, patterns), start=1):
            print(_json(seen) if access.json else _line(seen, units), flush=True)
            if count is not None and printed >= count:
                return


def values(hub: Client, patterns: Sequence[str]) -> Iterator[Seen]:
    """Every value that matches: those of the first snapshot, then what changes; after a lost link what changed."""
    last: dict[str, Seen] = {}
    lost = first = False
    for frame in hub.watch(addresses_of(patterns)):
        if isinstance(frame, Lost):
            _note(f"the link to the hub is lost ({frame.why}); trying again")
            lost = True
            continue
        if isinstance(frame, Snapshot):
            if lost:
                _note("the link to the hub is back")
            found = list(_of_snapshot(frame))
            if not first:
                _check(patterns, [seen.series for seen in found])
            lost, first = False, True
        else:
            found = list(_of_change(frame))
        for seen in found:
            old = last.get(seen.series)
            if matches(seen.series, patterns) and old != seen:
                last[seen.series] = seen
                yield seen


def addresses_of(patterns: Sequence[str]) -> list[str]:
    """Things that the hub is asked for; none = all, as soon as one pattern is open to any thing."""
    found = [pattern.partition(".")[0] for pattern in patterns]
    if any(char in address for address in found for char in _WILD):
        return []
    return sorted(set(found))


def matches(series: str, patterns: Sequence[str]) -> bool:
    """Whether `node/thing.property` fits one of the patterns; a pattern without a dot means all its properties."""
    if not patterns:
        return True
    return any(fnmatch.fnmatchcase(series, p if "." in p else f"{p}.*") for p in patterns)


def _check(patterns: Sequence[str], there: list[str]) -> None:
    """A name that is not there is a mistake; a pattern that fits nothing yet may fit later."""
    for pattern in patterns:
        if any(matches(series, [pattern]) for series in there):
            continue
        if any(char in pattern for char in _WILD):
            _note(f"nothing fits {pattern!r} now")
        else:
            raise NotThere(f"There is no {pattern!r}", nearest=nearest(pattern, there))


def _of_snapshot(frame: Snapshot) -> Iterator[Seen]:
    for thing in frame.things:
        for name, state in thing.properties.items():
            yield Seen(f"{thing.address}.{name}", state.time, state.value, state.quality)


def _of_change(frame: Change) -> Iterator[Seen]:
    for node, thing, name, time, value, quality in frame.values:
        yield Seen(f"{node}/{thing}.{name}", time, value, quality)
    for view in frame.things:
        for name, state in view.properties.items():
            yield Seen(f"{view.address}.{name}", state.time, state.value, state.quality)


def _units(hub: Client, patterns: Sequence[str]) -> dict[str, str]:
    """Units of what is watched; they stand in descriptions, which the stream does not carry."""
    if any("/" not in pattern for pattern in patterns):
        raise BadName("a pattern is written node/thing or node/thing.property", why="* stands for anything")
    wanted = addresses_of(patterns) or [
        thing.address
        for thing in hub.things()
        if any(matches(f"{thing.address}.{name}", patterns) for name in thing.properties)
    ]
    units = {}
    for address in wanted:
        description = hub.thing(address).description
        for name, described in (description.properties if description else {}).items():
            units[f"{address}.{name}"] = described.unit
    return units


def _line(seen: Seen, units: dict[str, str]) -> str:
    doubt = f"  {seen.quality}" if seen.quality is not Quality.GOOD else ""
    value = show.with_unit(seen.value, units.get(seen.series, ""))
    return f"{_clock(seen.time)}  {seen.series} = {value}{doubt}"


def _clock(milliseconds: int) -> str:
    if not milliseconds:
        return "never".ljust(12)
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone()
    return f"{moment:%H:%M:%S}.{milliseconds % 1000:03d}"


def _json(seen: Seen) -> str:
    return show.as_json(seen._asdict())


def _note(sentence: str) -> None:
    print(f"pilothouse: {sentence}", file=sys.stderr, flush=True)
