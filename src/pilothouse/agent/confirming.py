"""Gives out confirmations: a token for exactly one command, to whoever could give that command now."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pilothouse.agent.admission import Refusal, Write, no_thing, resolve
from pilothouse.agent.gate import GuardedGate, is_safe
from pilothouse.agent.owned import Owned
from pilothouse.bus.messages import AskConfirmation, Command, Confirmation, End, Why
from pilothouse.bus.subjects import Subjects
from pilothouse.errors import BadName
from pilothouse.guard.confirmations import LIVES
from pilothouse.model import ActionDescription, PropertyDescription, Value


class Confirming:
    """See the module's text. Whatever would be refused anyway is refused here, with the same words."""

    def __init__(
        self, things: Mapping[str, Owned], gate: GuardedGate, subjects: Subjects, epoch: Callable[[], int]
    ) -> None:
        self._things = things
        self._gate = gate
        self._subjects = subjects
        self._epoch = epoch

    async def handle(self, subject: str, ask: AskConfirmation) -> Confirmation:
        """Answer who asks for a token."""
        found = self._found(subject, ask)
        if isinstance(found, Refusal):
            return Confirmation(why=found.why, detail=found.detail, remedy=found.remedy)
        described, plain = found
        two = described.confirm == "two-person"
        token = self._gate.give_token(ask, plain, two_person=two)
        return Confirmation(token=token, lives=LIVES, two_person=two, hazard=described.hazard)

    def _found(
        self, subject: str, ask: AskConfirmation
    ) -> tuple[PropertyDescription | ActionDescription, Value] | Refusal:
        if self._names(subject) != (ask.node, ask.thing, ask.name):
            return _refused(Why.INPUT, "it names another target than the subject that it came on")
        if ask.epoch != self._epoch():
            return _refused(Why.EPOCH, "the agent of this node has started anew since", "Ask again")
        owned = self._things.get(ask.thing)
        if owned is None:
            return no_thing(ask.node, ask.thing, self._things)
        asked = resolve(_command(ask), owned.thing, owned.description)
        if isinstance(asked, Refusal):
            return asked
        described: PropertyDescription | ActionDescription
        if isinstance(asked, Write):
            described, plain = owned.description.properties[ask.name], asked.plain
            against = self._gate.against_write(ask.thing, ask.who, plain, described)
            needs = bool(described.confirm) and not is_safe(plain, described)
        else:
            described, plain = owned.description.actions[ask.name], ask.input
            against = self._gate.against_act(ask.thing, ask.who, described)
            needs = bool(described.confirm)
        if not needs:
            return _refused(Why.INPUT, f"{ask.thing}.{ask.name} needs no confirmation for that", "Send it without one")
        return against or (described, plain)

    def _names(self, subject: str) -> tuple[str, str, str]:
        try:
            _, names = self._subjects.parse(subject)
            return names["node"], names["thing"], names["name"]
        except (BadName, KeyError):
            return "", "", ""


def _command(ask: AskConfirmation) -> Command:
    return Command(
        id="",
        node=ask.node,
        epoch=ask.epoch,
        thing=ask.thing,
        kind=ask.kind,
        name=ask.name,
        input=ask.input,
        deadline=0,
        who=ask.who,
        origin="",
    )


def _refused(why: Why, detail: str, remedy: str = "") -> Refusal:
    return Refusal(End.REFUSED, why, detail, remedy)
