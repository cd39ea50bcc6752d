"""What somebody sees of a site: nothing that is hidden, under no name, in no error; and all that is not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pilothouse.bus.messages import End, Latch, Outcome
from pilothouse.errors import NotThere
from pilothouse.hub import frames
from pilothouse.hub.directory import Change
from pilothouse.hub.seen import EVERYTHING
from pilothouse.hub.site import Site
from pilothouse.model import Address, Reading
from pilothouse.rights import Deed, Place, Rights, may, parse_grants
from support.seeing import a_site, put_stand, put_things, rights

NODES = ("apple", "birch")
NAMES = {node: tuple(f"{node}_{tail}" for tail in ("kiln", "pump", "scale")) for node in NODES}
"""No name is a part of another, so that it can be looked for in any text."""
ADDRESSES = [Address(node, thing) for node in NODES for thing in NAMES[node]]
STANDS = ("north", "south")
WHERE = ["", *STANDS, *(f"{node}/*" for node in NODES), *map(str, ADDRESSES), "ghost", "apple/ghost"]

grants = st.lists(
    st.builds(lambda role, where: f"{role}@{where}" if where else role, st.sampled_from(["viewer", "operator"]),
              st.sampled_from(WHERE)), max_size=3,
)  # fmt: skip
kinds_of_rights = st.builds(
    lambda texts, through, only: Rights(parse_grants(texts), through=through, only=only),
    grants, st.sampled_from(["session", "token", "guest"]), st.sampled_from(["", "", "", *WHERE]),
)  # fmt: skip
some_things = st.sets(st.sampled_from(ADDRESSES))


def visible_of(site: Site, held: Rights) -> tuple[set[Address], set[str]]:
    """Things and stands that may be seen, one by one."""
    things = {address for address in site.directory if may(held, Deed.SEE, site.place(address))}
    stands = {view.stand for view in site.stands.views() if may(held, Deed.SEE, Place.of_stand(view.stand))}
    return things, stands


def hidden_names(site: Site, held: Rights) -> set[str]:
    """Names that must not be told: of things, nodes and stands; also of those that are not there (any more)."""
    if held.sees_all:
        return set()
    things, stands = visible_of(site, held)
    told = {name for stand in stands for thing in site.stands.view(stand).things for name in thing.split("/")}
    seen = {name for address in things for name in address} | stands | told
    return {*NODES, *STANDS, *(address.thing for address in ADDRESSES)} - seen


def told_of(site: Site, wanted: frozenset[Address] | None, everything: frames.Gathered, held: Rights) -> str:
    """All that a page, an answer or the live stream could take from it, as one text."""
    seen = site.seen_by(held)
    sight = site.seeing.by(held).sight
    directory = seen.directory
    change = everything.frame(directory, wanted, now=1, sight=sight)
    snapshot = frames.snapshot(directory, sight.wanted(wanted), seen.hub_status(), seen.stands.views())
    parts: list[Any] = [
        directory.nodes(), directory.things(), list(directory), seen.stands.views(), change,
        [directory.things(node.node) for node in directory.nodes()],
        [directory.lanes(node.node) for node in directory.nodes()],
        [directory.description(address) for address in directory],
        [[view.things for view in seen.stands.of(address)] for address in directory],
    ]  # fmt: skip
    return msgspec.json.encode(parts).decode() + snapshot.decode()


def everything_changed(site: Site) -> frames.Gathered:
    """A moment in which all there is changed."""
    gathered = frames.Gathered()
    for address in site.directory:
        gathered.add(Change(readings=[(address.node, Reading(address.thing, "x", 5, 1.5))]))
        gathered.add(Change(things={address}, described=True))
        gathered.end(
            Outcome(id="id-00000001", node=address.node, epoch=1, thing=address.thing, name="x", end=End.FAILED)
        )
    nodes = {view.node for view in site.directory.nodes()}
    gathered.add(Change(nodes=nodes, lanes=nodes))
    gathered.stands = {view.stand: view for view in site.stands.views()}
    gathered.hub = site.hub_status()
    return gathered


class Changing(RuleBasedStateMachine):
    """Things come and go, stands change, and somebody looks: always as if the hidden were not there."""

    def __init__(self) -> None:
        super().__init__()
        self.site = a_site()
        self.held: list[Rights] = [rights("viewer@north"), rights("viewer@apple/*", "operator@birch/birch_pump")]

    @rule(node=st.sampled_from(NODES), data=st.data())
    def node_says(self, node: str, data: st.DataObject) -> None:
        """A node starts anew with other things."""
        put_things(self.site, node, data.draw(st.sets(st.sampled_from(NAMES[node]))))

    @rule(stand=st.sampled_from(STANDS), things=some_things)
    def stand_changes(self, stand: str, things: set[Address]) -> None:
        """Other things belong to a stand now, or it is gone."""
        put_stand(self.site, stand, things)

    @rule(held=kinds_of_rights)
    def somebody_comes(self, held: Rights) -> None:
        """With rights of their own."""
        self.held = [*self.held[-3:], held]

    @rule(wanted=st.none() | st.frozensets(st.sampled_from(ADDRESSES)))
    def all_look(self, wanted: frozenset[Address] | None) -> None:
        """Nothing hidden is told, and everything visible is."""
        gathered = everything_changed(self.site)
        for held in self.held:
            told = told_of(self.site, wanted, gathered, held)
            assert [name for name in hidden_names(self.site, held) if name in told] == []

    @invariant()
    def they_see_what_they_may(self) -> None:
        """Exactly, also after what was kept for them has become old."""
        for held in self.held:
            seen = self.site.seen_by(held)
            things, stands = visible_of(self.site, held)
            assert set(seen.directory) == things
            assert {view.node for view in seen.directory.nodes()} == {address.node for address in things} or (
                held.sees_all
            )
            assert {view.stand for view in seen.stands.views()} == stands

    @rule(address=st.sampled_from(ADDRESSES), stand=st.sampled_from(STANDS))
    def somebody_guesses(self, address: Address, stand: str) -> None:
        """What is hidden is refused in the words for what was never there, and no hidden name is the nearest."""
        for held in self.held:
            things, stands = visible_of(self.site, held)
            if held.sees_all:
                continue
            seen, alone = self.site.seen_by(held), a_site()
            for node in {each.node for each in things}:
                put_things(alone, node, [each.thing for each in things if each.node == node])
            if address not in things:
                assert refused(seen, address) == refused(alone, address)
            if stand not in stands:
                with pytest.raises(NotThere) as caught:
                    seen.stands.view(stand)
                assert caught.value.nearest in {"", *stands} and not caught.value.why


def refused(site: Site, address: Address) -> tuple[str, str]:
    """What is said when a thing is asked for that is not there."""
    with pytest.raises(NotThere) as caught:
        site.directory.thing(address)
    return str(caught.value), caught.value.nearest


TestChanging = Changing.TestCase
TestChanging.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)


def a_bench() -> Site:
    """Two nodes, and a stand with a thing of each."""
    site = a_site()
    for node in NODES:
        put_things(site, node, NAMES[node])
    put_stand(site, "north", [Address("apple", "apple_kiln"), Address("birch", "birch_pump")])
    put_stand(site, "south", [Address("apple", "apple_kiln"), Address("apple", "apple_scale")])
    return site


def test_somebody_who_sees_a_stand_sees_its_things_with_their_nodes_and_lanes() -> None:
    """And of the lane that these share with others only that one more waits there."""
    site = a_bench()
    seen = site.seen_by(rights("viewer@north"))
    assert [str(address) for address in seen.directory] == ["apple/apple_kiln", "birch/birch_pump"]
    assert [(view.node, view.things, view.notes) for view in seen.directory.nodes()] == [
        ("apple", ["apple_kiln"], []), ("birch", ["birch_pump"], []),
    ]  # fmt: skip
    lanes = seen.directory.lanes("birch")
    assert lanes is not None and lanes.lanes[0].things == ("birch_pump",)
    assert (lanes.lanes[0].running, [call.thing for call in lanes.lanes[0].waiting], lanes.lanes[0].more) == (
        None, ["birch_pump"], 1,
    )  # fmt: skip


def test_who_holds_a_hidden_stand_is_told_to_whoever_may_switch_a_thing_of_it() -> None:
    """It stands against their commands; what else belongs to it is not told."""
    seen = a_bench().seen_by(rights("operator@apple/apple_kiln"))
    views = seen.stands.of(Address("apple", "apple_kiln"))
    assert [(view.stand, view.things, view.doc) for view in views] == [
        ("north", ["apple/apple_kiln"], ""), ("south", ["apple/apple_kiln"], ""),
    ]  # fmt: skip
    assert seen.stands.views() == []


def test_rights_at_a_hidden_stand_still_count() -> None:
    """A token for one thing of a stand, of somebody who may use the stand."""
    held = rights("operator@north", through="token", only="apple/apple_kiln")
    seen = a_bench().seen_by(held)
    assert [str(address) for address in seen.directory] == ["apple/apple_kiln"] and seen.stands.views() == []
    assert may(held, Deed.OPERATE, seen.place(Address("apple", "apple_kiln")))


def test_administrators_see_the_site_itself() -> None:
    """Whoever else sees all sees all but who logged in."""
    site = a_bench()
    assert site.seen_by(rights("admin")) is site
    seen = site.seen_by(rights("viewer"))
    assert seen.directory is site.directory and seen.stands is site.stands and seen.history is site.history
    assert seen.ledger is not site.ledger


def test_what_is_seen_is_kept_while_nothing_changes() -> None:
    """Readings and leases change nothing about it; a thing that comes, or that joins a stand, does."""
    site, held = a_bench(), rights("viewer@north")
    kept = site.seeing.by(held)
    put_stand(site, "north", [Address("apple", "apple_kiln"), Address("birch", "birch_pump")])
    assert site.seeing.by(held) is kept
    put_stand(site, "north", [Address("apple", "apple_kiln")])
    changed = site.seeing.by(held)
    assert changed is not kept and changed.sight != kept.sight
    put_things(site, "birch", ["birch_kiln"])
    assert site.seeing.by(held) is not changed and site.seeing.by(held).sight == changed.sight


def test_only_so_many_kinds_of_rights_are_kept() -> None:
    """The one that was asked for longest ago goes."""
    site = a_bench()
    first = site.seeing.by(rights("viewer@north"))
    for number in range(63):
        site.seeing.by(rights(f"viewer@stand{number}"))
        assert site.seeing.by(rights("viewer@north")) is first
    for number in range(64):
        site.seeing.by(rights(f"viewer@stand{number}"))
    assert site.seeing.by(rights("viewer@north")) is not first


@pytest.mark.parametrize(
    ("held", "processes", "stops"),
    [
        (rights("admin"), True, True),
        (rights("viewer@north"), True, True),
        (rights("viewer@north", through="guest", only="north"), False, True),
        (rights("viewer", through="guest"), False, True),
        (rights(), False, False),
    ],
)
def test_guests_are_told_of_stops_and_not_of_processes(held: Rights, processes: bool, stops: bool) -> None:
    """Whoever has no rights at all learns of neither."""
    site = a_bench()
    site.holding.press(Latch(id="stop-0001", kind="hard", time=1, who="bob", origin="page"))
    site.link_up = True
    up = {"processes": {"hub": {"state": "runs"}}}
    site.up_status = lambda: up  # type: ignore[method-assign]
    status = site.seeing.by(held).sight.hub_status(site.hub_status())
    assert status["link"] is True
    assert (bool(status["processes"]), bool(status["stops"])) == (processes, stops)


def test_the_status_of_up_is_empty_for_guests(tmp_path) -> None:
    """Pages ask for it by themselves."""
    site = a_bench()
    site.places = type(site.places)(tmp_path)
    site.places.up_status.parent.mkdir(parents=True)
    site.places.up_status.write_text('{"processes": {"hub": {}}}')
    assert site.seen_by(rights("viewer@north")).up_status() and site.up_status()
    guest = site.seen_by(rights("viewer@north", through="guest"))
    assert guest.up_status() == {} and guest.hub_status()["processes"] == {}


@given(wanted=st.none() | st.frozensets(st.sampled_from(ADDRESSES)), things=some_things)
def test_a_sight_narrows_every_question(wanted: frozenset[Address] | None, things: set[Address]) -> None:
    """Never to more than is seen, never to less than is both seen and wanted."""
    sight = EVERYTHING._replace(things=frozenset(things))
    found = sight.wanted(wanted)
    assert found is not None and found == (things if wanted is None else things & wanted)
    assert EVERYTHING.wanted(wanted) == wanted
