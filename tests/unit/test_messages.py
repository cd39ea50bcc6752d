"""The codec of the bus: what is written can be read, and nothing else raises anything but BadMessage."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.bus import messages
from pilothouse.bus.messages import LIMIT, VERSION, Message, decode, encode
from pilothouse.bus.subjects import TABLE
from pilothouse.errors import BadMessage

KINDS = sorted(
    (kind for kind in vars(messages).values() if isinstance(kind, type) and issubclass(kind, Message)),
    key=lambda kind: kind.__name__,
)
KINDS.remove(Message)

TEXT = st.text(max_size=20)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False, width=32)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def built(kind: Any) -> st.SearchStrategy[Any]:
    """Instances of a message type, by its annotations."""
    return st.deferred(lambda: _built(msgspec.inspect.type_info(kind)))


def _built(info: Any) -> st.SearchStrategy[Any]:
    inspect = msgspec.inspect
    simple = {
        inspect.StrType: TEXT,
        inspect.BoolType: st.booleans(),
        inspect.IntType: st.integers(-(2**53), 2**53),
        inspect.FloatType: st.floats(allow_nan=False, allow_infinity=False),
        inspect.NoneType: st.none(),
        inspect.AnyType: VALUES,
    }
    if type(info) in simple:
        return simple[type(info)]
    if isinstance(info, inspect.StructType):
        return st.builds(info.cls, **{f.name: _field(info.cls, f) for f in info.fields})
    if isinstance(info, inspect.EnumType):
        return st.sampled_from(list(info.cls))
    if isinstance(info, inspect.LiteralType):
        return st.sampled_from(info.values)
    if isinstance(info, inspect.ListType):
        return st.lists(_built(info.item_type), max_size=3)
    if isinstance(info, inspect.VarTupleType):
        return st.lists(_built(info.item_type), max_size=3).map(tuple)
    if isinstance(info, inspect.DictType):
        return st.dictionaries(TEXT, _built(info.value_type), max_size=3)
    if isinstance(info, inspect.UnionType):
        wide = any(isinstance(each, inspect.ListType) for each in info.types)  # only Value is so
        if wide:
            return VALUES
        return st.one_of(*(_built(each) for each in info.types))
    raise NotImplementedError(info)


def _field(owner: type, field: Any) -> st.SearchStrategy[Any]:
    if field.name == "v" and issubclass(owner, Message):
        return st.just(VERSION)
    return _built(field.type)


EXAMPLES = {kind: built(kind) for kind in KINDS}


def test_every_message_of_the_table_is_tested():
    """No message travels that these tests do not know."""
    travelling = {row.message for row in TABLE.values()} | {row.reply for row in TABLE.values() if row.reply}
    assert travelling <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_round_trip(kind, data):
    """Encoded and decoded is equal."""
    message = data.draw(EXAMPLES[kind])
    assert decode(kind, encode(message)) == message


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_garbage_raises_bad_message_only(kind, data):
    """Any bytes, any JSON, and any message with a part of it damaged."""
    whole = encode(data.draw(EXAMPLES[kind]))
    at = data.draw(st.integers(0, len(whole)))
    garbage = data.draw(
        st.one_of(
            st.binary(max_size=200),
            VALUES.map(msgspec.json.encode),
            st.just(whole[:at]),
            st.binary(max_size=5).map(lambda noise: whole[:at] + noise + whole[at:]),
        )
    )
    try:
        decode(kind, garbage)
    except BadMessage as error:
        said = str(error)
    else:
        said = ""  # what was damaged may still be a message
    assert len(said) < 400


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"v":' * 10_000, b"\xff\xfe", b'"\xff"', b'{"v":\xff}', b"-" * 99])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_nasty_bytes(kind, data):
    """Depth and broken UTF-8 end as BadMessage too."""
    with pytest.raises(BadMessage):
        decode(kind, data)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(newer=st.integers(VERSION + 1, 10**9), rest=st.dictionaries(TEXT, VALUES, max_size=3))
def test_newer_version_is_refused_and_says_so(kind, newer, rest):
    """Whatever else stands in it."""
    with pytest.raises(BadMessage, match=f"version {newer}") as caught:
        decode(kind, msgspec.json.encode({**rest, "v": newer}))
    assert "Update Pilothouse" in caught.value.remedy


def test_newer_version_that_would_fit_is_refused():
    """A message that reads well but says that it is newer may mean something else."""
    fits = msgspec.json.encode(messages.Held(holder="a", ttl=1.0, v=VERSION + 1))
    with pytest.raises(BadMessage, match="version"):
        decode(messages.Held, fits)


def test_unknown_fields_of_our_version_are_ignored():
    """So that a field may be added without a new version."""
    assert decode(messages.Held, b'{"v":1,"holder":"a","ttl":2.0,"new":[1]}') == messages.Held(holder="a", ttl=2.0)


def test_size_limit():
    """At the limit it passes, one byte more does not, in either direction."""
    room = LIMIT - len(encode(messages.Held(holder="", ttl=1.0)))
    largest = messages.Held(holder="x" * room, ttl=1.0)
    assert decode(messages.Held, encode(largest)) == largest
    with pytest.raises(BadMessage, match="large"):
        encode(messages.Held(holder="x" * (room + 1), ttl=1.0))
    with pytest.raises(BadMessage, match="larger"):
        decode(messages.Held, encode(largest) + b" ")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_no_such_number_travels(number):
    """JSON has no NaN and no infinity: they arrive as nothing, never as a number."""
    data = encode(messages.Happened(id="x", node="n", epoch=1, thing="t", name="e", time=0, data=number))
    assert decode(messages.Happened, data).data is None
