"""What each page shows, and that its template shows it: hostile text as text, nothing inline, every help written."""

from __future__ import annotations

import ast
import inspect
import re
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from pilothouse.bus.messages import Call, Lanes, LaneView, Latch, LeaseAsk
from pilothouse.errors import NotThere
from pilothouse.hub.directory import Directory
from pilothouse.hub.pages import command, ledger, node, overview, reference, stand, stand_cards, stop_rows, stops, thing
from pilothouse.hub.pages.errors import ErrorPage, locked
from pilothouse.hub.pages.ledger import Filters
from pilothouse.hub.pages.render import Shell, plain_json, render, sentence, shell_of, static_url, took
from pilothouse.hub.problems import Problem
from pilothouse.hub.stand_view import StandView
from pilothouse.model import Address, Bar, Health
from support import made_up
from support.made_up import EVIL, NOW

PLAIN = frozenset(
    {
        "now",
        "node",
        "thing",
        "title",
        "name",
        "text",
        "doc",
        "driver",
        "tags",
        "simulated",
        "since",
        "version",
        "url",
        "method",
        "path",
        "summary",
        "events",
        "actions",
        "commands",
        "controls",
        "card",
        "life",
        "calls",
        "groups",
        "status",
        "kind",
        "required",
        "parameters",
        "answers",
        "anchor",
        "who",
        "end",
        "filters",
        "id",
        "origin",
        "reason",
        "time",
        "note",
        "ok",
        "length",
    }
)
"""Names that need no help."""

OWNER = made_up.allowed()
WRITE = {"schema": {"$ref": "#/components/schemas/Write"}}
WRITES = {"schema": {"type": "array", "items": WRITE["schema"]}}
DOCUMENT: dict[str, Any] = {
    "info": {"title": "Pilothouse", "version": "1", "description": "All calls."},
    "paths": {
        "/api/things/{node}": {
            "put": {
                "tags": ["Commands"],
                "summary": "Write",
                "operationId": "write",
                "parameters": [{"name": "node", "in": "path", "required": True, "schema": {"type": "string"}}],
                "requestBody": {"content": {"application/json": WRITE}},
                "responses": {"200": {"description": "Done", "content": {"application/json": WRITES}}},
            },
            "get": {"tags": ["Things"], "responses": {"404": {"description": "Not there"}}},
        }
    },
    "components": {
        "schemas": {
            "Write": {
                "type": "object",
                "properties": {"value": {"type": "boolean"}, "reason": {"type": "string", "default": ""}},
                "required": ["value"],
            }
        }
    },
}


def shell(title: str = "Page") -> Shell:
    """What stands around a page: a stop holds that somebody pressed with an evil reason."""
    stops = stop_rows.stop_rows(made_up.directory(), [made_up.latch(reason=EVIL)])
    made = shell_of(made_up.site(), made_up.visitor(), title=title)
    return replace(made, stops=stops)


