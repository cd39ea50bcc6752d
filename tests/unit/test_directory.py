"""The directory: any order of messages ends in the same state, and what is old never wins."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.bus.messages import (
    Batch,
    Call,
    Described,
    End,
    Lanes,
    LaneView,
    Latch,
    Message,
    Outcome,
    Presence,
    State,
)
from pilothouse.errors import NotThere
from pilothouse.hub.directory import Change, Directory, NodeLife
from pilothouse.model import (
    Address,
    Bar,
    Health,
    PropertyDescription,
    PropertyState,
    Quality,
    Reading,
    ThingDescription,
)

BENCH = Address("pi", "bench")
T0 = 1_795_000_000_000


def description(title: str = "Bench", thing: str = "bench") -> ThingDescription:
    """A thing with two properties."""
    properties = {name: PropertyDescription(name=name, schema={"type": "number"}) for name in ("x", "y")}
    return ThingDescription(node="pi", name=thing, title=title, properties=properties)


def presence(epoch: int = 1, mono: int = 10_000, **more: object) -> Presence:
    """Node "pi" is there, with things bench and pump."""
    fields = {"version": "1", "time": T0 + mono, "things": ("bench", "pump")} | more
    return Presence(node="pi", epoch=epoch, mono=mono, **fields)  # type: ignore[arg-type]


def described(epoch: int = 1, thing: str = "bench") -> Described:
    """What a thing is in that epoch."""
    return Described(node="pi", epoch=epoch, thing=thing, description=description(f"Bench {epoch}", thing))


def state(epoch: int, number: int, seq: int, x: float, *, ok: bool = True, wish: float | None = None) -> State:
    """A state of the bench."""
    properties = {
        "x": PropertyState(
            value=x,
            time=T0 + seq,
            wish=wish,
            wish_time=T0 if wish is not None else 0,
            accepted=wish,
            accepted_time=T0 + number if wish is not None else 0,
            differs_since=T0 + number if wish is not None else 0,
        ),
        "y": PropertyState(value=-x, time=T0 + seq),
    }
    health = Health(ok=ok, error="" if ok else "broken")
    bars = {} if ok else {"x": Bar(rule="interlock", text=f"state {number}")}
    about = {"node": "pi", "epoch": epoch, "thing": "bench", "number": number, "seq": seq, "time": T0}
    return State(**about, health=health, properties=properties, bars=bars)  # type: ignore[arg-type]


def lanes(epoch: int, time: int, *running: str) -> Lanes:
    """What runs on the node's one lane."""
    calls = [Call(thing="bench", label=label, since=T0) for label in running]
    views = tuple(LaneView(name="serial", things=("bench",), running=call) for call in calls)
    return Lanes(node="pi", epoch=epoch, time=time, lanes=views)


def latch(id: str = "stop-0001") -> Latch:
    """A stop."""
    return Latch(id=id, kind="hard", time=T0, who="ada", origin="page")


def batch(epoch: int, seq: int, x: float, *, time: int | None = None) -> Batch:
    """Readings of the bench."""
    readings = [Reading("bench", "x", T0 + seq if time is None else time, x), Reading("bench", "nobody", T0, 1)]
    return Batch(node="pi", epoch=epoch, seq=seq, readings=readings)


def feed(directory: Directory, message: Message, *, now: int = T0, mono: int = 0) -> Change:
    """Give a message to a directory."""
    if isinstance(message, Presence):
        return directory.presence(message, now=now, mono=mono)
    if isinstance(message, Described):
        return directory.described(message)
    if isinstance(message, State):
        return directory.state(message)
    if isinstance(message, Lanes):
        return directory.told_lanes(message)
    assert isinstance(message, Batch)
    return directory.batch(message)


OLD: list[Message] = [
    presence(1, 10_000),
    described(1),
    described(1, "gone"),
    state(1, 1, 1, 100.0, ok=False, wish=1.0),
    batch(1, 2, 101.0),
    state(1, 9, 9, 102.0, wish=2.0),
    batch(1, 50, 103.0, time=T0 + 10**9),
    lanes(1, T0 + 10**9, "writing x"),
    presence(1, 11_000, stops=(latch(),)),
]
NEW: list[Message] = [
    presence(2, 20_000),
    described(2),
    described(2, "pump"),
    batch(2, 1, 1.0),
    state(2, 1, 2, 2.0, ok=False),
    batch(2, 2, 2.0),
    state(2, 2, 3, 3.0, wish=7.0),
]
"""All of a run of the agent; its last state covers every batch."""


def picture(directory: Directory) -> bytes:
    """All that a directory shows."""
    told = [directory.nodes(), directory.things(), directory.description(BENCH), directory.lanes("pi")]
    return msgspec.json.encode(told)


