"""`pilothouse stop`: everything safe now, whoever else is dead; and the lifting of it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from cyclopts import Parameter

from pilothouse.cli import show, stop_by_bus
from pilothouse.cli.access import HERE, Access, Flag
from pilothouse.cli.exits import Exit
from pilothouse.client import Client, StopDone, StopNow, StopsNow, Unreachable
from pilothouse.clock import SystemClock
from pilothouse.config.load import load
from pilothouse.config.site import Config
from pilothouse.errors import BadValue, BusDown, ConfigError, PilothouseError

_ANSWERS = 1.0
"""Seconds in which the hub must say that it is well; else stop goes straight over the bus."""
_PATIENCE: dict[stop_by_bus.Kind, float] = {"hard": 4.0, "end": 15.0}
_KINDS = {"hard": "stop", "end": "safe end"}
_LIFT = "pilothouse stop --lift --reason WHY"


class Pressed(NamedTuple):
    """A stop, and what is known of each node."""

    by: Literal["hub", "bus"]
    done: StopDone
    away: list[str]
    """Nodes that the hub knows to be away: nobody could tell them."""

    @property
    def safe(self) -> bool:
        """Whether all nodes that are known have said that their outputs are safe."""
        all_safe = not any(node.mistakes for node in self.done.nodes)
        return all_safe and bool(self.done.nodes) and not self.done.silent and not self.away


def stop_(
    *ids: str,
    end: Flag = False,
    lift: Flag = False,
    status: Flag = False,
    reason: str | None = None,
    config: Annotated[Path | None, Parameter(show_default=False)] = None,
    access: Access = HERE,
) -> int:
    """Put all outputs of the site to their safe values, now, and keep them there until somebody lifts it.

    Goes by the hub, and straight over the bus when the hub does not answer
    within a second. Needs no lease. Exit code 0 only when every node has said
    that it is safe.

    For example:
        pilothouse stop
        pilothouse stop --end --reason "closing for the night"
        pilothouse stop --status
        pilothouse stop --lift --reason "hose is mended"

    Parameters
    ----------
    ids:
        with --lift: only these stops; none = all that hold now
    end:
        safe end: what runs may come to its end first, for at most 10 s
    lift:
        lift what was pressed; needs a reason
    status:
        say what holds, and change nothing
    reason:
        why, for the ledger
    config:
        configuration file, for the way over the bus; default: pilothouse.toml in the data folder
    """
    if lift + status + end > 1:
        raise BadValue("--end, --lift and --status do not go together", remedy="Give one of them, or none to stop now")
    if ids and not lift:
        raise BadValue(f"Stop takes no {ids[0][:80]!r}: it is for the whole site", remedy="See: pilothouse stop --help")
    if status:
        with access.connect() as hub:
            return _status(hub.stops(), access)
    if lift:
        return _lift(access, reason or "", ids)
    pressed = _press(access, config, "end" if end else "hard", reason or "")
    if access.json:
        found = {"by": pressed.by, "safe": pressed.safe, "id": pressed.done.id, "nodes": pressed.done.nodes}
        print(show.as_json(found | {"silent": pressed.done.silent, "away": pressed.away}))
    else:
        print(told(pressed))
    return Exit.FINE if pressed.safe else Exit.NOT_DONE


def told(pressed: Pressed) -> str:
    """Each node in a line, and in plain words what may not be safe."""
    done, rows = pressed.done, []
    for node in done.nodes:
        count = "1 output" if node.outputs == 1 else f"{node.outputs} outputs"
        rows.append((node.node, *(node.mistakes[:1] or (f"safe after {node.took_ms:.0f} ms", f"({count})"))))
        rows += [("", mistake) for mistake in node.mistakes[1:]]
    rows += [(node, "MAY NOT BE SAFE: it is there and has not answered") for node in done.silent]
    rows += [(node, "MAY NOT BE SAFE: it is away, and stops when it is back") for node in pressed.away]
    width = max((len(row[0]) for row in rows), default=0)
    lines = ["  ".join((row[0].ljust(width), *row[1:])).rstrip() for row in rows]
    lines += [done.note] if done.note else []
    if not rows:
        lines.append("No node has answered: nobody can say whether anything is safe.")
    elif not pressed.safe:
        lines.append("Not all is known to be safe. Switch off by hand what can hurt, then look: pilothouse doctor")
    return "\n".join([*lines, f"It holds until somebody lifts it: {_LIFT}"])


def _press(access: Access, config: Path | None, kind: stop_by_bus.Kind, reason: str) -> Pressed:
    try:
        return _by_hub(access, kind, reason)
    except PilothouseError as error:
        if not access.means_this_machine:
            raise
        why = f": {error.why}" if error.why else ""
        print(f"pilothouse: {error.what}{why}. Stopping straight over the bus.", file=sys.stderr, flush=True)
    places = access.places
    try:
        done = asyncio.run(stop_by_bus.press(places, _config(places.data, config), kind, reason, SystemClock()))
    except BusDown as error:
        raise Unreachable(
            "Nobody could be told to stop: neither the hub nor the bus can be reached",
            why=str(error),
            remedy="Switch off by hand what can hurt. Then look what is wrong with: pilothouse doctor",
        ) from None
    return Pressed("bus", done, [])


def _by_hub(access: Access, kind: stop_by_bus.Kind, reason: str) -> Pressed:
    with access.connect(timeout=_ANSWERS) as hub:
        if not hub.health().bus:
            raise Unreachable(f"The hub at {hub.url} has no link to the bus")
    with access.connect(timeout=_PATIENCE[kind]) as hub:
        done = hub.stop(kind=kind, reason=reason)
        return Pressed("hub", done, _away(hub, {node.node for node in done.nodes}))


def _away(hub: Client, answered: set[str]) -> list[str]:
    try:
        return [node.node for node in hub.nodes() if node.life == "away" and node.node not in answered]
    except PilothouseError:
        return []  # the stop itself went well, and that is what counts


def _config(data: Path, file: Path | None) -> Config:
    """The configuration; a mistake in it must not keep anybody from stopping."""
    try:
        return load(data, file)[0]
    except ConfigError:
        return Config()


def _lift(access: Access, reason: str, ids: tuple[str, ...]) -> int:
    if not reason:
        raise BadValue("Lifting a stop needs a reason", remedy=f"Say why it may be lifted: {_LIFT}")
    with access.connect() as hub:
        lifted = hub.lift(reason, ids)
    if access.json:
        print(show.as_json(lifted))
    else:
        lines = [f"lifted {id}" for id in lifted.lifted] or ["No stop was lifted."]
        lines += [f"{node} has not answered: there it may still hold" for node in lifted.silent]
        lines += [lifted.note] if lifted.note else []
        print("\n".join([*lines, *(f"still holds: {id}" for id in lifted.still)]))
    return Exit.NOT_DONE if lifted.still or lifted.silent else Exit.FINE


def _status(now: StopsNow, access: Access) -> int:
    if access.json:
        print(show.as_json(now))
    elif not now.stops:
        print("No stop holds.")
    else:
        print("\n".join([*(line_of(one) for one in now.stops), *_missing(now), f"Lift it with: {_LIFT}"]))
    return Exit.FINE


def line_of(stop: StopNow) -> str:
    """A stop that holds, in one line."""
    why = f": {stop.reason}" if stop.reason else ""
    nodes = f"; obeyed by {', '.join(stop.nodes)}" if stop.nodes else "; no node says that it obeys"
    return f"{_KINDS[stop.kind]} since {show.moment(stop.time)} by {stop.who}{why}{nodes}  {stop.id}"


def _missing(now: StopsNow) -> list[str]:
    return [f"{node} does not obey yet: it has not said that it stopped" for node in now.missing]
