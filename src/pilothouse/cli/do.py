"""`pilothouse do`: call an action and say how it ended."""

from __future__ import annotations

import shlex
from typing import Annotated

from cyclopts import Parameter

from pilothouse.cli import show
from pilothouse.cli.access import HERE, Access, Flag
from pilothouse.cli.confirming import hinted, token_for
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
    yes: Flag = False,
    confirmation: str | None = None,
    access: Access = HERE,
) -> None:
    """Call an action, and wait for its end. What can hurt is asked about first.

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
    yes:
        confirm without being asked, for scripts that know what they do
    confirmation:
        code that somebody else got with: pilothouse confirm
    """
    action = Series.parse(target)
    with access.connect() as hub:
        described = action_of(hub, action)
        taken = parse_input(input, described.input, label=target)
        said = " ".join((target, *(shlex.quote(word) for word in input)))
        need = "" if confirmation else described.confirm
        token = token_for(need, described.hazard, f"Do {said}", lambda: hub.confirm_action(target, taken), yes=yes)
        given = {"reason": reason or "", "id": id or "", "confirmation": confirmation or token}
        with hinted(described.confirm, said):
            ended = hub.do(target, taken, ttl=ttl, patience=described.timeout, **given)
    print(show.as_json(ended) if access.json else told(target, ended))


def action_of(hub: Client, action: Series) -> ActionDescription:
    """What is known of an action; raises BadName for a property, NotThere with the nearest name."""
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