def _expected() -> bytes:
    directory = Directory()
    for message in NEW:
        feed(directory, message)
    return picture(directory)


@given(st.data())
def test_any_order_with_doubles_and_old_ones_ends_in_the_same_state(data: st.DataObject) -> None:
    """Everything of the newest run at least once, anything of the run before, in any order."""
    extra = data.draw(st.lists(st.sampled_from(OLD + NEW), max_size=20))
    directory = Directory()
    for message in data.draw(st.permutations(NEW + extra)):
        feed(directory, message)
    assert picture(directory) == _expected()


@given(st.permutations(OLD))
def test_after_a_new_run_nothing_of_the_old_one_changes_anything(old: list[Message]) -> None:
    """Not one message of a lower epoch is a change."""
    directory = Directory()
    for message in NEW:
        feed(directory, message)
    before = picture(directory)
    for message in old:
        assert feed(directory, message) == Change()
    assert picture(directory) == before


def test_a_reading_of_a_clock_that_went_back_is_the_newest_all_the_same() -> None:
    """The order is that of the run, not of the wall clock: a jump of a day must not freeze the page."""
    directory = Directory()
    for message in NEW:
        feed(directory, message)
    change = feed(directory, batch(2, 4, 5.0, time=T0 - 86_400_000))
    assert [reading.value for _, reading in change.readings] == [5.0]
    assert directory.property(BENCH, "x")[1].value == 5.0


def test_what_comes_late_does_not_replace_what_is_newer() -> None:
    """As batches that were kept while the link was down."""
    directory = Directory()
    for message in NEW:
        feed(directory, message)
    late = Batch(node="pi", epoch=2, seq=2, readings=[Reading("bench", "x", T0, 99.0)], late=True)
    assert feed(directory, late) == Change()


def test_gaps_are_for_the_record() -> None:
    """Here they would blank a value."""
    directory = Directory()
    for message in NEW:
        feed(directory, message)
    gap = Batch(node="pi", epoch=2, seq=9, readings=[Reading("bench", "x", T0, None, Quality.GAP)])
    assert feed(directory, gap) == Change()


def test_silence_is_away_and_a_word_is_here_again() -> None:
    """5 s; since when is told."""
    directory = Directory()
    directory.presence(presence(), now=T0 + 10_000, mono=0)
    assert directory.tick(now=T0 + 14_000, mono=5000) == Change()
    assert directory.tick(now=T0 + 15_001, mono=5001).nodes == {"pi"}
    assert directory.node("pi").life is NodeLife.AWAY and directory.node("pi").since == T0 + 15_001
    change = directory.presence(presence(mono=18_000), now=T0 + 18_000, mono=8000)
    assert change.nodes == {"pi"} and directory.node("pi").life is NodeLife.HERE


def test_a_leaving_node_has_left_and_its_earlier_words_do_not_bring_it_back() -> None:
    """A presence from before the farewell may come after it."""
    directory = Directory()
    directory.presence(presence(mono=10_000), now=T0 + 10_000, mono=0)
    directory.presence(presence(mono=12_000, state="leaving"), now=T0 + 12_000, mono=2000)
    assert directory.presence(presence(mono=11_000), now=T0 + 12_000, mono=2000) == Change()
    assert directory.node("pi").life is NodeLife.LEFT


def test_a_presence_that_the_bus_kept_of_a_dead_node_does_not_revive_it() -> None:
    """A hub that starts an hour later shows it away, since then."""
    directory = Directory()
    directory.presence(presence(), now=T0 + 10_000 + 3_600_000, mono=0)
    view = directory.node("pi")
    assert view.life is NodeLife.AWAY and view.last_seen == T0 + 10_000


def test_a_hub_that_was_away_itself_blames_nobody() -> None:
    """Their silence counts from now on."""
    directory = Directory()
    directory.presence(presence(), now=T0 + 10_000, mono=0)
    directory.hiccup(60_000)
    assert directory.tick(now=T0 + 70_000, mono=60_100) == Change()
    assert directory.tick(now=T0 + 76_000, mono=65_100).nodes == {"pi"}


def test_things_that_a_node_has_no_longer_go() -> None:
    """Also those that only the record knew."""
    directory = Directory()
    directory.remember(description(thing="gone"), {"x": PropertyState(value=1.0, time=T0)}, last_seen=T0)
    directory.remember(description(), {}, last_seen=T0)
    assert directory.node("pi").life is NodeLife.AWAY and directory.node("pi").last_seen == T0
    change = directory.presence(presence(), now=T0 + 10_000, mono=0)
    assert change.described and list(directory) == [BENCH]


