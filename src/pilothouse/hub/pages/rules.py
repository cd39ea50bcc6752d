"""The rules of a property or an action in words for people: what the guard holds it to, and when it goes safe. Pure."""

from __future__ import annotations

from pilothouse.hub.pages.values import duration, limits, shown
from pilothouse.model import ActionDescription, PropertyDescription, PropertyState, ThingDescription, Value

_CONFIRM = {
    "yes": "Asks for a confirmation first.",
    "two-person": "Needs the confirmation of a second person first.",
}
_MOMENTS = {"start": "its agent starts", "end": "its agent ends", "lease": "the lease of its stand runs out"}


def rules_of(described: PropertyDescription, thing: ThingDescription) -> tuple[str, ...]:
    """What holds for a writable property, one sentence a rule; () for one that is only read."""
    if not described.writable:
        return ()
    return tuple(
        sentence
        for sentence in (
            _limits(described),
            f"It changes by at most {_step(described)} within a second." if described.slew else "",
            *_timing(described),
            *(f"It may only be on while {condition(each)}." for each in described.interlocks),
            f"It is never on together with {_listed(described.exclusive)}." if described.exclusive else "",
            _CONFIRM.get(described.confirm, ""),
            *_safe(described, thing),
        )
        if sentence
    )


def rules_of_action(described: ActionDescription) -> tuple[str, ...]:
    """What holds for an action."""
    needed = tuple(f"It may only be called while {condition(each)}." for each in described.interlocks)
    return (*needed, *((_CONFIRM[described.confirm],) if described.confirm else ()))


def condition(text: str) -> str:
    """An interlock as its configuration says it, without the word that every one begins with."""
    return text.strip().removeprefix("requires ").strip()


def words(value: Value, described: PropertyDescription) -> str:
    """A value of it as people read it, a switch as on or off."""
    return " ".join(shown(value, unit=described.unit, precision=described.precision, writable=True)).strip()


def over_at(state: PropertyState, described: PropertyDescription) -> int:
    """When `max_on` ends at the latest, node's clock; 0 when it is not on, has no such rule, or nobody can say."""
    on = described.has_safe and state.value is not None and state.value != described.safe
    since = state.differs_since or state.accepted_time
    return since + int(described.max_on * 1000) if described.max_on and on and since else 0


def _limits(described: PropertyDescription) -> str:
    text = limits(described)
    return f"It takes {text}." if text else ""


def _step(described: PropertyDescription) -> str:
    return " ".join(shown(described.slew, unit=described.unit)).strip()


def _timing(described: PropertyDescription) -> list[str]:
    safe = words(described.safe, described)
    found = []
    if described.max_on:
        found.append(f"It is on for at most {_length(described.max_on)}, then goes to {safe} by itself.")
    if described.min_off:
        found.append(f"Once {safe}, it stays so for at least {_length(described.min_off)}.")
    return found


def _safe(described: PropertyDescription, thing: ThingDescription) -> list[str]:
    if not described.has_safe:
        return ["It has no safe value: stop, and an agent that ends, leave it as it is."]
    moments = [_MOMENTS[each] for each in ("start", "end", "lease") if each in described.safe_when]
    link = "link" in described.safe_when and described.link_lost_after > 0
    if link:
        moments.append(f"the link to the bus is lost for {_length(described.link_lost_after)}")
    found = [f"It goes to {words(described.safe, described)} when {_listed((*moments, 'stop is pressed'))}."]
    if not link:
        found.append("It stays as it is when the link to the bus is lost.")
    if thing.second_path:
        found.append("Stop reaches it by a second path, also while its driver hangs.")
    else:
        found.append("No second path: stop waits while its driver hangs.")
    return found


def _length(seconds: float) -> str:
    """ "20 min", "5 s", "0.5 s"."""
    return f"{seconds:.0f} s" if seconds < 10 and seconds == int(seconds) else duration(seconds)


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
