"""`pilothouse get --explain`: wish, accepted, value, and what the guard would say to a press right now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pilothouse.cli import show
from pilothouse.cli.access import Access
from pilothouse.cli.exits import Exit
from pilothouse.client import Client, Explained, Reason
from pilothouse.errors import BadName
from pilothouse.model import Quality, Series

_CONFIRM = {"yes": "needs a confirmation", "two-person": "needs a confirmation by somebody else"}


def explained(targets: Sequence[str], access: Access) -> int:
    """Print what is known of each; gives the exit code."""
    with access.connect() as hub:
        found = [_ask(hub, target) for target in targets]
    if access.json:
        print(show.as_json(found[0] if len(found) == 1 else dict(zip(targets, found, strict=True))))
    else:
        print("\n\n".join("\n".join(_lines(*each)) for each in zip(targets, found, strict=True)))
    return Exit.FINE if all(one.may for one in found) else Exit.NOT_DONE


def _ask(hub: Client, target: str) -> Explained:
    if "." not in target:
        raise BadName(
            f"{target[:80]!r} is a whole thing", why="--explain is for one property or action of it",
            remedy=f"See its names with: pilothouse get {target[:80]}",
        )  # fmt: skip
    series = Series.parse(target)
    description = hub.thing(f"{series.node}/{series.thing}").description
    if description and series.property in description.actions:
        return hub.explain_action(target)
    return hub.explain(target)


def _lines(target: str, one: Explained) -> Iterator[str]:
    yield target
    rows = _values(one)
    if rows:
        yield show.table(rows)
    if one.differs_since:
        yield f"  changed at the device since {show.moment(one.differs_since)}: it shows something else than it took"
    if one.hazard:
        yield f"  {one.hazard}"
    if one.confirm:
        yield f"  {_CONFIRM[one.confirm]}"
    yield "  may be switched now" if one.may else "  may not be switched now:"
    yield from (f"    {line}" for reason in one.why_not for line in _reason(reason))


def _values(one: Explained) -> list[tuple[str, ...]]:
    """Wish, accepted, value with their ages; none for an action."""
    now = one.time + round(one.age_ms) if one.age_ms is not None else 0
    doubt = "" if one.quality is Quality.GOOD else str(one.quality)
    rows = [("  wish", one.wish, one.wish_time, ""), ("  accepted", one.accepted, one.accepted_time, "")]
    known = [row for row in rows if row[2]]
    if one.time or known:
        known.append(("  value", one.value, one.time, doubt))
    return [
        (name, show.with_unit(value, one.unit), show.age(time, now) if now else show.moment(time), doubt)
        for name, value, time, doubt in known
    ]


def _reason(reason: Reason) -> Iterator[str]:
    until = f" (until {show.moment(reason.until)})" if reason.until else ""
    yield f"{reason.text.rstrip('.')}{until}."
    if reason.remedy:
        yield f"  -> {reason.remedy}"
