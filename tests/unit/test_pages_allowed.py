"""No page shows a control that would be refused for lack of rights, and none leaves one out that would not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pilothouse.bus.messages import Call, Described, Lanes, LaneView, LeaseAsk
from pilothouse.hub.access import Visitor
from pilothouse.hub.allowed import Allowed
from pilothouse.hub.directory import Directory
from pilothouse.hub.pages import command, ledger, node, overview, reference, stand, stops, thing
from pilothouse.hub.pages.ledger import Filters
from pilothouse.hub.pages.render import render, shell_of
from pilothouse.model import Address
from pilothouse.rights import SITE, Deed, Grant, Place, Rights, Role, may, parse_grants, role_anywhere
from support import made_up
from support.controls import HARMLESS, LOG_OUT, NARROW, controls_of
from support.made_up import NOW

RELAYS, LAB = Address("pi", "relays"), Address("lab", "relays")
PLACES = {RELAYS: Place(RELAYS, frozenset({"bench"})), LAB: Place(LAB, frozenset({"wet"}))}
WRITABLE = ("relay_1", "relay_2", "level", "mode")
WHERES = ("", "bench", "wet", "free", "pi/relays", "pi/*", "lab/*", "lab/relays", "elsewhere")


def made_site() -> Any:
    """Two boards on two nodes, in two stands and a free one besides; a stop holds, and calls wait on a lane."""
    directory = made_up.directory()
    for at in (RELAYS, LAB):
        described = made_up.relays()
        two = {"confirm": "two-person"}
        properties = described.properties | {"relay_1": replace(described.properties["relay_1"], **two)}
        actions = {"fail": replace(described.actions["fail"], **two)}
        whole = replace(described, node=at.node, properties=properties, actions=actions)
        directory.described(Described(node=at.node, epoch=7, thing="relays", description=whole))
    made_up.hear(directory, "lab", ("relays",))
    _fill_lane(directory)
    asks = [LeaseAsk(who="carol", time=NOW - 1000, note="soon")]
    views = (
        made_up.stand(things=["pi/relays"], holder="bob", asks=asks),
        made_up.stand(stand="wet", title="Wet", things=["lab/relays"], holder="ada", asks=asks),
        made_up.stand(stand="free", title="Free", things=["pi/host"], holder="", since=0, until=0),
    )
    holding = SimpleNamespace(latches=(made_up.latch(),))
    return made_up.site(directory=directory, stands=made_up.FakeStands(*views), holding=holding)


def _fill_lane(directory: Directory) -> None:
    waiting = tuple(
        Call(thing="relays", since=NOW, name="relay_1", label="writing", id=id, who=who)
        for id, who in (("0001", "ada"), ("0002", "bob"), ("", ""))
    )
    running = Call(thing="relays", since=NOW, name="relay_1", label="writing", id="0000", who="ada")
    lane = LaneView(name="usb", things=("relays",), running=running, waiting=waiting)
    directory.told_lanes(Lanes(node="pi", epoch=7, time=NOW, lanes=(lane,)))


SITE_OF_ALL = made_site()


async def drawn(rights: Rights) -> dict[str, str]:
    """The HTML of every page as ada sees it with these rights."""
    site, visitor = SITE_OF_ALL, Visitor("ada", "page", rights)
    allowed = Allowed(visitor, site)
    shown = {
        "overview": ("overview.html", await overview.build(site, allowed)),
        "node": ("node.html", await node.build(site, "pi", allowed)),
        "thing": ("thing.html", await thing.build(site, RELAYS, allowed)),
        "stands": ("stands.html", stand.build_all(site, allowed)),
        "held": ("stand.html", await stand.build(site, "bench", allowed)),
        "mine": ("stand.html", await stand.build(site, "wet", allowed)),
        "free": ("stand.html", await stand.build(site, "free", allowed)),
        "stop": ("stop.html", stops.build(site, allowed)),
        "ledger": ("ledger.html", await ledger.build(site, Filters(), audit=allowed.of_site(Deed.AUDIT))),
        "command": ("command.html", await command.build(site, "0001")),
        "reference": ("reference.html", reference.build({}, "http://hub", own=allowed.of_site(Deed.OWN))),
    }
    return {
        name: render(template, each, shell_of(site, visitor, title=name)) for name, (template, each) in shown.items()
    }


def expected(rights: Rights) -> dict[str, set[str]]:
    """The controls of every page, told once more from the table of rights alone."""

    def operate(at: Address, *controls: str) -> set[str]:
        return set(controls) if may(rights, Deed.OPERATE, PLACES[at]) else set()

    def of_stand(deed: Deed, name: str, *controls: str) -> set[str]:
        return {f"lease {name} {each}" for each in controls} if may(rights, deed, Place.of_stand(name)) else set()

    def of_site(deed: Deed, *controls: str) -> set[str]:
        return set(controls) if may(rights, deed, SITE) else set()

    always = {LOG_OUT} | of_site(Deed.STOP, "open stop") | of_site(Deed.OWN, "account")
    if role_anywhere(rights):  # whoever sees nothing is not led anywhere
        always |= of_site(Deed.PEOPLE, "people") | of_site(Deed.LIFT, "open lift")
    switches = [operate(at, *(f"set {at}.{name}" for name in ("relay_1", "relay_2"))) for at in PLACES]
    back = operate(RELAYS, "take back 0001")
    if may(rights, Deed.TAKE_BACK, PLACES[RELAYS]):
        back |= {"take back 0002"}
    controls = {at: operate(at, *(f"set {at}.{name}" for name in WRITABLE)) for at in PLACES}
    more = operate(RELAYS, "call pi/relays.fail", "confirm pi/relays.relay_1", "confirm pi/relays.fail")
    held = of_stand(Deed.HOLD, "bench", "ask") | of_stand(Deed.TAKE_OVER, "bench", "take yes")
    mine = of_stand(Deed.HOLD, "wet", "extend", "give", "release", "give carol", "deny carol")
    pages = {
        "overview": set.union(*switches),
        "node": switches[0] | back,
        "thing": controls[RELAYS] | more,
        "stands": set(),
        "held": controls[RELAYS] | held,
        "mine": controls[LAB] | mine,
        "free": of_stand(Deed.HOLD, "free", "take"),
        "stop": of_site(Deed.STOP, "press stop") | of_site(Deed.LIFT, "lift stops"),
        "ledger": {NARROW},
        "command": set(),
        "reference": set(),
    }
    return {name: found | always for name, found in pages.items()}


def check(rights: Rights) -> None:
    """Every page has exactly the controls that the table allows, and says so where there are none."""
    pages, wanted = asyncio.run(drawn(rights)), expected(rights)
    for name, html in pages.items():
        assert controls_of(html) == wanted[name], name
    quiet = "switching takes" in pages["thing"]
    assert quiet != may(rights, Deed.OPERATE, PLACES[RELAYS])
    assert pages["thing"].count("switching takes") == quiet  # once
    assert ('value="people"' in pages["ledger"]) == may(rights, Deed.AUDIT)


def rights_of(*texts: str, **more: Any) -> Rights:
    """Rights from their texts."""
    return Rights(parse_grants(texts), **more)


@pytest.mark.parametrize(
    "rights",
    [
        rights_of(),
        *(rights_of(role) for role in Role),
        *(rights_of(f"{role}@bench") for role in ("viewer", "operator", "engineer")),
        rights_of("operator@pi/relays", "viewer"),
        rights_of("engineer@wet", "viewer"),
        rights_of("viewer@bench", through="guest", only="bench"),
        rights_of("admin", through="guest"),
        rights_of("admin", through="token", most=Role.VIEWER),
        rights_of("admin", through="token", most=Role.OPERATOR, only="wet"),
    ],
    ids=lambda rights: f"{rights.through} {' '.join(map(str, rights.grants))} {rights.only}",
)
def test_pages_show_what_the_roles_may(rights: Rights) -> None:
    """Each role, on the whole site and at one place; a guest, a token; nobody."""
    check(rights)


grants = st.builds(Grant, st.sampled_from(list(Role)[:3]), st.sampled_from(WHERES)) | st.just(Grant(Role.ADMIN))


@settings(max_examples=40)
@given(
    st.builds(
        Rights,
        st.lists(grants, max_size=4).map(tuple),
        st.sampled_from(["session", "token", "guest"]),
        st.sampled_from(list(Role)),
        st.sampled_from(WHERES),
    )
)
def test_pages_show_what_any_rights_may(rights: Rights) -> None:
    """Whatever somebody was given, and whatever they come with."""
    check(rights)


def test_what_stays_readable() -> None:
    """Wish, rules and what an action does are there for whoever may only look; nothing tells them of leases to take."""
    pages = asyncio.run(drawn(rights_of("viewer")))
    for words in ("It goes to off when", "Mains", "<live-wish", "<b>Fail</b>", "Relay 1"):
        assert words in pages["thing"]
    assert "You may look; switching takes the role operator here." in pages["thing"]
    assert "Stop was pressed by" not in pages["thing"].partition("<main")[2]
    assert "You may look; holding it takes the role operator here." in pages["held"]
    assert "An engineer of the whole site can lift it." in pages["stop"]
    assert 'data-lifts="An engineer of the whole site can lift it."' in pages["stop"]


def test_a_guest_is_told_that_they_look_on() -> None:
    """Where, until when, and by whom stop is pressed; no versions, no account."""
    rights = rights_of("viewer@bench", through="guest", only="bench")
    visitor = Visitor("guest:visit", "page", rights, how="guest", expires=NOW + 3_600_000)
    pages = asyncio.run(drawn(rights))
    html = render(
        "stop.html", stops.build(SITE_OF_ALL, Allowed(visitor, SITE_OF_ALL)), shell_of(SITE_OF_ALL, visitor, title="x")
    )
    assert "Guest at Bench 1 until <time" in html
    assert "2023-11-14 23:13 UTC" in html
    assert "You look on as a guest, and cannot press it." in html
    assert "You look on as a guest; switching takes an account." in pages["thing"]
    for html in pages.values():
        assert "Pilothouse 0" not in html
        assert "<dt>Pilothouse</dt>" not in html


def test_somebody_without_rights_is_told_whom_to_ask() -> None:
    """The overview says so and nothing else; no navigation, no stop that they could lift or press."""
    rights = rights_of()
    site = made_up.site([], directory=Directory(), holding=SimpleNamespace(latches=(made_up.latch(who="eve"),)))
    visitor = Visitor("ada", "page", rights)
    shown = asyncio.run(overview.build(site, Allowed(visitor, site)))
    html = render("overview.html", shown, shell_of(site, visitor, title="Overview"))
    main = html.partition("<main")[2].partition("</main>")[0]
    assert "You are logged in as <b>ada</b>, and nobody has given you a right" in main
    assert "Ask an administrator" in main
    assert "eve" not in html
    assert 'href="/ledger"' not in html
    assert controls_of(html) == {LOG_OUT, "account"}
    assert controls_of(html) - HARMLESS == {"account"}


@pytest.mark.parametrize(
    ("right", "lines"), [("admin", True), ("engineer", True), ("operator", False), ("engineer@bench", False)]
)
def test_lines_to_paste_are_for_engineers(right: str, lines: bool) -> None:
    """Folders of this machine and what to type there; others are told whom to ask."""
    site = made_up.site([], directory=Directory(), places=SimpleNamespace(data=Path("/srv/site")))
    allowed, visitor = made_up.allowed("ada", right, at=site), made_up.visitor("ada", right)
    shell = shell_of(site, visitor, title="x")
    empty = {
        "overview.html": asyncio.run(overview.build(site, allowed)),
        "stands.html": stand.build_all(site, allowed),
        "ledger.html": asyncio.run(ledger.build(site, Filters())),
    }
    for template, shown in empty.items():
        html = render(template, shown, shell)
        assert ('<pre class="paste"' in html) == lines, template
        assert ("/srv/site" in html) == (lines and template != "ledger.html"), template
    assert ("sk an administrator" in render("overview.html", empty["overview.html"], shell)) != lines


def test_what_is_not_safe_stays_on_every_page() -> None:
    """A hub without TLS says what may happen and what helps."""
    site = made_up.site(posture=SimpleNamespace(banner="Whoever is on the way can read passwords."))
    for rights in ("admin", "viewer"):
        html = render(
            "stop.html",
            stops.build(site, made_up.allowed("ada", rights)),
            shell_of(site, made_up.visitor("ada", rights), title="x"),
        )
        assert '<p class="unsafe">' in html
        assert "can read passwords" in html
    assert "unsafe" not in asyncio.run(drawn(rights_of("admin")))["stop"]