class Reader(HTMLParser):
    """Notes what a page is made of."""

    VOID = frozenset({"meta", "link", "input", "br", "use", "circle", "path"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.wrong: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        given = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if "id" in given:
            self.ids.append(given["id"] or "")
        self.wrong += [f"{tag} {name}" for name in given if name == "style" or re.match("on.", name)]
        if tag == "script" and "src" not in given:
            self.wrong.append("inline script")
        address = given.get("src") or given.get("href") or ""
        if re.match(r"(https?:)?//", address):
            self.wrong.append(f"{tag} to {address}")

    def handle_endtag(self, tag: str) -> None:
        """The end of one."""
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        """Text."""
        self.text.append(data)


def read(template: str, shown: Any) -> tuple[str, Reader]:
    """A page's HTML, and what it is made of, with the faults that no page may have."""
    html = render(template, shown, shell())
    reader = Reader(html)
    assert reader.wrong == []
    assert reader.open == []
    assert sorted(reader.ids) == sorted(set(reader.ids))
    return html, reader


def hostile() -> Directory:
    """A site whose devices say what they please."""
    directory = made_up.directory()
    description = made_up.relays()
    said = {"title": EVIL, "doc": EVIL}
    properties = {name: replace(each, unit=EVIL, **said) for name, each in description.properties.items()}
    evil = replace(description, tags=(EVIL,), properties=properties, **said)
    directory.described(made_up.Described(node="pi", epoch=7, thing="relays", description=evil))
    made_up.state(directory, health=Health(ok=False, error=EVIL, since=NOW), time=NOW + 1, mode=EVIL, switched=3)
    made_up.hear(directory, "pi", ("relays", "host"), notes=(EVIL,))
    made_up.state(directory, "pi", "host", time=NOW + 1, about={"os": EVIL}, cpu=1.0)
    return directory


async def pages(site: Any) -> dict[str, Any]:
    """Every page of a site, by template."""
    return {
        "overview.html": await overview.build(site, OWNER),
        "node.html": await node.build(site, "pi", OWNER),
        "thing.html": await thing.build(site, Address("pi", "relays"), OWNER),
        "ledger.html": await ledger.build(site, Filters()),
        "command.html": await command.build(site, "0001"),
        "stands.html": stand.build_all(site, OWNER),
        "stand.html": await stand.build(site, "bench", OWNER),
        "stop.html": stops.build(site, OWNER),
        "reference.html": reference.build(DOCUMENT, "http://127.0.0.1:8470"),
        "error.html": ErrorPage(status=404, title="Not there", detail=EVIL, cause="", remedy=EVIL, nearest=EVIL),
    }


async def test_every_page_is_whole() -> None:
    """Well-formed, ids once, nothing inline, nothing from elsewhere; in good times."""
    site = made_up.site(stands=made_up.FakeStands(made_up.stand()), holding=SimpleNamespace(latches=(made_up.latch(),)))
    for template, shown in (await pages(site)).items():
        html, reader = read(template, shown)
        assert "Pilothouse" in html
        assert "main" in reader.ids


async def test_what_devices_say_is_text() -> None:
    """Names, units, values, errors, notes and reasons never become HTML."""
    line = made_up.line(end="failed", detail=EVIL, remedy=EVIL, reason=EVIL, who=EVIL, later=[made_up.LATER])
    evil = made_up.stand(title=EVIL, doc=EVIL, holder=EVIL, last=EVIL, asks=[LeaseAsk(who=EVIL, time=NOW, note=EVIL)])
    site = made_up.site(
        [line],
        directory=hostile(),
        stands=made_up.FakeStands(evil),
        holding=SimpleNamespace(latches=(made_up.latch(who=EVIL, reason=EVIL),)),
    )
    for template, shown in (await pages(site)).items():
        html, reader = read(template, shown)
        assert "<script>alert" not in html
        if template != "reference.html":
            assert "<script>alert('x')</script>" in "".join(reader.text), template


async def test_the_overview_puts_attention_first() -> None:
    """A node that is away heads the page, and the summary counts who answers."""
    shown = await overview.build(made_up.site(), OWNER)
    assert [each.subject for each in shown.attention] == ["away"]
    assert shown.summary == "1 of 2 nodes and 2 things answer"
    assert shown.simulated == 1
    html, _ = read("overview.html", shown)
    assert html.index('id="attention"') < html.index('id="nodes"')
    assert "simulated" in html


async def test_an_empty_site_says_what_to_do_next() -> None:
    """With the line to paste."""
    html, _ = read("overview.html", await overview.build(made_up.site([], directory=Directory()), OWNER))
    assert "No node has joined yet" in html
    assert "pilothouse doctor --data /data" in html


async def test_a_lost_bus_is_said_on_an_empty_site() -> None:
    """Why nothing is here may be that the hub cannot hear."""
    html, _ = read("overview.html", await overview.build(made_up.site([], directory=Directory(), link_up=False), OWNER))
    assert "no link to the bus" in html


async def test_the_node_page_says_what_the_machine_is() -> None:
    """Facts of the host, its charts, the clock's offset; and NotThere with the nearest name."""
    site = made_up.site()
    shown = await node.build(site, "pi", OWNER)
    assert [(each.name, each.text) for each in shown.facts] == [("Operating system", "Debian")]
    assert [lines[0].title for lines in shown.charts] == ["CPU", "Memory", "Disk /"]
    assert [row.name for row in shown.vitals] == ["disk_free", "throttled"]
    away = await node.build(site, "away", OWNER)
    html, _ = read("node.html", away)
    assert "This node is away." in html
    with pytest.raises(NotThere) as caught:
        await node.build(site, "awya", OWNER)
    assert caught.value.nearest == "away"


async def test_the_thing_page_is_made_from_the_description() -> None:
    """Controls and readings apart, a shared hazard once, the driver's words split into lead and rest."""
    site = made_up.site()
    shown = await thing.build(site, Address("pi", "relays"), OWNER)
    assert [row.name for row in shown.controls] == ["relay_1", "relay_2", "level", "mode"]
    assert [row.name for row in shown.readings] == ["switched"]
    assert (shown.doc, shown.manual) == ("A board.", "Wiring: USB.")
    assert [each.name for each in shown.events] == ["tripped"]
    assert site.ledger.asked == {"node": "pi", "thing": "relays", "limit": 12}
    html, _ = read("thing.html", shown)
    assert html.count("Mains") >= 2
    for kind in ("switch", "number", "choice"):
        assert f'kind="{kind}"' in html


async def test_why_nothing_can_be_switched_is_said_before_the_press() -> None:
    """A node that is away, a device that does not answer."""
    site = made_up.site()
    html, _ = read("thing.html", await thing.build(site, Address("away", "host"), OWNER))
    assert "Node away is away." in html
    made_up.state(site.directory, health=Health(ok=False, error="no route", since=NOW), time=NOW + 1, level=None)
    html, _ = read("thing.html", await thing.build(site, Address("pi", "relays"), OWNER))
    assert "No route." in html


async def test_what_stands_against_a_control_is_said_before_the_press() -> None:
    """The agent's bar beside its control, with remedy and time; stop once above all, then somebody else's lease."""
    site = made_up.site()
    bar = Bar(rule="interlock", text=f"valves.level is 2 {EVIL}", remedy="fill the tank", until=NOW + 20_000)
    made_up.state(site.directory, time=NOW + 1, relay_2=False, bars={"relay_2": bar, "fail": bar})
    shown = await thing.build(site, Address("pi", "relays"), OWNER)
    html, reader = read("thing.html", shown)
    assert "valves.level is 2 <script>" in "".join(reader.text)
    assert html.count("Fill the tank.") == 2
    assert html.count("Over in 20 s.") == 2
    assert 'id="why-pi-relays-relay_2"' in html
    latch = Latch(id="s1", kind="hard", time=NOW, who="ann", origin="page", reason="smoke")
    lease = StandView(stand="bench", title="Bench", things=["pi/relays"], holder="bob", until=NOW + 60_000, length=60)
    stands = SimpleNamespace(of=lambda address: [lease], views=list)
    stopped = made_up.site(holding=SimpleNamespace(latches=(latch,)), stands=stands)
    shown = await thing.build(stopped, Address("pi", "relays"), OWNER)
    assert shown.against is not None
    assert shown.against.rule == "stop"
    assert {row.bar and row.bar.rule for row in shown.controls} == {"stop"}
    shown = await thing.build(made_up.site(stands=stands), Address("pi", "relays"), OWNER)
    assert shown.against is not None
    assert shown.against.holder == "bob"
    assert (
        await thing.build(made_up.site(stands=stands), Address("pi", "relays"), made_up.allowed("bob"))
    ).against is None


async def test_rules_and_a_second_person_are_on_the_thing_page() -> None:
    """A quiet list of rules, how long it may be on, and the second person's form for property and action."""
    site = made_up.site()
    described = site.directory.description(Address("pi", "relays"))
    properties = described.properties | {
        "relay_1": replace(described.properties["relay_1"], max_on=60, confirm="two-person", link_lost_after=3)
    }
    actions = {"fail": replace(described.actions["fail"], confirm="two-person", interlocks=("requires level > 1",))}
    described = replace(described, properties=properties, actions=actions)
    site.directory.described(made_up.Described(node="pi", epoch=7, thing="relays", description=described))
    on = {"accepted": True, "accepted_time": NOW - 10_000}
    made_up.state(site.directory, time=NOW + 1, relay_1=True, more={"relay_1": on})
    html, _ = read("thing.html", await thing.build(site, Address("pi", "relays"), OWNER))
    assert "It may only be called while level &gt; 1." in html
    assert "goes to off by itself in 50 s" in html
    assert html.count("<confirm-for") == 2


async def test_the_node_page_shows_its_lanes() -> None:
    """What runs and waits, with a way to take back; one quiet line when nothing does."""
    site = made_up.site()
    html, _ = read("node.html", await node.build(site, "pi", OWNER))
    assert "All lanes are idle" in html
    call = {"thing": "relays", "since": NOW - 5000, "name": "relay_1"}
    lane = LaneView(
        name="usb",
        things=("relays",),
        hung_since=NOW - 4000,
        running=Call(label="writing relay_1", **call),
        waiting=(Call(label=EVIL, id="0002", who=EVIL, **call), Call(label="reading it", **call)),
        more=3,
    )
    site.directory.told_lanes(Lanes(node="pi", epoch=7, time=NOW, lanes=(lane,)))
    html, reader = read("node.html", await node.build(site, "pi", OWNER))
    assert "<script>alert" not in html
    assert "Hung: the device should have answered" in "".join(reader.text)
    assert html.count("data-cancel=") == 1
    assert "3 more wait." in html


async def test_what_the_agent_switched_by_itself_says_so() -> None:
    """In the last commands of a thing, each with a link to its story."""
    own = made_up.line("0009", who="guard", origin="max-on", reason="max-on of 20 min is over", input=False)
    html, _ = read("thing.html", await thing.build(made_up.site([own]), Address("pi", "relays"), OWNER))
    assert "guard: max-on of 20 min is over." in " ".join(html.split())
    assert 'href="/ledger/0009"' in html


async def test_the_ledger_pages_through() -> None:
    """One page, the query of the next, and filters that are kept."""
    lines = [made_up.line(f"{number:04}") for number in range(60)]
    site = made_up.site(lines)
    shown = await ledger.build(site, Filters(node="pi", end="open"))
    assert site.ledger.asked["end"] == ""
    shown = await ledger.build(site, Filters(node="pi"))
    assert len(shown.commands) == ledger.PAGE
    assert shown.older == "node=pi&before=0049"
    html, _ = read("ledger.html", shown)
    assert "/ledger?node=pi&amp;before=0049" in html
    empty = await ledger.build(made_up.site([]), Filters())
    assert "No command was given yet" in render("ledger.html", empty, shell())
    none = await ledger.build(made_up.site([]), Filters(who="nobody"))
    assert "No command fits" in render("ledger.html", none, shell())


def test_the_reference_follows_the_document() -> None:
    """Parameters, an example body, answers, and a line to paste."""
    shown = reference.build(DOCUMENT, "http://hub")
    assert [group.name for group in shown.groups] == ["Things", "Commands"]
    call = shown.groups[1].calls[0]
    assert (call.method, call.body) == ("PUT", '{"value": true}')
    assert call.answers[0].kind == "application/json: list of Write"
    assert call.parameters[0].kind == "text"
    assert call.line.endswith("-d '{\"value\": true}' 'http://hub/api/things/{node}'")


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer"}, "whole number"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text or nothing"),
        ({"enum": ["a", "b"]}, '"a" | "b"'),
        ({"const": 1}, "1"),
        ({"type": ["string", "null"]}, "text or nothing"),
        ({"$ref": "#/components/schemas/x_y_Write"}, "Write"),
        ({}, "any"),
    ],
)
def test_kinds_in_words(schema: dict[str, Any], words: str) -> None:
    """A schema in a few words."""
    assert reference.kind_of(DOCUMENT, schema) == words


