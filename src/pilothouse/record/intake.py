"""What has come from the bus and is not in the record yet.

Pure: it is given messages and times, and holds rows. `HistoryWriter` loads it and writes it out; the one order of
series numbers is here, so there must be only one of it for a record.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from pilothouse.bus.messages import Batch, Described, Happened, Presence
from pilothouse.errors import BadMessage
from pilothouse.model import Quality, is_id, is_name
from pilothouse.record.cells import GAP, QUALITY, UNCERTAIN, guess_kind, kind_of, to_cell
from pilothouse.record.gaps import Track, judge
from pilothouse.record.rows import Position

MINUTE = 60_000
DAY = 86_400_000
_HOLD = 60_000
"""Milliseconds that a value is believed when nothing is known of its heartbeat."""
_LATEST = 253_402_300_799_000
"""The last moment of the year 9999; a time beyond it, or before 1970, is garbage."""
_SEEN_EVERY = 60_000
"""When a node was last seen is noted this often; nobody needs it finer, and it wears the disk."""

SOON = 0.0
"""What readers need before they can find any reading: new series."""
SHORTLY = 5.0
"""What readers should find: events, descriptions, filled gaps."""

Rows = dict[tuple[int, int], tuple[Any, int]]
"""(value, quality) by (series, time)."""


class SeriesRow(NamedTuple):
    """A row of the table `series`."""

    id: int
    node: str
    thing: str
    property: str
    kind: int
    unit: str
    hold: int


class Pending(Struct):
    """Rows of all tables that are still to be written, and up to where the streams are in them."""

    rows: Rows = {}
    unmarks: set[tuple[int, int]] = set()
    """(series, time) of gap marks to take away."""
    dirty: set[tuple[str, int]] = set()
    """(node, start of a minute) that readings came for."""
    series: dict[int, SeriesRow] = {}
    tracks: set[str] = set()
    nodes: dict[str, tuple[int, str, str, int]] = {}
    """(epoch, version, state, last seen) by node."""
    things: dict[tuple[str, str], tuple[int, str, int]] = {}
    """(epoch, description as JSON, time) by (node, thing)."""
    gone: set[tuple[str, str]] = set()
    events: dict[tuple[int, str], tuple[str, str, str, str]] = {}
    """(node, thing, name, data as JSON) by (time, id)."""
    positions: dict[str, Position] = {}
    within: float | None = None
    """Seconds that readers may wait for something in here; None = no hurry."""

    def hurry(self, within: float) -> None:
        """Something in here should be written within so many seconds."""
        self.within = within if self.within is None else min(self.within, within)

    def __bool__(self) -> bool:
        return any(getattr(self, field) for field in self.__struct_fields__ if field != "within")


class Intake:
    """Takes messages, gathers rows."""

    def __init__(
        self,
        series: Iterable[SeriesRow] = (),
        tracks: dict[str, Track] | None = None,
        things: dict[tuple[str, str], str] | None = None,
    ) -> None:
        self.pending = Pending()
        self.fresh: Rows = {}
        """The part of the readings that readers have not been shown yet; `shown` moves it to pending."""
        self.tracks = tracks or {}
        self.dropped = 0
        """Readings that were garbage: impossible names or times."""
        self._series: dict[str, dict[tuple[str, str], SeriesRow]] = {}
        self._next = 1
        for row in series:
            self._series.setdefault(row.node, {})[row.thing, row.property] = row
            self._next = max(self._next, row.id + 1)
        self._things = things or {}
        self._nodes: dict[str, tuple[int, str, str, int]] = {}

    @property
    def count(self) -> int:
        """Readings that wait."""
        return len(self.pending.rows) + len(self.fresh)

    def shown(self) -> None:
        """Readers can see what was fresh."""
        self.pending.rows.update(self.fresh)
        self.fresh = {}

    def batch(self, node: str, batch: Batch, now: int) -> bool:
        """Take readings; False when they are in the record already. Raises BadMessage for one that is no batch."""
        if batch.node != node:
            raise BadMessage(f"a batch of node {batch.node[:63]!r} came on the subject of {node!r}")
        if not (0 < batch.epoch < 2**62 and 0 < batch.seq < 2**62):
            raise BadMessage(f"a batch of epoch {batch.epoch} and number {batch.seq}")
        times = [r.time for r in batch.readings if 0 <= r.time <= _LATEST]
        newest = max(times, default=0)
        track = self.tracks.setdefault(node, Track())
        verdict = judge(track, batch.epoch, batch.seq, newest)
        if not verdict.take:
            return False
        self.pending.tracks.add(node)
        if verdict.unmark:
            self._unmark(node, verdict.unmark)
        if verdict.mark:
            self._mark(node, verdict.mark)
        if times:
            self._readings(node, batch, now, (min(times), newest))
        return True

    def _readings(self, node: str, batch: Batch, now: int, span: tuple[int, int]) -> None:
        rows, known = self.fresh, self._series.setdefault(node, {})
        odd = len(batch.readings) > 0 and (span[1] > now + DAY or span[1] - span[0] > 10 * MINUTE)
        for reading in batch.readings:
            row = known.get((reading.thing, reading.property))
            time = reading.time
            if row is None:
                row = self._new_series(node, reading.thing, reading.property, guess_kind(reading.value))
            if row is None or not 0 <= time <= _LATEST:
                self.dropped += 1
                continue
            value = reading.value
            quality = QUALITY[reading.quality]
            if time > now + DAY and reading.quality is Quality.GOOD:
                quality = UNCERTAIN
            if odd:
                self.pending.dirty.add((node, time - time % MINUTE))
            rows[row.id, time] = (value if type(value) is float else to_cell(value), quality)
        if not odd:
            first = span[0] - span[0] % MINUTE
            self.pending.dirty.update((node, minute) for minute in range(first, span[1] + 1, MINUTE))

    def _new_series(self, node: str, thing: str, name: str, kind: int) -> SeriesRow | None:
        if not (is_name(thing) and is_name(name)):
            return None
        row = SeriesRow(self._next, node, thing, name, kind, "", _HOLD)
        self._next += 1
        self._put_series(row)
        return row

    def _put_series(self, row: SeriesRow) -> None:
        self._series.setdefault(row.node, {})[row.thing, row.property] = row
        self.pending.series[row.id] = row
        self.pending.hurry(SOON)

    def _mark(self, node: str, time: int) -> None:
        for row in self._series.get(node, {}).values():
            if (row.id, time) not in self.pending.rows:
                self.fresh.setdefault((row.id, time), (None, GAP))
                self.pending.unmarks.discard((row.id, time))
        self.pending.dirty.add((node, time - time % MINUTE))

    def _unmark(self, node: str, time: int) -> None:
        for row in self._series.get(node, {}).values():
            key = (row.id, time)
            for rows in (self.fresh, self.pending.rows):
                if rows.get(key) == (None, GAP):
                    del rows[key]
            self.pending.unmarks.add(key)
        self.pending.dirty.add((node, time - time % MINUTE))
        self.pending.hurry(SHORTLY)

    def described(self, message: Described, now: int) -> bool:
        """Take a description; False when it is known already or its epoch is over."""
        node, thing = message.node, message.thing
        if message.epoch < self._nodes.get(node, (0,))[0] or not 0 <= message.epoch < 2**62:
            return False
        text = msgspec.json.encode(message.description).decode()
        if self._things.get((node, thing)) == text:
            return False
        self._things[node, thing] = text
        self.pending.things[node, thing] = (message.epoch, text, now)
        self.pending.gone.discard((node, thing))
        self.pending.hurry(SHORTLY)
        for name, described in message.description.properties.items():
            self._describe_series(node, thing, name, (kind_of(described), described.unit, _hold(described.heartbeat)))
        return True

    def _describe_series(self, node: str, thing: str, name: str, about: tuple[int, str, int]) -> None:
        row = self._series.get(node, {}).get((thing, name)) or self._new_series(node, thing, name, about[0])
        if row is not None and row[4:] != about:
            self._put_series(row._replace(kind=about[0], unit=about[1], hold=about[2]))

    def presence(self, message: Presence, now: int) -> bool:
        """Take a presence; False when there is nothing in it worth writing."""
        node = message.node
        known = self._nodes.get(node)
        if not 0 <= message.epoch < 2**62 or (known is not None and message.epoch < known[0]):
            return False
        for other, thing in list(self._things):
            if other == node and thing not in message.things:
                del self._things[other, thing]
                self.pending.things.pop((other, thing), None)
                self.pending.gone.add((other, thing))
                self.pending.hurry(SHORTLY)
        row = (message.epoch, message.version, message.state, now)
        if known is not None and known[:3] == row[:3] and abs(now - known[3]) < _SEEN_EVERY:
            return False
        self._nodes[node] = self.pending.nodes[node] = row
        return True

    def event(self, node: str, thing: str, message: Happened) -> None:
        """Take an event; raises BadMessage for one that is none."""
        if (message.node, message.thing) != (node, thing) or not is_name(message.name) or not is_id(message.id):
            raise BadMessage(
                f"an event of {message.node[:63]}/{message.thing[:63]} came on the subject of {node}/{thing}"
            )
        if not 0 <= message.time <= _LATEST:
            raise BadMessage(f"an event at {message.time}, which is no time")
        data = msgspec.json.encode(message.data).decode()
        self.pending.events[message.time, message.id] = (node, thing, message.name, data)
        self.pending.hurry(SHORTLY)


def _hold(heartbeat: float) -> int:
    return int(min(max(heartbeat * 2.5, 1.0), 86_400.0) * 1000)
