"""`pilothouse confirm`: the code with which somebody else may give a command that needs two people."""

from __future__ import annotations

import shlex
from typing import Annotated

from cyclopts import Parameter

from pilothouse.cli import show
from pilothouse.cli.access import HERE, Access
from pilothouse.cli.confirming import need_of
from pilothouse.cli.do import action_of
from pilothouse.cli.set import property_of
from pilothouse.cli.values import parse_input, parse_value
from pilothouse.client import Client, Token
from pilothouse.errors import BadValue
from pilothouse.model import Series


def confirm_(
    target: str,
    /,
    *input: Annotated[str, Parameter(allow_leading_hyphen=True)],
    access: Access = HERE,
) -> None:
    """Confirm a command that somebody else will give; prints the code to tell them.

    The code is good for exactly this command, once, for a minute.

    For example:
        pilothouse confirm bench/oven.heater true
        pilothouse confirm bench/laser.fire seconds=2

    Parameters
    ----------
    target:
        node/thing.property, or node/thing.action
    input:
        the value that will be written, or what the action will take, as key=value
    """
    series = Series.parse(target)
    with access.connect() as hub:
        description = hub.thing(f"{series.node}/{series.thing}").description
        if description and series.property in description.actions:
            verb, token = "do", _of_action(hub, series, input)
        else:
            verb, token = "set", _of_property(hub, series, input)
    if access.json:
        print(show.as_json(token))
        return
    said = " ".join((target, *(shlex.quote(word) for word in input)))
    hazard = f"{token.hazard.rstrip('.')}.\n" if token.hazard else ""
    who = "Somebody else gives" if token.two_person else "You give"
    print(f"{hazard}{who} within {show.length(token.lives)}: pilothouse {verb} {said} --confirmation {token.token}")


def _of_property(hub: Client, series: Series, input: tuple[str, ...]) -> Token:
    if len(input) != 1:
        raise BadValue(f"{series} needs one value", remedy=f"Say: pilothouse confirm {series} VALUE")
    described = property_of(hub, series)
    value = parse_value(input[0], described.schema, label=str(series))
    if not need_of(described, value):
        raise BadValue(f"{series} = {show.value_of(value)} needs no confirmation", remedy="Just write it")
    return hub.confirm(str(series), value)


def _of_action(hub: Client, series: Series, input: tuple[str, ...]) -> Token:
    described = action_of(hub, series)
    if not described.confirm:
        raise BadValue(f"{series} needs no confirmation", remedy="Just call it")
    return hub.confirm_action(str(series), parse_input(input, described.input, label=str(series)))
