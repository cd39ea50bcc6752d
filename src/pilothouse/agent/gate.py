"""What a command must pass before it goes to its lane: stop, lease, guard, confirmation; decided on the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from pilothouse.agent.admission import Refusal
from pilothouse.agent.guarding import Guarding
from pilothouse.agent.leasing import Leasing
from pilothouse.agent.words import at_time
from pilothouse.bus.messages import AskConfirmation, Command, End, Latch, Why
from pilothouse.clock import Clock
from pilothouse.guard import Barred, Tokens
from pilothouse.model import ActionDescription, PropertyDescription, Value
from pilothouse.model.sameness import differs

_WHY = {"interlock": Why.INTERLOCK, "exclusive": Why.INTERLOCK, "lease": Why.LEASE}
"""By rule; all others are Why.GUARD."""


class Gate(Protocol):
    """Decides without waiting, so that nothing can come between a decision and what it rests on."""

    def write(self, command: Command, plain: Value, described: PropertyDescription) -> Refusal | None:
        """Why this write may not pass; None = it passes, and counts from now on, until `over` says otherwise."""
        ...

    def act(self, command: Command, described: ActionDescription) -> Refusal | None:
        """Why this action may not be called; None = it may."""
        ...

    def own(self, command: Command) -> None:
        """A safe write of the agent's own passes, always; it counts like the others."""
        ...

    def took(self, command: Command) -> None:
        """The device took a write."""
        ...

    def over(self, command: Command, *, asked: bool) -> None:
        """A write that was let through came to its end; `asked` = the device may have been asked."""
        ...


class OpenGate:
    """Lets everything pass: for an agent that guards nothing."""

    def write(self, command: Command, plain: Value, described: PropertyDescription) -> Refusal | None:
        """It may."""
        return None

    def act(self, command: Command, described: ActionDescription) -> Refusal | None:
        """It may."""
        return None

    def own(self, command: Command) -> None:
        """Nothing is counted."""

    def took(self, command: Command) -> None:
        """Nothing is counted."""

    def over(self, command: Command, *, asked: bool) -> None:
        """Nothing was counted."""


class GuardedGate:
    """The gate of an agent; see Gate."""

    def __init__(self, guarding: Guarding, leasing: Leasing, clock: Clock) -> None:
        self.stopped: Callable[[], Latch | None] = _nobody_stopped
        """Gives the stop that holds; None = there is none."""
        self._guarding = guarding
        self._leasing = leasing
        self._clock = clock
        self._tokens = Tokens()

    # commands

    def write(self, command: Command, plain: Value, described: PropertyDescription) -> Refusal | None:
        """As in Gate."""
        if not is_safe(plain, described):
            refusal = self.against_write(command.thing, command.who, plain, described)
            refusal = refusal or self._unconfirmed(command, plain, described)
            if refusal is not None:
                return refusal
        self._reserve(command, plain)
        return None

    def act(self, command: Command, described: ActionDescription) -> Refusal | None:
        """As in Gate."""
        refusal = self.against_act(command.thing, command.who, described)
        return refusal or self._unconfirmed(command, command.input, described)

    def own(self, command: Command) -> None:
        """As in Gate."""
        self._reserve(command, command.input)

    def took(self, command: Command) -> None:
        """As in Gate."""
        self._guarding.guard.accepted(_key(command), command.id, self._clock.mono())

    def over(self, command: Command, *, asked: bool) -> None:
        """As in Gate."""
        key = _key(command)
        self._guarding.guard.release(key, command.id, self._clock.mono(), asked=asked)
        if self._guarding.is_ruled(key):
            self._guarding.touch()

    def _reserve(self, command: Command, plain: Value) -> None:
        # Breaks no rule by itself: what would is not let through. Its readback and its end are looked at.
        self._guarding.guard.reserve(_key(command), plain, command.id, self._clock.mono())

    # what stands against them

    def against_write(self, thing: str, who: str, plain: Value, described: PropertyDescription) -> Refusal | None:
        """Why this person may not write this value now; its confirmation is not looked at."""
        if is_safe(plain, described):
            return None
        refusal = self._stopped() or self._leased(thing, who)
        if refusal is None:
            refusal = self._refused(self._guarding.guard.bar(f"{thing}.{described.name}", plain, self._clock.mono()))
        return refusal

    def against_act(self, thing: str, who: str, described: ActionDescription) -> Refusal | None:
        """Why this person may not call this action now; its confirmation is not looked at."""
        refusal = self._stopped() or self._leased(thing, who)
        if refusal is None:
            refusal = self._refused(self._guarding.guard.bar_action(f"{thing}.{described.name}", self._clock.mono()))
        return refusal

    def _stopped(self) -> Refusal | None:
        latch = self.stopped()
        if latch is None:
            return None
        reason = f": {latch.reason}" if latch.reason else ""
        detail = f"stop was pressed by {latch.who} at {at_time(latch.time)}{reason}"
        return Refusal(
            End.REFUSED, Why.STOPPED, detail, "Lift the stop when it is safe to go on; safe values may be set"
        )

    def _leased(self, thing: str, who: str) -> Refusal | None:
        return self._refused(self._leasing.bar(thing, who))

    def _refused(self, barred: Barred | None) -> Refusal | None:
        if barred is None:
            return None
        until = f", until {at_time(self._clock.now() + barred.over_in)}" if barred.over_in >= 1000 else ""
        return Refusal(End.REFUSED, _WHY.get(barred.rule, Why.GUARD), f"{barred.text}{until}", barred.remedy)

    # confirmations

    def give_token(self, ask: AskConfirmation, plain: Value, *, two_person: bool) -> str:
        """A token for exactly this command, single use."""
        mono = self._clock.mono()
        return self._tokens.give(ask.who, ask.thing, ask.kind, ask.name, plain, two_person=two_person, mono=mono)

    def _unconfirmed(
        self, command: Command, plain: Value, described: PropertyDescription | ActionDescription
    ) -> Refusal | None:
        if not described.confirm:
            return None
        label, two = f"{command.thing}.{command.name}", described.confirm == "two-person"
        if not command.confirmation:
            whose = "a confirmation of a second person" if two else "a confirmation"
            hazard = f": {described.hazard}" if described.hazard else ""
            return _confirm(f"{label} needs {whose}{hazard}", two=two)
        mono, kind, token = self._clock.mono(), command.kind, command.confirmation
        wrong = self._tokens.use(
            token, command.who, command.thing, kind, command.name, plain, two_person=two, mono=mono
        )
        return _confirm(wrong, two=two) if wrong else None


def is_safe(plain: Value, described: PropertyDescription) -> bool:
    """Whether a value is the safe one, which always passes."""
    return described.has_safe and not differs(plain, described.safe)


def _confirm(detail: str, *, two: bool) -> Refusal:
    who = "Have somebody else ask" if two else "Ask"
    remedy = f"{who} for a confirmation of exactly this command (POST /api/confirmations), and send its token with it"
    return Refusal(End.REFUSED, Why.CONFIRM, detail, remedy)


def _key(command: Command) -> str:
    return f"{command.thing}.{command.name}"


def _nobody_stopped() -> Literal[None]:
    """Before anybody is asked about stops."""
    return None
