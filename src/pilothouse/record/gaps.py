"""Which batches of a node have come, which are missing, and where the line of its series must break.

Pure. A node numbers its batches 1, 2, 3 … within a run (an epoch). A hole in the numbers, or a new run, means that
nobody knows what was between: a gap mark is put right after the last reading before it. Batches that come late fill
holes, and a mark whose hole is filled is taken away again. Whatever the order, no batch that is new is ever left out.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

MOST_HOLES = 64
"""Holes that are told apart for a node; beyond that the two oldest are taken as one, which only costs a look."""


class Hole(Struct):
    """Batches `first` to `last` have not come."""

    first: int
    last: int
    mark: int = 0
    """Time of the gap mark that stands for it; 0 = it needs none, because the run began there."""


class Track(Struct):
    """What is known of one node's batches."""

    epoch: int = 0
    """The newest run; 0 = never heard."""
    seq: int = 0
    """Highest number that came in this run."""
    end: int = 0
    """Time of the newest reading in the batch of that number, Unix milliseconds; 0 = none yet."""
    holes: list[Hole] = []
    """In rising order, none touching another."""


class Verdict(NamedTuple):
    """What to do about a batch."""

    take: bool
    """False for one that is in the record already."""
    mark: int = 0
    """Time at which a gap begins now; 0 = none."""
    unmark: int = 0
    """Time of the gap mark that is to be taken away; 0 = none."""


_TAKE = Verdict(take=True)
_KNOWN = Verdict(take=False)


def judge(track: Track, epoch: int, seq: int, newest: int) -> Verdict:
    """Take note of batch `seq` of run `epoch` in `track`, and say what to do about it.

    `newest` is the time of the newest reading in it, 0 when it has none.
    """
    if epoch < track.epoch:
        # Two agents of one name, or a node that lost its folder. The readings are still somebody's truth.
        return _TAKE
    if epoch > track.epoch:
        verdict = Verdict(take=True, mark=track.end + 1 if track.end else 0)
        track.epoch, track.seq, track.end = epoch, seq, newest or track.end
        track.holes = [Hole(1, seq - 1)] if seq > 1 else []
        return verdict
    if seq <= track.seq:
        return _fill(track, seq, newest)
    verdict = _TAKE
    if seq > track.seq + 1:
        mark = track.end + 1 if track.end else 0
        track.holes.append(Hole(track.seq + 1, seq - 1, mark))
        _limit(track)
        verdict = Verdict(take=True, mark=mark)
    track.seq = seq
    track.end = newest or track.end
    return verdict


def _fill(track: Track, seq: int, newest: int) -> Verdict:
    index = next((i for i, hole in enumerate(track.holes) if hole.first <= seq <= hole.last), -1)
    if index < 0:
        return _KNOWN
    hole = track.holes[index]
    before = Hole(hole.first, seq - 1, hole.mark) if hole.first < seq else None
    after = Hole(seq + 1, hole.last, newest + 1 if newest else 0) if seq < hole.last else None
    unmark = 0
    if before is None and after is not None and not newest:
        after.mark = hole.mark
    elif before is None:
        unmark = hole.mark
    track.holes[index : index + 1] = [part for part in (before, after) if part is not None]
    if any(other.mark == unmark for other in track.holes):
        unmark = 0
    _limit(track)
    return Verdict(take=True, mark=after.mark if after is not None and newest else 0, unmark=unmark)


def _limit(track: Track) -> None:
    while len(track.holes) > MOST_HOLES:
        first, second = track.holes[:2]
        track.holes[:2] = [Hole(first.first, second.last, first.mark)]
