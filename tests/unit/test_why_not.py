"""Why not: all that stands against a command, in one list for whoever asks."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from pilothouse.bus.messages import Described, Latch, Presence, State
from pilothouse.errors import NotThere
from pilothouse.hub.directory import Directory
from pilothouse.hub.stand_view import StandView
from pilothouse.hub.why_not import why_not
from pilothouse.model import (
    ActionDescription,
    Address,
    Bar,
    Health,
    PropertyDescription,
    ThingDescription,
)
from pilothouse.rights import Place
from pilothouse.testing import FakeClock
from support import made_up

NOON = int(datetime(2026, 11, 21, 12, 0).timestamp() * 1000)  # noqa: DTZ001 - sentences tell local time
ADA = made_up.allowed("ada")
BATH = Address("pi", "bath")
LATCH = Latch(id="s1", kind="hard", time=NOON - 60_000, who="eve", origin="page", reason="smoke.")
STAND = StandView(
    stand="bench", title="Bench", things=["pi/bath"], length=1800, holder="bob", until=NOON + 60_000, required=True
)
BAR = Bar(rule="interlock", text="interlock of bath.heater: pump is off", remedy="Turn the pump on", until=5)


def site(*, bars: dict[str, Bar] | None = None, stands: tuple[StandView, ...] = (), **more: Any) -> Any:
    """What a hub knows of one thing with an output, a reading and an action."""
    clock = FakeClock(now=NOON)
    directory = Directory()
    stops = more.pop("node_stops", ())
    presence = Presence(
        node="pi",
        epoch=1,
        version="1",
        time=NOON + more.pop("ahead", 0),
        mono=1,
        things=("bath",),
        stops=stops,
        state=more.pop("life", "here"),
    )
    directory.presence(presence, now=NOON, mono=clock.mono())
    description = ThingDescription(
        node="pi",
        name="bath",
        properties={
            "heater": PropertyDescription(name="heater", schema={"type": "boolean"}, writable=True),
            "level": PropertyDescription(name="level", schema={"type": "number"}),
        },
        actions={"fill": ActionDescription(name="fill")},
    )
    directory.described(Described(node="pi", epoch=1, thing="bath", description=description))
    state = State(
        node="pi", epoch=1, thing="bath", number=1, time=NOON, health=Health(), properties={}, bars=bars or {}
    )
    directory.state(state)
    return SimpleNamespace(
        place=lambda address: Place(address, frozenset(stand.stand for stand in stands if stand.has(address))),
        clock=clock,
        directory=directory,
        link_up=more.pop("link_up", True),
        holding=SimpleNamespace(latches=more.pop("latches", ())),
        stands=SimpleNamespace(
            of=lambda address: [stand for stand in stands if stand.has(address)], views=lambda: list(stands)
        ),
    )


def test_nothing_against_it_is_an_empty_list() -> None:
    """For an output and for an action."""
    assert why_not(site(), ADA, BATH, "heater") == [] and why_not(site(), ADA, BATH, "fill") == []


def test_everything_against_it_is_told_the_most_telling_first() -> None:
    """Node, stop, lease, guard; each with its remedy."""
    found = why_not(site(bars={"heater": BAR}, stands=(STAND,), latches=(LATCH,), life="leaving"), ADA, BATH, "heater")
    assert [reason.rule for reason in found] == ["away", "stop", "lease", "interlock"]
    away, stop, lease, bar = found
    assert away.text == "Node pi has left since 12:00."
    assert stop.text == "Stop was pressed by eve at 11:59: smoke." and "Lift" in stop.remedy
    assert (lease.text, lease.holder) == ("Stand bench is held by bob until 12:01.", "bob")
    assert lease.until == NOON + 60_000 and lease.remedy == "Ask bob for it."
    assert (bar.text, bar.remedy, bar.until) == (BAR.text, BAR.remedy, 5)


def test_the_holder_is_not_held_off_by_their_own_lease() -> None:
    """Bob may."""
    assert why_not(site(stands=(STAND,)), made_up.allowed("bob"), BATH, "heater") == []


def test_a_stand_that_must_be_held_and_is_not_says_take_it() -> None:
    """One that need not be held is everyone's."""
    free = StandView(stand="bench", title="Bench", things=["pi/bath"], length=1800, required=True)
    (reason,) = why_not(site(stands=(free,)), ADA, BATH, "heater")
    assert (reason.rule, reason.holder, reason.remedy) == ("lease", "", "Take it.") and "nobody holds it" in reason.text
    anyones = StandView(stand="bench", title="Bench", things=["pi/bath"], length=1800)
    assert why_not(site(stands=(anyones,)), ADA, BATH, "heater") == []


