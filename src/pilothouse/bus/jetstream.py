"""What the bus keeps: making streams, adding to them, reading out of them, by JetStream's own requests.

nats-py's classes for it are not used: they do not know all settings that we need, and they create consumers, which a
restart of the bus loses. Everything here is one request and its answer, with no state between.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from pilothouse.bus.link import Delivery
from pilothouse.bus.messages import LIMIT
from pilothouse.bus.replies import Replies
from pilothouse.bus.subjects import Kept, Stream
from pilothouse.errors import BusDown, CannotStart, NodeAway, PilothouseError, TimedOut

log = logging.getLogger(__name__)

HEADROOM = 4096
"""Bytes of headers that a message of the largest size may have besides."""
_TIMEOUT = 5.0
_BATCH_BYTES = 4 * 1024 * 1024
"""Bytes asked for at once."""
_PROMPT_REPEAT = 120.0
"""Seconds in which the bus knows a message again by its id."""
_OTHER_CONFIG, _NO_ROOM, _WRONG_LAST = 10058, (10023, 10028, 10047), (10071, 10164)


class _Error(Struct, frozen=True):
    code: int = 0
    err_code: int = 0
    description: str = ""


class _Ack(Struct, frozen=True):
    seq: int = 0
    duplicate: bool = False
    error: _Error | None = None


class _State(Struct, frozen=True):
    first_seq: int = 0
    last_seq: int = 0
    messages: int = 0
    bytes: int = 0


class _Info(Struct, frozen=True):
    state: _State = _State()
    created: str = ""
    error: _Error | None = None


class StreamInfo(NamedTuple):
    """What a stream holds."""

    first: int
    """Position of its first message; 0 = never one."""
    last: int
    created: str
    """When it was made, RFC 3339; another one means that everything before is gone."""
    messages: int = 0
    bytes: int = 0


class Stored(NamedTuple):
    """A message in a stream."""

    seq: int
    """Its position: 1, 2, 3 …"""
    subject: str
    data: bytes
    time_ms: int
    """When the bus took it, Unix milliseconds by the bus's clock."""


class WrongRevision(PilothouseError):
    """Somebody else has written since; nothing was changed."""


def configured(stream: Stream) -> dict[str, Any]:
    """The stream's settings as JetStream wants them."""
    memory = stream.kept is Kept.LAST
    settings: dict[str, Any] = {
        "name": stream.name,
        "subjects": list(stream.subjects),
        "storage": "memory" if memory else "file",
        "retention": "limits",
        "discard": "old",
        "num_replicas": 1,
        "max_bytes": stream.max_bytes,
        "max_age": int(stream.max_age * 1e9),
        "max_msg_size": LIMIT + HEADROOM,
        "max_msgs_per_subject": 1 if stream.kept in (Kept.LAST, Kept.LEASE) else -1,
        "allow_direct": True,
        "duplicate_window": int(min(_PROMPT_REPEAT, stream.max_age or _PROMPT_REPEAT) * 1e9),
    }
    if stream.kept is Kept.TELEMETRY:
        settings["persist_mode"] = "async"
    return settings


async def ensure(replies: Replies, stream: Stream) -> None:
    """Make the stream, or bring its settings up to date. Raises BusDown, TimedOut, or CannotStart with the reason."""
    settings = msgspec.json.encode(configured(stream))
    info = await _api(replies, f"STREAM.CREATE.{stream.name}", settings, _Info)
    if info.error is not None and info.error.err_code == _OTHER_CONFIG:
        info = await _api(replies, f"STREAM.UPDATE.{stream.name}", settings, _Info)
    if info.error is None:
        return
    if info.error.err_code in _NO_ROOM:
        remedy = "Raise bus.max_file or bus.max_memory, or make room on the disk"
    else:
        remedy = "Look into the log of the bus"
    raise CannotStart(f"The bus does not keep {stream.name}", why=info.error.description, remedy=remedy)


async def info(replies: Replies, stream: Stream) -> StreamInfo:
    """What the stream holds; raises BusDown (also when it is not there) or TimedOut."""
    answer = await _api(replies, f"STREAM.INFO.{stream.name}", b"", _Info)
    if answer.error is not None:
        raise BusDown(f"The bus keeps no {stream.name}", why=answer.error.description)
    state = answer.state
    return StreamInfo(state.first_seq, state.last_seq, answer.created, state.messages, state.bytes)