def test_the_locked_page_needs_nothing_else() -> None:
    """401 with the way in, its own style, and a policy that allows exactly that."""
    answer = locked(Problem(title="Log in first", status=401, detail=EVIL))
    html = bytes(answer.content).decode()
    assert answer.status_code == 401
    assert "Authorization: Bearer" in html
    assert "<script" not in html
    assert "src=" not in html
    assert "'sha256-" in answer.headers["Content-Security-Policy"]
    assert locked().status_code == 401


def test_static_addresses_carry_the_content() -> None:
    """So that a browser may keep a file for ever and never sees an old one."""
    assert re.fullmatch(r"/static/js/app\.js\?v=[0-9a-f]{12}", static_url("js/app.js"))
    assert static_url("js/none.js") == "/static/js/none.js"


def test_small_words() -> None:
    """Filters of the templates."""
    assert [took(each) for each in (0, 0.83, 12.4, 1500)] == ["", "0.8 ms", "12 ms", "1.5 s"]
    assert [sentence(each) for each in ("", "no route", "Gone!", "see:")] == ["", "No route.", "Gone!", "See:"]
    named = ("relays.relay_1 is off", "pi/bath hangs", "relay_1 is off")
    assert [sentence(each) for each in named] == [f"{each}." for each in named]
    assert plain_json([{"a": "ü"}]) == '[{"a":"ü"}]'


@pytest.mark.parametrize(
    "module",
    [overview, node, thing, ledger, reference, command, stand, stand_cards, stop_rows, stops],
    ids=lambda each: each.__name__,
)
def test_every_page_is_a_struct_with_help(module: Any) -> None:
    """Fields whose meaning is not plain from their name have a line under them."""
    for owner in ast.parse(inspect.getsource(module)).body:
        if not isinstance(owner, ast.ClassDef):
            continue
        for here, after in zip(owner.body, [*owner.body[1:], None], strict=True):
            if isinstance(here, ast.AnnAssign) and isinstance(here.target, ast.Name) and here.target.id not in PLAIN:
                assert isinstance(after, ast.Expr), f"{owner.name}.{here.target.id} has no help"
