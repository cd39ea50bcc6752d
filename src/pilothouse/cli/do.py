"""`pilothouse do`: call an action and say how it ended."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pilothouse.cli import show
from pilothouse.cli.access import HERE, Access
from pilothouse.cli.set import told
from pilothouse.cli.values import parse_input
from pilothouse.client import Client
from pilothouse.errors import BadName, NotThere, nearest
from pilothouse.model import ActionDescription, Address, Series


def do_(
    target: str,
    /,
    *input: Annotated[str, Parameter(allow_leading_hyphen=False)],
    reason: str | None = None,
    ttl: float = 5.0,
    id: str | None = None,
    access: Access = HERE,
) -> None:
    """Call an action, and wait for its end.

    For example:
        pilothouse do bench/relays.fail kind=hang seconds=10 --reason "a test"
        pilothouse do bench/relays.heal

    Parameters
    ----------
    target:
        node/thing.action
    input:
        what it takes, as key=value, or one JSON object
    reason:
        why, for the ledger
    ttl:
        seconds after which it is not begun any more
    id:
        id of the command; the same id is never done twice
    """
    action = Series.parse(target)
    with access.connect() as hub:
        described = _described(hub, action)
        taken = parse_input(input, described.input, label=target)
        ended = hub.do(target, taken, reason=reason or "", ttl=ttl, id=id or "", patience=described.timeout)
    print(show.as_json(ended) if access.json else told(target, ended))


def _described(hub: Client, action: Series) -> ActionDescription:
    address = Address(action.node, action.thing)
    description = hub.thing(str(address)).description
    known = description.actions if description else {}
    found = known.get(action.property)
    if found is not None:
        return found
    if description and action.property in description.properties:
        raise BadName(f"{action} is a property", remedy=f"Write it with: pilothouse set {action} VALUE")
    near = nearest(action.property, known)
    raise NotThere(f"{address} has no action {action.property!r}", nearest=f"{address}.{near}" if near else "")
