"""What pages show of stands: who holds them, in whose eyes, what is offered then, and how their things are."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pilothouse.bus.messages import LeaseAsk
from pilothouse.errors import NotThere
from pilothouse.hub.directory import Directory
from pilothouse.hub.pages import overview, stand
from pilothouse.hub.pages.render import render, shell_of
from pilothouse.hub.pages.stand_cards import addresses_of, stand_card, stand_cards
from pilothouse.model import Health
from support import made_up
from support.made_up import NOW, FakeStands, latch

FREE = {"holder": "", "since": 0, "until": 0}


def html_of(shown: object, template: str = "stand.html", who: str = "owner") -> str:
    """The page in the eyes of somebody."""
    return render(template, shown, shell_of(made_up.site(), made_up.visitor(who), title="x", here="stands"))


def test_a_card_says_who_holds_it() -> None:
    """Mine, another's, nobody's; and how the last lease ended."""
    directory = made_up.directory()
    card = stand_card(made_up.stand(), directory, made_up.allowed("owner"))
    assert (card.holder, card.mine, card.length) == ("bob", False, "30 min")
    assert stand_card(made_up.stand(), directory, made_up.allowed("bob")).mine
    over = made_up.stand(**FREE, ended="expired", last="bob")
    assert stand_card(over, directory, made_up.allowed("ann")).before == (
        "The lease of bob ran out and its outputs went to their safe values."
    )
    assert not stand_card(over, directory, made_up.allowed("ann")).mine
    back = made_up.stand(**FREE, ended="released", last="bob")
    assert stand_card(back, directory, made_up.allowed("owner")).before == "bob gave it back."
    assert stand_card(made_up.stand(**FREE), directory, made_up.allowed("owner")).before == ""


def test_things_of_a_card_say_what_is_wrong() -> None:
    """Not there, on a node that is away, or with the driver's own words."""
    directory = made_up.directory()
    made_up.state(directory, health=Health(ok=False, error="no route", since=NOW), time=NOW + 1, level=None)
    view = made_up.stand(things=["pi/relays", "pi/gone", "away/host", "pi/host"])
    troubles = [each.trouble for each in stand_card(view, directory, made_up.allowed("owner")).things]
    assert troubles == ["no route", "not there", "node away is away", ""]
    made_up.hear(directory, "pi", ("relays", "host"), state="leaving")
    assert stand_card(view, directory, made_up.allowed("owner")).things[3].trouble == "node pi has left"
    assert [str(each) for each in addresses_of(made_up.stand(things=["pi/relays", "no such//name"]))] == ["pi/relays"]


def test_stands_that_need_me_come_first() -> None:
    """One of mine that is asked for, then mine, then by title."""
    ask = LeaseAsk(who="carol", time=NOW - 1000, note="soon")
    views = [
        made_up.stand(stand="a", title="A", things=["pi/relays"]),
        made_up.stand(stand="b", title="B", things=["pi/relays"], holder="owner"),
        made_up.stand(stand="c", title="C", things=["pi/relays"], holder="owner", asks=[ask]),
    ]
    assert [each.stand for each in stand_cards(views, made_up.directory(), made_up.allowed("owner"))] == ["c", "b", "a"]
    assert [each.stand for each in stand_cards(views, made_up.directory(), made_up.allowed("bob"))] == ["a", "b", "c"]


async def test_an_ask_is_a_concern_of_the_holder() -> None:
    """And of nobody else."""
    ask = LeaseAsk(who="carol", time=NOW - 1000, note="soon")
    site = made_up.site(stands=FakeStands(made_up.stand(holder="owner", asks=[ask])))
    words = [(each.word, each.text) for each in (await overview.build(site, made_up.allowed("owner"))).attention]
    assert ("asked for", "By carol: “soon”") in words
    assert "asked for" not in [each.word for each in (await overview.build(site, made_up.allowed("bob"))).attention]


async def test_the_page_offers_what_can_be_done() -> None:
    """To the holder, to somebody else, and to anybody while it is free."""
    ask = LeaseAsk(who="carol", time=NOW - 1000, note="soon")
    site = made_up.site(stands=FakeStands(made_up.stand(asks=[ask])))
    other = html_of(await stand.build(site, "bench", made_up.allowed("owner")))
    assert "Ask for it …" in other
    assert "Take it over …" in other
    assert "Release" not in other
    mine = html_of(await stand.build(site, "bench", made_up.allowed("bob")), who="bob")
    for words in ("Extend", "Release", "carol", "“soon”", "Deny"):
        assert words in mine
    waiting = html_of(await stand.build(site, "bench", made_up.allowed("carol")), who="carol")
    assert "You have asked for it" in waiting
    free = html_of(
        await stand.build(made_up.site(stands=FakeStands(made_up.stand(**FREE))), "bench", made_up.allowed("owner"))
    )
    assert "Take it" in free
    assert "everybody may command it" in free
    needed = made_up.site(stands=FakeStands(made_up.stand(**FREE, required=True)))
    assert "take it before commanding it" in html_of(await stand.build(needed, "bench", made_up.allowed("owner")))


async def test_its_things_are_panels() -> None:
    """Controls first, then a few readings; what is not there is said; what stands against all of it too."""
    site = made_up.site(stands=FakeStands(made_up.stand()), holding=SimpleNamespace(latches=()))
    shown = await stand.build(site, "bench", made_up.allowed("owner"))
    (panel,) = shown.panels
    assert [row.name for row in panel.controls] == ["relay_1", "relay_2", "level", "mode"]
    assert panel.more == 1
    assert shown.gone == ["pi/gone"]
    assert panel.against is not None
    assert panel.against.holder == "bob"
    assert (await stand.build(site, "bench", made_up.allowed("bob"))).panels[0].against is None
    stopped = made_up.site(stands=FakeStands(made_up.stand()), holding=SimpleNamespace(latches=(latch(),)))
    against = (await stand.build(stopped, "bench", made_up.allowed("bob"))).panels[0].against
    assert against is not None
    assert against.rule == "stop"
    with pytest.raises(NotThere):
        await stand.build(site, "none", made_up.allowed())


async def test_its_last_commands_are_of_all_its_things_and_its_lease() -> None:
    """The newest first."""
    lines = [
        made_up.line("0003", made=NOW - 1000),
        made_up.line("0002", made=NOW - 2000, kind="site", node="", thing="bench", name="lease.take", input=None),
        made_up.line("0001", made=NOW - 3000, thing="host"),
    ]
    shown = await stand.build(
        made_up.site(lines, stands=FakeStands(made_up.stand())), "bench", made_up.allowed("owner")
    )
    assert [(row.id, row.what) for row in shown.commands] == [("0003", "Relay 1"), ("0002", "Stand taken")]


async def test_what_the_form_wanted_and_did_not_get_is_said() -> None:
    """On the page that comes back."""
    site = made_up.site(stands=FakeStands(made_up.stand()))
    assert "Bob holds it." in html_of(await stand.build(site, "bench", made_up.allowed("owner"), "bob holds it"))


def test_no_stand_says_what_to_paste() -> None:
    """With something that is there."""
    html = html_of(stand.build_all(made_up.site(), made_up.allowed()), "stands.html")
    assert "No stand is described yet" in html
    assert "pi/relays" in html
    assert stand.build_all(made_up.site(directory=Directory()), made_up.allowed()).example == "NODE/THING"
