"""`pilothouse get`: what is known of a property or of a whole thing now."""

from __future__ import annotations

from pilothouse.cli import show
from pilothouse.cli.access import HERE, Access, Flag
from pilothouse.cli.exits import Exit
from pilothouse.cli.explain import explained
from pilothouse.client import Client, PropertyNow, ThingNow
from pilothouse.errors import BadName
from pilothouse.model import PropertyDescription, PropertyState, Quality


def get_(target: str, /, *more: str, raw: Flag = False, explain: Flag = False, access: Access = HERE) -> int:
    """Read properties: value, unit, age. Asks the hub, never the device.

    Exit code 1 when a property has no good value; with --explain, when
    something stands against it.

    For example:
        pilothouse get greenhouse/fan.on
        pilothouse get greenhouse/fan
        pilothouse get bench/supply.voltage bench/supply.current --raw
        pilothouse get bench/bath.heater --explain

    Parameters
    ----------
    target:
        node/thing.property, or node/thing for all of its properties
    more:
        more of them
    raw:
        print nothing but the values, a line each
    explain:
        what was wished, what the device took, what it shows, and why it could not be switched now
    """
    targets = (target, *more)
    if explain:
        return explained(targets, access)
    with access.connect() as hub:
        found = [_ask(hub, one) for one in targets]
    if access.json:
        print(show.as_json(found[0] if len(found) == 1 else dict(zip(targets, found, strict=True))))
    else:
        for name, answer in zip(targets, found, strict=True):
            lines = _of_thing(answer, raw=raw) if isinstance(answer, ThingNow) else _of_property(name, answer, raw=raw)
            print(lines)
    return Exit.FINE if all(_good(one) for one in found) else Exit.NOT_DONE


def _ask(hub: Client, target: str) -> ThingNow | PropertyNow:
    if "/" not in target:
        raise BadName(f"{target[:80]!r} is no property and no thing", why="it is written node/thing.property")
    return hub.get(target) if "." in target else hub.thing(target)


def _good(answer: ThingNow | PropertyNow) -> bool:
    return isinstance(answer, ThingNow) or (answer.quality is Quality.GOOD and answer.time != 0)


def _of_property(name: str, now: PropertyNow, *, raw: bool) -> str:
    if raw:
        return show.value_of(now.value)
    parts = [f"{name} = {show.with_unit(now.value, now.unit)}"]
    if not now.time:
        parts.append("never read")
    elif now.age_ms is not None:
        parts.append(f"{show.length(now.age_ms / 1000)} ago")
    if now.quality is not Quality.GOOD:
        parts.append(str(now.quality))
    if now.differs_since:
        parts.append(f"changed at the device since {show.moment(now.differs_since)}")
    if now.wish_time and now.wish != now.value:
        parts.append(f"wish {show.with_unit(now.wish, now.unit)}")
    return ", ".join(parts)


def _of_thing(thing: ThingNow, *, raw: bool) -> str:
    described = thing.description.properties if thing.description else {}
    now = max((state.time for state in thing.properties.values()), default=0)
    if raw:
        return "\n".join(show.value_of(state.value) for state in thing.properties.values())
    rows = [_row(name, state, described.get(name), now) for name, state in thing.properties.items()]
    head = f"{thing.address}: {thing.title or thing.thing}"
    if not thing.health.ok:
        head += f" - fault: {thing.health.error}"
    actions = ", ".join(thing.description.actions) if thing.description else ""
    return "\n".join(part for part in (head, show.table(rows), f"actions: {actions}" if actions else "") if part)


def _row(name: str, state: PropertyState, described: PropertyDescription | None, now: int) -> tuple[str, ...]:
    unit = described.unit if described else ""
    precision = described.precision if described else None
    stale_after = 2.5 * described.heartbeat if described else 0.0
    wish = ""
    if state.wish_time and state.wish != state.value:
        by_hand = "changed at the device, " if state.differs_since else ""
        wish = f"{by_hand}wish {show.with_unit(state.wish, unit, precision)}"
    elif described and described.writable:
        wish = "writable"
    doubt = show.doubt(state.quality, state.time, now, stale_after)
    return (f"  {name}", show.with_unit(state.value, unit, precision), doubt, wish)
