"""What is known of one output between two readings: what it shows, what was asked of it, and since when. Pure.

An output is *on* from the moment a command to turn it on is let through until a reading shows it safe again and no
such command is under way. A command whose end nobody knows leaves it in doubt until the next good reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pilothouse.guard.output import Output
from pilothouse.guard.slew import Trail
from pilothouse.model import Value
from pilothouse.model.sameness import is_number

_MOST_DOUBTS = 8
_LONGEST_PAUSE = 10_000
_PAUSE = 1000
"""Milliseconds until a breach that was not mended is told again; doubles each time up to the longest."""


class Flight(NamedTuple):
    """A command that was let through and is not over."""

    value: Value
    on: bool
    since: int
    accepted: bool = False
    """Whether the device has taken it."""
    condemned: bool = False
    """Whether a breach was told after it was let through: it is being taken back."""


class Told(NamedTuple):
    """A breach that was told, and not mended since."""

    mono: int
    times: int

    @property
    def again_at(self) -> int:
        """When it may be told again."""
        return self.mono + min(_PAUSE << min(self.times - 1, 10), _LONGEST_PAUSE)


class Held:
    """See the module's text."""

    def __init__(self, mono: int) -> None:
        self.known = False
        """Whether its last reading was good."""
        self.ever = False
        """Whether any reading was good."""
        self.on_since: int | None = None
        """Since when the device may have it on, without a break; None = it has it off."""
        self.off_since = mono
        """Since when it is seen safe; at first, since the agent started."""
        self.told: Told | None = None
        self.trail = Trail()
        self._value: Value = None
        self._seen_at = 0
        self._wish: Value = None
        self._flights: dict[str, Flight] = {}
        self._doubts: list[Value] = []
        self._doubt_on = False

    # what happens

    def reserve(self, output: Output, value: Value, id: str, mono: int) -> None:
        """A command is let through."""
        on = output.has_safe and not output.is_safe(value)
        if not self._flights:
            self._wish = self._place(output)
        self._flights[id] = Flight(value, on, mono)
        if on:
            self.told = None

    def accepted(self, output: Output, id: str, mono: int) -> None:
        """The device has taken a command."""
        flight = self._flights.get(id)
        if flight is not None:
            self._flights[id] = flight._replace(accepted=True)
            self._keep_time(output, mono)

    def release(self, output: Output, id: str, mono: int, *, asked: bool) -> None:
        """A command is over; `asked`: the device may have done it."""
        flight = self._flights.pop(id, None)
        if flight is None:
            return
        if asked or flight.accepted:
            self._doubt_on = self._doubt_on or flight.on
            self._doubts = [*(one for one in self._doubts if one != flight.value), flight.value][-_MOST_DOUBTS:]
            self._move(output, flight)
        self._keep_time(output, mono)

    def seen(self, output: Output, value: Value, mono: int) -> None:
        """A reading came; None = it was bad."""
        self.known = value is not None
        if not self.known:
            return
        first = not self.ever
        self.ever = True
        self._value, self._seen_at = value, mono
        self._doubts.clear()
        self._doubt_on = False
        if output.shows_safe(value):
            self.told = None
            if first:
                self.off_since = mono
        self._keep_time(output, mono)

    def tell(self, mono: int) -> None:
        """A breach is told now, and what was let through is condemned."""
        self.told = Told(mono, self.told.times + 1 if self.told else 1)
        self._flights = {id: flight._replace(condemned=True) for id, flight in self._flights.items()}

    # what is known

    def shows_on(self, output: Output) -> bool:
        """Whether the last good reading shows it on."""
        return output.has_safe and self.ever and not output.shows_safe(self._value)

    def is_on(self, output: Output) -> bool:
        """Whether it counts as on."""
        return self._at_device(output) or any(flight.on for flight in self._flights.values())

    def may_be_on(self, output: Output) -> bool:
        """Whether it counts as on, or nobody can say."""
        return output.has_safe and (not self.known or self.is_on(output))

    def breakable(self, output: Output) -> bool:
        """Whether it is on by anything but commands that are being taken back."""
        fresh = any(flight.on and not flight.condemned for flight in self._flights.values())
        return self._at_device(output) or fresh

    def is_to_be_told(self, output: Output, mono: int) -> bool:
        """Whether a breach is to be told now: it is the first, or it is still seen on a while after the last."""
        if self.told is None:
            return True
        return self._seen_on_since(output, self.told) and mono >= self.told.again_at

    def told_again_at(self, output: Output) -> int | None:
        """When a breach that was told would be told again; None = not before something else happens."""
        if self.told is None or not self._seen_on_since(output, self.told):
            return None
        return self.told.again_at

    def coming(self, *, on: bool = False) -> Iterator[Value]:
        """Values that the device was or will be asked for since it was last read; `on`: only those not taken back."""
        for flight in self._flights.values():
            if not on or (flight.on and not flight.condemned):
                yield flight.value
        if not on:
            yield from self._doubts

    def places(self, output: Output) -> list[int | float]:
        """Where a number may be now, the latest wish last; [] when nobody knows."""
        flying = [flight.value for flight in self._flights.values()]
        return [place for place in (self._place(output), *self._doubts, *flying) if is_number(place)]

    def _place(self, output: Output) -> Value:
        """Where it came to rest: the wish, for a reading is never exactly that; the reading when it shows another."""
        shown = not self.ever or output.shows(self._value, self._wish)
        return self._wish if is_number(self._wish) and shown else self._value

    def _at_device(self, output: Output) -> bool:
        """Whether the device may have it on."""
        taken = any(flight.on and flight.accepted for flight in self._flights.values())
        return self.shows_on(output) or self._doubt_on or taken

    def _seen_on_since(self, output: Output, told: Told) -> bool:
        return self.known and self._seen_at > told.mono and self.shows_on(output)

    def _keep_time(self, output: Output, mono: int) -> None:
        if self._at_device(output):
            self.on_since = mono if self.on_since is None else self.on_since
        elif self.on_since is not None:
            self.on_since = None
            self.off_since = mono

    def _move(self, output: Output, flight: Flight) -> None:
        """The wish has moved, and it left the place before when the command was let through."""
        if output.is_safe(flight.value):
            self.trail.forget()
        elif is_number(self._wish):
            self.trail.leave(self._wish, flight.since)
        self._wish = flight.value