def test_what_is_remembered_is_shown_until_the_bus_says_otherwise() -> None:
    """Values of the record yield to any state."""
    directory = Directory()
    directory.remember(description(), {"x": PropertyState(value=1.0, time=T0 + 10**9)}, last_seen=T0)
    assert directory.property(BENCH, "x")[1].value == 1.0
    feed(directory, described())
    feed(directory, state(1, 1, 1, 8.0))
    assert directory.property(BENCH, "x")[1].value == 8.0


def test_what_is_not_there_names_the_nearest() -> None:
    """Node, thing, property."""
    directory = Directory()
    feed(directory, described())
    for ask, nearest in (
        (lambda: directory.node("pii"), "pi"),
        (lambda: directory.thing(Address("pi", "bensh")), "bench"),
        (lambda: directory.property(BENCH, "xx"), "x"),
    ):
        with pytest.raises(NotThere) as caught:
            ask()
        assert caught.value.nearest == nearest


def test_a_deadline_is_in_the_nodes_own_clock() -> None:
    """Epoch, and the node's monotonic time at which it is too late."""
    directory = Directory()
    directory.presence(presence(3, mono=500_000), now=T0 + 500_000, mono=1000)
    assert directory.deadline("pi", 5.0, mono=2000) == (3, 500_000 + 1000 + 5000)


def test_wish_and_acceptance_come_from_the_state_and_the_value_from_the_newer_of_both() -> None:
    """A batch and a confirmation change the reading only; a state that is older than a batch brings all but it."""
    directory = Directory()
    for message in (presence(), described(), state(1, 1, 1, 5.0, wish=7.0)):
        feed(directory, message)
    feed(directory, batch(1, 3, 6.0))
    known = directory.property(BENCH, "x")[1]
    assert (known.value, known.time, known.wish, known.accepted) == (6.0, T0 + 3, 7.0, 7.0)
    assert (known.accepted_time, known.differs_since) == (T0 + 1, T0 + 1)
    feed(directory, state(1, 2, 2, 5.0, wish=8.0))
    known = directory.property(BENCH, "x")[1]
    assert (known.value, known.time, known.wish, known.accepted) == (6.0, T0 + 3, 8.0, 8.0)
    assert (known.accepted_time, known.differs_since) == (T0 + 2, T0 + 2)
    done = Outcome(id="id-0000001", node="pi", epoch=1, thing="bench", name="x", end=End.CONFIRMED, value=9.0, ended=T0)
    directory.confirmed(done)
    known = directory.property(BENCH, "x")[1]
    assert (known.value, known.wish, known.accepted, known.differs_since) == (9.0, 8.0, 8.0, T0 + 2)


def test_a_bar_is_shown_with_its_thing_until_a_state_lifts_it() -> None:
    """And is a change of the thing."""
    directory = Directory()
    for message in (presence(), described(), state(1, 1, 1, 5.0)):
        feed(directory, message)
    barred = msgspec.structs.replace(state(1, 2, 1, 5.0), bars={"x": Bar(rule="min-off", text="it rests")})
    assert feed(directory, barred).things == {BENCH}
    assert directory.thing(BENCH).bars["x"].text == "it rests"
    assert feed(directory, msgspec.structs.replace(barred, number=3)) == Change()
    assert feed(directory, state(1, 4, 1, 5.0)).things == {BENCH} and directory.thing(BENCH).bars == {}


def test_lanes_are_those_of_this_run_of_the_node() -> None:
    """What an earlier run said of them is gone with it."""
    directory = Directory()
    feed(directory, presence(1))
    assert directory.lanes("pi") is None
    assert feed(directory, lanes(1, T0, "writing x")).lanes == {"pi"}
    feed(directory, presence(2, 20_000))
    assert directory.lanes("pi") is None
    assert feed(directory, lanes(1, T0 + 5, "writing x")) == Change() and directory.lanes("pi") is None
    assert feed(directory, lanes(2, T0)).lanes == {"pi"}
    found = directory.lanes("pi")
    assert found is not None and found.lanes == ()
    with pytest.raises(NotThere):
        directory.lanes("pu")


def test_the_stops_that_a_node_obeys_are_in_its_view() -> None:
    """A new one is a change; the same ones again are none."""
    directory = Directory()
    feed(directory, presence(1, 10_000))
    assert feed(directory, presence(1, 12_000, stops=(latch(),))).nodes == {"pi"}
    assert directory.node("pi").stops == [latch()]
    assert feed(directory, presence(1, 14_000, stops=(latch(),))) == Change()
    assert feed(directory, presence(1, 16_000)).nodes == {"pi"} and directory.node("pi").stops == []