async def _api(replies: Replies, call: str, data: bytes, kind: type[_Info]) -> _Info:
    try:
        answer = await replies.one(f"$JS.API.{call}", data, _TIMEOUT, needs_link=True)
        return msgspec.json.decode(answer.data, type=kind)
    except NodeAway:
        raise BusDown("The bus keeps nothing right now", why="JetStream does not answer") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BusDown("The bus answered something else", why=str(error)) from None


async def append(
    replies: Replies, subject: str, data: bytes, timeout: float, *, id: str = "", after: int | None = None
) -> int:
    """Have a message kept; gives its position. With `after`, only if the subject's last position is that one.

    Raises BusDown (not sent, not kept, or the link was lost: try again with the same id), TimedOut (the same), or
    WrongRevision.
    """
    headers = {"Nats-Msg-Id": id} if id else {}
    if after is not None:
        headers["Nats-Expected-Last-Subject-Sequence"] = str(after)
    try:
        answer = await replies.one(subject, data, timeout, headers=headers, needs_link=True)
        ack = msgspec.json.decode(answer.data, type=_Ack)
    except NodeAway:
        raise BusDown("The bus did not keep a message", why=f"no stream takes {subject}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BusDown("The bus did not say that it kept a message", why=str(error)) from None
    if ack.error is not None:
        kind = WrongRevision if ack.error.err_code in _WRONG_LAST else BusDown
        raise kind("The bus did not keep a message", why=ack.error.description)
    return ack.seq


async def get(replies: Replies, stream: Stream, seq: int) -> Stored | None:
    """The message at a position; None when there is none."""
    return await _single(replies, stream, {"seq": seq})


async def last_of(replies: Replies, stream: Stream, subject: str) -> Stored | None:
    """The last message of one subject (no wildcards); None when there is none."""
    return await _single(replies, stream, {"last_by_subj": subject})


async def _single(replies: Replies, stream: Stream, ask: dict[str, Any]) -> Stored | None:
    try:
        answer = await replies.one(_direct(stream), msgspec.json.encode(ask), _TIMEOUT, needs_link=True)
    except NodeAway:
        raise _no_stream(stream) from None
    if answer.status == "404":
        return None
    return _stored(answer)


async def batch(replies: Replies, stream: Stream, subject: str, seq: int, count: int) -> tuple[list[Stored], bool]:
    """Up to `count` messages of `subject` (wildcards allowed) from position `seq` on, and whether there are more.

    In order, none left out: a hole in the answer is an error (TimedOut), as is an answer that does not end. Raises
    BusDown when there is no link or no such stream.
    """
    ask = {"seq": max(seq, 1), "batch": count, "max_bytes": _BATCH_BYTES, "next_by_subj": subject}
    try:
        answers = await replies.many(_direct(stream), msgspec.json.encode(ask), _TIMEOUT)
    except NodeAway:
        raise _no_stream(stream) from None
    end = answers.pop()
    if end.status == "404" and not answers:
        return [], False
    if end.status != "204":
        raise BusDown(f"The bus could not read {stream.name}", why=f"it said {end.headers.get('Description', '')!r}")
    found: list[Stored] = []
    for answer in answers:
        before = found[-1].seq if found else 0
        if answer.headers.get("Nats-Last-Sequence") != str(before):
            raise TimedOut(f"An answer of the bus about {stream.name} has a hole")
        found.append(_stored(answer))
    if end.headers.get("Nats-Last-Sequence") != str(found[-1].seq if found else 0):
        raise TimedOut(f"An answer of the bus about {stream.name} has no end")
    return found, end.headers.get("Nats-Num-Pending", "0") != "0"


async def scan(replies: Replies, stream: Stream, subject: str, seq: int = 1) -> AsyncIterator[Stored]:
    """Everything of `subject` that the stream holds from position `seq` on."""
    more = True
    while more:
        found, more = await batch(replies, stream, subject, seq, 500)
        for stored in found:
            yield stored
        if found:
            seq = found[-1].seq + 1


def _direct(stream: Stream) -> str:
    return f"$JS.API.DIRECT.GET.{stream.name}"


def _no_stream(stream: Stream) -> BusDown:
    return BusDown(f"The bus keeps no {stream.name}", why="it was not made yet, or is being made again")


def _stored(answer: Delivery) -> Stored:
    headers = answer.headers
    try:
        when = datetime.fromisoformat(headers["Nats-Time-Stamp"])
        return Stored(int(headers["Nats-Sequence"]), headers["Nats-Subject"], answer.data, int(when.timestamp() * 1000))
    except (KeyError, ValueError) as error:
        raise BusDown("The bus answered something else", why=f"{answer.status or 'headers'}: {error}") from None