def test_a_stop_that_only_the_node_knows_counts_too() -> None:
    """Pressed at the bus while this hub was away; two stops are one reason, with the first who pressed."""
    later = Latch(id="s2", kind="end", time=NOON, who="ada", origin="api")
    (reason,) = why_not(site(latches=(later,), node_stops=(LATCH,)), ADA, BATH, "fill")
    assert reason.rule == "stop" and "by eve at 11:59" in reason.text


def test_a_bar_of_another_output_does_not_count() -> None:
    """Each has its own."""
    assert why_not(site(bars={"heater": BAR}), ADA, BATH, "fill") == []


def test_the_end_of_a_bar_is_told_by_the_clock_of_the_hub() -> None:
    """A node whose clock is two minutes ahead says when by its own."""
    bar = Bar(rule="min-off", text="heater stays off", until=NOON + 180_000)
    (reason,) = why_not(site(bars={"heater": bar}, ahead=120_000), ADA, BATH, "heater")
    assert reason.until == NOON + 60_000
    (reason,) = why_not(site(bars={"fill": Bar(rule="device", text="no answer")}, ahead=5), ADA, BATH, "fill")
    assert reason.until == 0


def test_without_a_link_nothing_can_be_sent() -> None:
    """Said instead of what the node's silence would look like."""
    (reason,) = why_not(site(link_up=False, life="leaving"), ADA, BATH, "heater")
    assert reason.rule == "away" and "no link to the bus" in reason.text


def test_what_can_only_be_read_says_so() -> None:
    """And nothing else."""
    (reason,) = why_not(site(latches=(LATCH,)), ADA, BATH, "level")
    assert (reason.rule, reason.text) == ("read-only", "level can only be read.")


def test_what_is_not_there_has_its_nearest_name() -> None:
    """Thing, property, action."""
    for address, name, near in ((BATH, "heatr", "heater"), (BATH, "fil", "fill"), (Address("pi", "bat"), "x", "bath")):
        with pytest.raises(NotThere) as caught:
            why_not(site(), ADA, address, name)
        assert caught.value.nearest == near


def looker(who: str, *grants: str, at: Any, **more: Any) -> Any:
    """Somebody with these rights only."""
    return made_up.allowed(who, *grants, at=at, **more)


def test_whoever_may_only_look_is_told_first() -> None:
    """Which role it takes, and who gives it; then all that would stand against them besides."""
    here = site(stands=(STAND,), latches=(LATCH,))
    found = why_not(here, looker("ada", "viewer", at=here), BATH, "heater")
    assert [reason.rule for reason in found] == ["rights", "stop", "lease"]
    assert found[0].text == "You may look; switching takes the role operator here."
    assert found[0].remedy == "An administrator can give it, on the page People"
    assert why_not(here, looker("bob", "operator@bench", at=here), BATH, "fill")[0].rule == "stop"


def test_a_guest_is_told_to_log_in() -> None:
    """A guest link is for looking on, whatever it is for."""
    here = site()
    guest = looker("guest:visit", "viewer@bench", at=here, through="guest")
    (reason,) = why_not(here, guest, BATH, "heater")
    assert reason.text == "You look on as a guest; switching takes an account."
    assert reason.remedy == "Log in with an account of your own"


def test_of_hidden_stands_only_those_are_told_that_stand_in_the_way() -> None:
    """Whoever may not command a thing at all is not told who holds a stand that they may not see."""
    here = site(stands=(STAND,))
    here.stands.views = list
    assert [each.rule for each in why_not(here, looker("ada", "viewer@pi/bath", at=here), BATH, "heater")] == ["rights"]
    (lease,) = why_not(here, looker("ada", "operator@pi/bath", at=here), BATH, "heater")
    assert (lease.rule, lease.holder) == ("lease", "bob")
    assert lease.remedy == "Holding it takes a right that you do not have."


def test_a_stop_names_who_lifts_it() -> None:
    """To whoever may not."""
    here = site(latches=(LATCH,))
    (reason,) = why_not(here, looker("ada", "operator", at=here), BATH, "heater")
    assert reason.remedy == "An engineer of the whole site can lift it."
