"""How commands end, in words: makes the one outcome of a command."""

from __future__ import annotations

from pilothouse.agent.admission import Refusal
from pilothouse.agent.driving import NotOpen, Written
from pilothouse.agent.lane import (
    CallFailed,
    Cancelled,
    LaneFull,
    LaneHung,
    LaneStopped,
    LaneStopping,
    Late,
    NoAnswer,
    NotAsked,
)
from pilothouse.agent.sense import Sensed
from pilothouse.agent.words import at_time, in_words
from pilothouse.bus.messages import Command, End, Made, Outcome, Why
from pilothouse.clock import Clock
from pilothouse.model import PropertyDescription, Quality, Value
from pilothouse.model.sameness import shows
from pilothouse.model.types import short
from pilothouse.model.units import symbol

STOPPING = Refusal(End.REFUSED, Why.STOPPING, "the agent of this node is stopping", "Ask again when it is back")


class Overruled(NotAsked):
    """It was taken back, for the agent makes its output safe."""

    def __init__(self, what: str, why: Why) -> None:
        super().__init__(what)
        self.kind = why


class Ending:
    """Makes the outcome of one command; `made` stands behind one that the agent gave itself."""

    def __init__(self, command: Command, epoch: int, clock: Clock, made: Made | None = None) -> None:
        self.on_lane = False
        """Whether the device may have been asked."""
        self._asked = 0
        self._command = command
        self._epoch = epoch
        self._clock = clock
        self._made = made
        self._accepted = clock.now()
        self._began = clock.fine()

    def refused(self, refusal: Refusal) -> Outcome:
        """It was not taken."""
        accepted = 0 if refusal.end in (End.REFUSED, End.EXPIRED) else self._accepted
        return self._make(refusal.end, refusal.why, refusal.detail, refusal.remedy, accepted=accepted)

    def not_asked(self, error: NotAsked) -> Outcome:
        """It was taken, and its lane never came to ask the device."""
        match error:
            case Late():
                return self._make(End.EXPIRED, Why.TIME, error.what)
            case LaneStopping():
                return self.refused(STOPPING)
            case LaneStopped():
                return self._make(End.REFUSED, Why.STOPPED, error.what, "Lift the stop, then ask again")
            case Cancelled():
                return self._make(End.REFUSED, Why.CANCELLED, error.what)
            case Overruled():
                return self._make(End.REFUSED, error.kind, error.what)
            case LaneHung():
                remedy = "Wait until it answers, or switch the device off and on"
                return self._make(End.REFUSED, Why.BUSY, error.what, remedy)
            case LaneFull():
                return self._make(End.REFUSED, Why.BUSY, error.what, "Ask again in a moment, and less often")
        return self._make(End.REFUSED, Why.BUSY, error.what)

    def failed(self, error: CallFailed) -> Outcome:
        """The driver raised."""
        if isinstance(error.cause, NotOpen):
            return self._make(End.REFUSED, Why.DEVICE, "the device is not open")
        return self.raised(in_words(error.cause), error.asked)

    def raised(self, words: str, asked: int) -> Outcome:
        """The driver raised that when it was asked at `asked`."""
        self._asked = asked
        return self._make(End.FAILED, Why.DEVICE, f"the driver raised {words}")

    def no_answer(self, error: NoAnswer) -> Outcome:
        """The device was asked and does not answer."""
        self._asked = error.asked
        detail = f"the device was asked at {at_time(error.asked)} and has not answered; it may have done it or not"
        return self._make(End.UNKNOWN, Why.TIME, detail, "Look at the device; if it answers later, the ledger says so")

    def unknown(self, detail: str) -> Outcome:
        """Nobody can say."""
        return self._make(End.UNKNOWN, Why.TIME, detail, "Look at the device")

    def stopped(self) -> Outcome:
        """The agent ends and can wait no longer."""
        return self.unknown("the agent stopped while the device was at it") if self.on_lane else self.refused(STOPPING)

    def written(self, written: Written, asked: int, wish: Value, described: PropertyDescription) -> Outcome:
        """The device took the value: what its readback says of that."""
        self._asked = asked
        sensed = written.values.get(described.name)
        if sensed is None or sensed.quality is Quality.BAD:
            return self._unread(sensed.error if sensed else written.error or "the driver gives no readback")
        if shows(sensed.value, wish, described):
            return self._make(End.CONFIRMED, value=sensed.value)
        unit = f" {symbol(described.unit)}" if described.unit else ""
        after = f" after {described.settle:g} s" if described.settle else ""
        detail = f"the device took {short(wish)}{unit} and shows {short(sensed.value)}{unit}{after}"
        return self._make(End.FAILED, Why.READBACK, detail, value=sensed.value)

    def unread(self, error: CallFailed) -> Outcome:
        """The device took the value, and reading it back raised."""
        return self._unread(in_words(error.cause))

    def _unread(self, why: str) -> Outcome:
        return self._make(End.FAILED, Why.READBACK, f"the device took the value, but it could not be read back: {why}")

    def acted(self, output: Sensed, asked: int) -> Outcome:
        """An action came to its end."""
        self._asked = asked
        if output.quality is Quality.BAD:
            return self._make(End.FAILED, Why.DEVICE, f"it was done, but its output is none: {output.error}")
        return self._make(End.CONFIRMED, value=output.value)

    def _make(
        self,
        end: End,
        why: Why = Why.NONE,
        detail: str = "",
        remedy: str = "",
        *,
        value: Value = None,
        accepted: int | None = None,
    ) -> Outcome:
        command = self._command
        return Outcome(
            id=command.id,
            node=command.node,
            epoch=self._epoch,
            thing=command.thing,
            name=command.name,
            end=end,
            why=why,
            detail=detail,
            remedy=remedy,
            value=value,
            accepted=self._accepted if accepted is None else accepted,
            asked=self._asked,
            ended=self._clock.now(),
            took_ms=round(self._clock.fine() - self._began, 3),
            made=self._made,
        )
