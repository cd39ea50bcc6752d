"""Frames of the live stream: the newest of everything, to those who want it."""

from __future__ import annotations

import msgspec

from pilothouse.bus.messages import Described, End, Lanes, Outcome
from pilothouse.hub import frames
from pilothouse.hub.directory import Change, Directory
from pilothouse.hub.seen import EVERYTHING
from pilothouse.hub.stand_view import StandView
from pilothouse.model import Address, PropertyDescription, Reading, ThingDescription

A, B = Address("pi", "a"), Address("pi", "b")


def directory() -> Directory:
    """Two things on one node."""
    made = Directory()
    for name in ("a", "b"):
        properties = {"x": PropertyDescription(name="x", schema={"type": "number"})}
        thing = ThingDescription(node="pi", name=name, properties=properties)
        made.described(Described(node="pi", epoch=1, thing=name, description=thing))
    return made


def reading(thing: str, value: float, time: int = 5) -> tuple[str, Reading]:
    """A reading of x."""
    return "pi", Reading(thing, "x", time, value)


def test_only_the_newest_reading_of_a_property_is_told() -> None:
    """However many came meanwhile."""
    gathered = frames.Gathered()
    for value in range(100):
        gathered.add(Change(readings=[reading("a", float(value), value)]))
    frame = gathered.frame(directory(), None, now=1)
    assert frame is not None and frame.values == [("pi", "a", "x", 99, 99.0, "good")]


def test_a_filter_lets_through_what_is_wanted() -> None:
    """Nodes are for everybody; nothing at all is no frame."""
    gathered = frames.Gathered()
    gathered.add(Change(readings=[reading("a", 1.0), reading("b", 2.0)], things={A}))
    frame = gathered.frame(directory(), frozenset({B}), now=1)
    assert frame is not None and [row[1] for row in frame.values] == ["b"] and frame.things == []
    assert gathered.frame(directory(), frozenset({Address("pi", "c")}), now=1) is None
    gathered.add(Change(nodes={"pi"}))
    frame = gathered.frame(directory(), frozenset({Address("pi", "c")}), now=1)
    assert frame is not None and [node.node for node in frame.nodes] == ["pi"]


def test_members_are_there_only_when_there_is_something_in_them() -> None:
    """Except the time."""
    gathered = frames.Gathered()
    assert not gathered
    gathered.end(Outcome(id="id-00000001", node="pi", epoch=1, thing="a", name="x", end=End.FAILED, detail="no"))
    frame = gathered.frame(directory(), None, now=7)
    assert gathered and msgspec.to_builtins(frame) == {
        "time": 7,
        "ended": [{"id": "id-00000001", "node": "pi", "thing": "a", "name": "x", "end": "failed", "detail": "no"}],
    }


def test_what_was_described_is_told_to_those_who_see_it() -> None:
    """Whoever sees all is told also that a thing is gone; others start anew then."""
    sight = EVERYTHING._replace(things=frozenset({A}))
    for change, told in ((Change(things={A}, described=True), True), (Change(things={B}, described=True), False),
                         (Change(nodes={"pi"}, described=True), False)):  # fmt: skip
        gathered = frames.Gathered()
        gathered.add(change)
        frame = gathered.frame(directory(), None, now=1)
        assert frame is not None and frame.described
        narrow = gathered.frame(directory(), None, now=1, sight=sight)
        assert (narrow is not None and narrow.described) is told


def test_a_thing_that_went_meanwhile_is_left_out() -> None:
    """It was changed and then removed within one frame."""
    gathered = frames.Gathered()
    gathered.add(Change(things={A, Address("pi", "gone")}, described=True))
    frame = gathered.frame(directory(), None, now=1)
    assert frame is not None and [thing.thing for thing in frame.things] == ["a"] and frame.described


def test_a_snapshot_is_json_with_its_time_first() -> None:
    """As an event on lines of its own."""
    data = frames.timed(42, frames.snapshot(directory(), frozenset({A}), {"link": True, "processes": {}}))
    decoded = msgspec.json.decode(data)
    assert decoded["time"] == 42 and [thing["thing"] for thing in decoded["things"]] == ["a"]
    event = frames.event("snapshot", 3, data)
    assert event.startswith(b"id: 3\nevent: snapshot\ndata: {") and event.endswith(b"}\n\n") and event.count(b"\n") == 4


def test_stands_are_for_everybody_and_lanes_for_who_watches_their_node() -> None:
    """In a change and in a snapshot."""
    known = directory()
    lanes = Lanes(node="pi", epoch=1, time=5, lanes=())
    stand = StandView(stand="bench", title="Bench", things=["pi/a"], length=60.0, holder="ada")
    gathered = frames.Gathered()
    gathered.add(known.told_lanes(lanes))
    gathered.stands["bench"] = stand
    for wanted, told in ((None, [lanes]), (frozenset({A}), [lanes]), (frozenset({Address("pu", "a")}), [])):
        frame = gathered.frame(known, wanted, now=1)
        assert frame is not None and frame.lanes == told and frame.stands == [stand]
        snapshot = msgspec.json.decode(frames.snapshot(known, wanted, {"link": True}, [stand]))
        assert len(snapshot["lanes"]) == len(told) and snapshot["stands"][0]["holder"] == "ada"
