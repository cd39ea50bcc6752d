"""The live stream: snapshot, then changes; comes back by itself after a lost link."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import httpx2
import msgspec

from pilothouse.client.answers import Change, Lost, Snapshot
from pilothouse.client.problems import Problem, plain, problem_of
from pilothouse.client.trust import unreachable

SILENCE = 7.0
"""Seconds without a byte after which the link is taken for lost; the hub says something every 2 s."""
_LARGEST = 256 * 1024 * 1024
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 5.0

_snapshots = msgspec.json.Decoder(Snapshot)
_changes = msgspec.json.Decoder(Change)


def follow(
    http: httpx2.Client, things: Sequence[str], *, pause: Callable[[float], None] = time.sleep
) -> Iterator[Snapshot | Change | Lost]:
    """Frames of the live stream for ever; `things` are addresses, none = all.

    The first link must work: Unreachable, NotAllowed or NotThere are raised. A link that is lost later gives one
    Lost, is tried again after a growing pause, and gives a fresh Snapshot when it is back. A refusal while coming
    back (the token was withdrawn) is raised.
    """
    been_there = False
    wait = _FIRST_WAIT
    while True:
        try:
            for frame in _one_link(http, things):
                if isinstance(frame, Snapshot):
                    been_there, wait = True, _FIRST_WAIT
                yield frame
            why = "the hub ended the stream"
        except (httpx2.TransportError, _Busy) as error:
            why = plain(error)
            if not been_there:
                raise unreachable(str(http.base_url).rstrip("/"), error) from None
        if wait == _FIRST_WAIT:
            yield Lost(why=why)
        pause(wait)
        wait = min(_LONGEST_WAIT, wait * 2)


class _Busy(Exception):
    """The hub is there and cannot serve just now, as while it starts."""


def _one_link(http: httpx2.Client, things: Sequence[str]) -> Iterator[Snapshot | Change]:
    params = {"things": ",".join(things)} if things else {}
    patience = httpx2.Timeout(SILENCE, connect=5.0)
    headers = {"Accept": "text/event-stream"}
    with http.stream("GET", "/api/live", params=params, headers=headers, timeout=patience) as response:
        if response.status_code != 200:
            body = response.read()
            if response.status_code in (502, 503, 504):
                raise _Busy(f"the hub answered with status {response.status_code}")
            raise problem_of(response.status_code, response.headers.get("content-type", ""), body, str(http.base_url))
        for event in httpx2.EventSource(response, max_event_size=_LARGEST):
            frame = _frame(event)
            if frame is not None:
                yield frame


def _frame(event: httpx2.ServerSentEvent) -> Snapshot | Change | None:
    """A snapshot or a change; None for beats, and for what a newer hub may send besides."""
    decoders: dict[str, msgspec.json.Decoder[Snapshot] | msgspec.json.Decoder[Change]]
    decoders = {"snapshot": _snapshots, "change": _changes}
    decoder = decoders.get(event.event)
    try:
        return decoder.decode(event.data) if decoder else None
    except msgspec.DecodeError as error:
        raise Problem(
            f"The hub sent a {event.event} that this client does not understand",
            why=str(error)[:200],
            remedy="Are both of the same version? pilothouse --version",
        ) from None
