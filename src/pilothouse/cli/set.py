"""`pilothouse set`: write a property and say how it ended."""

from __future__ import annotations

import shlex
from typing import Annotated

from cyclopts import Parameter

from pilothouse.cli import show
from pilothouse.cli.access import HERE, Access, Flag
from pilothouse.cli.confirming import hinted, need_of, token_for
from pilothouse.cli.values import parse_value
from pilothouse.client import Client, Ended
from pilothouse.errors import BadName, NotThere, nearest
from pilothouse.model import Address, PropertyDescription, Series


def set_(
    target: str,
    value: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    reason: str | None = None,
    ttl: float = 5.0,
    id: str | None = None,
    yes: Flag = False,
    confirmation: str | None = None,
    access: Access = HERE,
) -> None:
    """Write a property, and wait until the readback shows it.

    The value is read as the property's type asks: true or on, a number, a name
    out of a list, text, or JSON for lists and objects. What can hurt is asked
    about first.

    For example:
        pilothouse set greenhouse/fan.on true --reason "too warm"
        pilothouse set bench/supply.voltage 5
        pilothouse set bench/oven.heater on --yes

    Parameters
    ----------
    target:
        node/thing.property
    value:
        what to write
    reason:
        why, for the ledger
    ttl:
        seconds after which it is not done any more
    id:
        id of the command; the same id is never done twice
    yes:
        confirm without being asked, for scripts that know what they do
    confirmation:
        code that somebody else got with: pilothouse confirm
    """
    series = Series.parse(target)
    with access.connect() as hub:
        described = property_of(hub, series)
        taken = parse_value(value, described.schema, label=target)
        need = "" if confirmation else need_of(described, taken)
        label = f"Write {target} = {show.with_unit(taken, described.unit)}"
        token = token_for(need, described.hazard, label, lambda: hub.confirm(target, taken), yes=yes)
        given = {"reason": reason or "", "id": id or "", "confirmation": confirmation or token}
        with hinted(described.confirm, f"{target} {shlex.quote(value)}"):
            ended = hub.set(target, taken, ttl=ttl, patience=described.settle, **given)
    print(show.as_json(ended) if access.json else told(target, ended, described.unit, described.precision))


def told(target: str, ended: Ended, unit: str = "", precision: int | None = None) -> str:
    """A confirmed end in one line."""
    shown = f" = {show.with_unit(ended.value, unit, precision)}" if ended.value is not None else ""
    took = f" in {ended.took_ms:.1f} ms" if ended.took_ms else ""
    return f"{target}{shown}, {ended.end}{took}"


def property_of(hub: Client, series: Series) -> PropertyDescription:
    """What is known of a property; raises BadName for an action, NotThere with the nearest name."""
    address = Address(series.node, series.thing)
    description = hub.thing(str(address)).description
    known = description.properties if description else {}
    found = known.get(series.property)
    if found is not None:
        return found
    if description and series.property in description.actions:
        raise BadName(f"{series} is an action", remedy=f"Call it with: pilothouse do {series}")
    near = nearest(series.property, known)
    raise NotThere(f"{address} has no property {series.property!r}", nearest=f"{address}.{near}" if near else "")
