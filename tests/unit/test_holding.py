"""Which stops hold: any order of messages ends in the same, and hubs and nodes that hear one another agree."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pilothouse.bus.messages import Latch
from pilothouse.hub.holding import MOST, Holding

T0 = 1_795_000_000_000


def latch(number: int) -> Latch:
    """A stop; a higher number is younger."""
    return Latch(id=f"stop-{number:04}", kind="hard", time=T0 + number, who="ada", origin="page")


Heard = tuple[str, int]


def hear(holding: Holding, heard: Sequence[Heard]) -> None:
    """Presses and lifts."""
    for what, number in heard:
        if what == "press":
            holding.press(latch(number))
        else:
            holding.lift([latch(number).id])


HEARD = st.lists(st.tuples(st.sampled_from(["press", "lift"]), st.integers(0, 5)), max_size=20)


@given(HEARD, st.randoms())
def test_any_order_with_doubles_ends_in_the_same(heard: list[Heard], random: object) -> None:
    """What was pressed and not lifted, oldest first."""
    mixed = [*heard, *heard]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    holding = Holding()
    hear(holding, mixed)
    numbers = {number for what, number in heard if what == "press"} - {n for what, n in heard if what == "lift"}
    assert holding.latches == tuple(latch(number) for number in sorted(numbers))


def test_what_a_node_must_be_told() -> None:
    """What it lacks and what it holds too long; nothing when it obeys."""
    holding = Holding()
    hear(holding, [("press", 1), ("press", 2), ("lift", 1)])
    told = holding.tell({"good": [latch(2)], "late": [latch(1)], "new": []})
    assert set(told) == {"late", "new"}
    assert told["late"].press == told["new"].press == (latch(2),)
    assert told["late"].lift == ("stop-0001",) and told["new"].lift == ()
    assert holding.missing({"good": [latch(2)], "late": [latch(1)]}) == ["late"]


def test_a_stop_that_nobody_told_of_is_unknown() -> None:
    """Neither held nor lifted here; it is asked for, once however many nodes hold it."""
    holding = Holding()
    hear(holding, [("press", 1), ("lift", 2)])
    nodes = {"a": [latch(1), latch(2), latch(3)], "b": [latch(3)]}
    assert holding.unknown(nodes) == [latch(3)]
    assert holding.knows("stop-0002") and not holding.knows("stop-0003")


def test_too_many_are_the_oldest() -> None:
    """However they came."""
    holding = Holding()
    for number in reversed(range(MOST + 3)):
        holding.press(latch(number))
    assert holding.too_many() == [latch(number).id for number in range(3)]


def test_lifted_stops_are_not_remembered_without_end() -> None:
    """The record knows the old ones."""
    holding = Holding()
    holding.lift([f"stop-{number}" for number in range(5000)])
    assert not holding.knows("stop-0") and holding.knows("stop-4999")


class SiteOfStops(RuleBasedStateMachine):
    """Two hubs and three nodes over a bus that loses what it likes; hubs share a record."""

    def __init__(self) -> None:
        super().__init__()
        self.hubs = [Holding(), Holding()]
        self.nodes: dict[str, dict[str, Latch]] = {name: {} for name in ("a", "b", "c")}
        self.pressed: dict[str, Latch] = {}
        self.lifted: set[str] = set()

    @initialize()
    def begin(self) -> None:
        """Nothing holds."""

    @rule(hub=st.integers(0, 1), number=st.integers(0, 9), reach=st.sets(st.sampled_from(["a", "b", "c", 0, 1])))
    def press(self, hub: int, number: int, reach: set[str | int]) -> None:
        """Somebody presses; some hear it."""
        if latch(number).id in self.lifted:
            return
        self.pressed[latch(number).id] = latch(number)
        self.hubs[hub].press(latch(number))
        for one in reach:
            self._press_at(one, latch(number))

    def _press_at(self, one: str | int, stop: Latch) -> None:
        if isinstance(one, int):
            self.hubs[one].press(stop)
        else:
            self.nodes[one][stop.id] = stop

    @rule(number=st.integers(0, 9), node=st.sampled_from(["a", "b", "c"]))
    def press_at_a_node(self, number: int, node: str) -> None:
        """By other means: no hub hears it."""
        if latch(number).id not in self.lifted:
            self.pressed[latch(number).id] = latch(number)
            self.nodes[node][latch(number).id] = latch(number)

    @rule(hub=st.integers(0, 1), reach=st.sets(st.sampled_from(["a", "b", "c", 0, 1])))
    def lift(self, hub: int, reach: set[str | int]) -> None:
        """Somebody lifts all that this hub knows; it is in the record before it is told."""
        ids = [stop.id for stop in self.hubs[hub].latches]
        self.lifted |= set(ids)
        self.hubs[hub].lift(ids)
        for one in reach:
            if isinstance(one, int):
                self.hubs[one].lift(ids)
            else:
                for id in ids:
                    self.nodes[one].pop(id, None)

    @rule(hub=st.integers(0, 1))
    def forget(self, hub: int) -> None:
        """A hub starts anew, from the record."""
        self.hubs[hub] = Holding()

    @invariant()
    def nothing_lifted_holds_in_who_was_told(self) -> None:
        """A hub that knows of a lift never holds it again."""
        for hub in self.hubs:
            assert not [stop for stop in hub.latches if hub.press(stop)]

    def teardown(self) -> None:
        """When messages get through again, all agree within a few rounds."""
        for _ in range(3):
            for hub in self.hubs:
                self._reconcile(hub)
        held = {id for id in self.pressed if id not in self.lifted}
        for node, stops in self.nodes.items():
            assert stops.keys() == held, node
        for hub in self.hubs:
            assert {stop.id for stop in hub.latches} == held

    def _reconcile(self, hub: Holding) -> None:
        """As hub.obeying does it, with a record that knows every press and lift."""
        for stop in self.pressed.values():
            if stop.id not in self.lifted:
                hub.press(stop)
        nodes = {name: list(stops.values()) for name, stops in self.nodes.items()}
        asked = {stop.id for stop in hub.unknown(nodes)} | {stop.id for stop in hub.latches}
        hub.lift(sorted(asked & self.lifted))
        for stop in hub.unknown(nodes):
            hub.press(stop)
        for name, tell in hub.tell(nodes).items():
            for stop in tell.press:
                self.nodes[name][stop.id] = stop
            for id in tell.lift:
                self.nodes[name].pop(id, None)


TestSiteOfStops = SiteOfStops.TestCase
