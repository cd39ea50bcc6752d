"""The pages about people: rights in words, the matrix, what is shown of whom, and that nothing typed is trusted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.errors import BadName, NotThere
from pilothouse.hub.pages import people, people_person, people_rights
from pilothouse.hub.pages.people_person import Draft, RightRow, grants_of, stamp_of
from pilothouse.hub.pages.people_rows import last_admin, state_of
from pilothouse.hub.pages.people_said import SENTENCES, refused, said_of
from pilothouse.hub.pages.people_words import ROLES, grant_words, joined, place_groups, summary
from pilothouse.hub.pages.render import render, shell_of
from pilothouse.hub.people_acts import Link
from pilothouse.hub.problems import WebError
from pilothouse.hub.rights_matrix import matrix_of, rights_of_guest, rights_of_person
from pilothouse.model import Address
from pilothouse.record.people_rows import GuestRow, LinkRow, Person, SessionRow, TokenRow
from pilothouse.rights import NOBODY, SITE, Place, Rights, Role, parse_grants, role_at
from support import made_up
from support.made_up import EVIL, NOW

DAY = 86_400_000
ANNA = Person(name="anna", title="Anna", grants=("admin",), has_password=True, made=NOW - DAY, seen=NOW - 5000)
BOB = Person(name="bob", grants=("operator@bench", "viewer@away/*"), made=NOW - DAY)
EVE = Person(name="eve", title=EVIL, grants=("engineer",), active=False, has_password=True, note=EVIL)
ZOE = Person(name="zoe", source="oidc", made=NOW)
PEOPLE = [ANNA, BOB, EVE, ZOE]
GUEST = GuestRow(id="g1", name="visitors", where="bench", made_by="anna", made=NOW - 1, expires=NOW + DAY, sessions=2)
SESSION = SessionRow(
    id="s1", who="anna", how="password", made=NOW - DAY, used=NOW - 9000, expires=NOW + DAY, address="10.0.0.9",
    agent="Mozilla/5.0 (X11; Linux) Firefox/140.0",
)  # fmt: skip
TOKEN = TokenRow(id="t1", who="bob", name="backup", scope="read", only="bench", made=NOW, expires=NOW + DAY)
MACHINE = TokenRow(id="t2", who="owner", name="command line on pi", scope="administer", made=NOW, expires=0)


def site(persons: list[Person] | None = None, **more: Any) -> Any:
    """The made-up site with its stand, and these people in its record."""
    everybody = PEOPLE if persons is None else persons
    sessions, tokens, links = [SESSION], [TOKEN, MACHINE], more.pop("links", [])

    async def get(name: str) -> Person | None:
        return next((each for each in everybody if each.name == name), None)

    record = SimpleNamespace(
        persons=SimpleNamespace(all=_gives(everybody), get=get),
        sessions=SimpleNamespace(all=_gives(sessions), of=_of(sessions)),
        tokens=SimpleNamespace(all=_gives(tokens), of=_of(tokens)),
        guests=SimpleNamespace(all=_gives(more.pop("guests", [GUEST]))),
        links=SimpleNamespace(of=_gives(links)),
    )
    given_stands = {"stands": made_up.FakeStands(made_up.stand())} | more
    return made_up.site(people=record, **given_stands)


def _gives(rows: list[Any]) -> Any:
    async def ask(*_: Any) -> list[Any]:
        return list(rows)

    return ask


def _of(rows: list[Any]) -> Any:
    async def ask(who: str) -> list[Any]:
        return [row for row in rows if row.who == who]

    return ask


def html_of(template: str, shown: object) -> str:
    """The page in the eyes of anna."""
    return render(template, shown, shell_of(site(), made_up.visitor("anna"), title="People", here="people"))


def text_of(*grants: str) -> str:
    """What rights come to, in words."""
    return summary(Rights(parse_grants(grants)), site()).text


def test_rights_are_told_by_what_is_there() -> None:
    """A stand by its title, all of a node in one word, the rest by name; nothing twice."""
    assert text_of() == "Sees nothing but their own account."
    assert text_of("admin") == "Sees and switches everything, lifts stops, and lets people in."
    assert text_of("viewer") == "Sees everything. Switches nothing. Presses stop."
    assert text_of("engineer") == "Sees, switches and takes over everything. Presses and lifts stop."
    assert text_of("operator@bench") == "Sees and switches stand Bench 1. Presses stop."
    assert text_of("viewer", "operator@bench") == "Sees everything. Switches stand Bench 1. Presses stop."
    assert text_of("operator@pi/*") == "Sees and switches all of pi. Presses stop."
    assert text_of("viewer@pi/relays", "engineer@away/host") == (
        "Sees away/host and Relay board. Switches and takes over away/host. Presses stop."
    )
    assert text_of("viewer@bench", "viewer@pi/*").startswith("Sees stand Bench 1 and all of pi.")


def test_a_right_waits_for_its_place() -> None:
    """What is not there is named, and can be chosen still."""
    found = summary(Rights(parse_grants(["operator@attic", "viewer@bench"])), site())
    assert found.absent == ["attic"]
    assert text_of("operator@attic") == "Sees nothing but their own account until what it is for is there."
    groups = place_groups(site(), ["attic", "bench", "attic"])
    assert [group.title for group in groups] == ["", "Stands", "Nodes", "Things", "Not there now"]
    assert groups[1].choices == [("bench", "Bench 1 (bench)")]
    assert [choice.value for choice in groups[2].choices] == ["away/*", "pi/*"]
    assert groups[-1].choices == [("attic", "attic")]


def test_long_lists_are_counted() -> None:
    """A sentence stays a sentence."""
    assert joined(["a"]) == "a"
    assert joined(["a", "b", "c"]) == "a, b and c"
    assert joined([*"abcdefgh"]) == "a, b, c, d, e, f and 2 more"


def test_each_right_in_words() -> None:
    """With the title of its place."""
    grants = parse_grants(["viewer", "operator@bench", "engineer@pi/relays", "viewer@away/*", "viewer@attic"])
    assert set(grant_words(grants, site())) == {
        "viewer", "operator at Bench 1", "engineer for Relay board", "viewer for all of away", "viewer at attic",
    }  # fmt: skip
    assert set(ROLES) == set(Role), "every role has its line"


def test_the_matrix_is_the_function_of_rights() -> None:
    """Each cell is role_at; who is disabled has none; guests look on."""
    made = site()
    found = matrix_of(made, PEOPLE, [GUEST])
    assert [each.name for each in found.people] == ["anna", "bob", "eve", "zoe", "guest:visitors"]
    rights = {each.name: rights_of_person(each) for each in PEOPLE} | {"guest:visitors": rights_of_guest(GUEST)}
    for row in found.places:
        place = {"site": SITE, "stand": Place.of_stand(row.where)}.get(row.kind)
        place = place or made.place(Address.parse(row.where))
        assert row.roles == {name: str(role) for name in rights if (role := role_at(rights[name], place))}
    assert [(row.kind, row.where) for row in found.places] == [
        ("site", ""), ("stand", "bench"), ("thing", "away/host"), ("thing", "pi/host"), ("thing", "pi/relays"),
    ]  # fmt: skip
    assert rights["eve"] == NOBODY
    assert found.places[4].stands == ["bench"]
    assert found.unseen == ["pi/host"]


@given(
    st.lists(st.sampled_from(["viewer", "operator@bench", "viewer@pi/*", "admin", "engineer@away/host"]), max_size=3)
)
def test_no_thing_is_lost_in_the_matrix(grants: list[str]) -> None:
    """However rows are gathered, each thing stands in exactly one, with its own roles."""
    made = site()
    person = Person(name="bob", grants=tuple(grants))
    matrix = matrix_of(made, [person], [])
    rows = [row for group in people_rights.groups_of(matrix, matrix.people, "") for row in group.rows]
    told = [title for row in rows if row.kind == "thing" for title in (row.names or [row.title])]
    assert sorted(told) == sorted(each.title for each in matrix.places if each.kind == "thing")
    cells = {row.where: row.cells for row in rows if row.where}
    assert all(cells[each.where] == [each.roles.get("bob", "")] for each in matrix.places if each.where in cells)


async def test_the_matrix_is_narrowed() -> None:
    """By a piece of a name or title, in large or small letters; things of a stand belong to it."""
    shown = await people_rights.build(site(), "BO", "")
    assert [each.name for each in shown.people] == ["bob"]
    assert [group.title for group in shown.groups] == ["Site and stands", "Things of away", "Things of pi"]
    shown = await people_rights.build(site(), "", "bench")
    assert [row.title for group in shown.groups for row in group.rows] == ["Bench 1", "Relay board"]
    html = html_of("people_rights.html", shown)
    assert 'data-who="guest:visitors"' in html
    assert "Only administrators see" in html
    nothing = await people_rights.build(site(), "nobody-like-that")
    assert "Nothing fits" in html_of("people_rights.html", nothing)
    assert "Nobody has an account yet" in html_of("people_rights.html", await people_rights.build(site([], guests=[])))


async def test_things_at_which_all_are_the_same_are_one_row() -> None:
    """With their titles; a thing that differs has its own."""
    shown = await people_rights.build(site([ANNA]), "anna")
    (row,) = shown.groups[-1].rows
    assert (row.title, row.names, row.cells) == ("All 2 things", ["Host", "Relay board"], ["admin"])
    shown = await people_rights.build(site([ANNA, BOB], guests=[]))
    assert [row.title for row in shown.groups[-1].rows] == ["Host", "Relay board"]


async def test_the_list_says_how_everybody_stands() -> None:
    """Active, invited, without a way in, disabled; who looks is marked."""
    link = LinkRow(id="l1", kind="invite", who="bob", made=NOW, expires=NOW + DAY)
    shown = await people.build(site(links=[link]), "anna")
    assert [(row.name, row.state) for row in shown.people] == [
        ("anna", "active"), ("bob", "invited"), ("eve", "disabled"), ("zoe", "active"),
    ]  # fmt: skip
    assert [row.me for row in shown.people] == [True, False, False, False]
    assert [row.sessions for row in shown.people] == [1, 0, 0, 0]
    assert shown.people[1].tokens == 1
    assert shown.people[1].rights == ["operator at Bench 1", "viewer for all of away"]
    assert shown.lonely == "anna"
    assert [each.who for each in shown.machines] == ["owner"]
    assert shown.guests[0].stand == "Bench 1"
    assert state_of(BOB, linked=False) == "out"
    html = html_of("people.html", shown)
    assert "<script>alert" not in html
    assert "2 browsers look" in html


async def test_what_was_typed_is_there_again() -> None:
    """In the form that it was typed into, and in no other."""
    typed = people.Typed(do="invite", name=EVIL, title="T", role="engineer", where="pi/*", life="3600")
    said, status = refused(BadName("no good name", nearest="ada"))
    assert (status, said.level) == (400, "bad")
    html = html_of("people.html", await people.build(site(), "anna", said=said, typed=typed))
    assert "no good name. Did you mean ada?" in html
    assert html.count("&lt;script&gt;alert") >= 1
    assert "<script>alert" not in html
    assert '<option value="engineer" selected>' in html
    assert '<option value="pi/*" selected>' in html
    assert '<option value="3600" selected>' in html


async def test_a_site_without_stands_and_people_says_what_to_do() -> None:
    """No empty lists to choose from."""
    bare = site([], guests=[GUEST], stands=made_up.FakeStands())
    html = html_of("people.html", await people.build(bare, "owner"))
    assert "Nobody has an account yet" in html
    assert "this site has none yet" in html
    assert "the site has no such stand now" in html


async def test_one_person_is_shown_whole() -> None:
    """Rights as rows with an empty one, what they come to, sessions, tokens, and the lines of the ledger."""
    lines = [
        made_up.line("3", kind="people", name="user.rights", node="", thing="bob", who="anna", made=NOW - 1,
                     detail="viewer → operator@bench", input={"from": "10.0.0.9"}),
        made_up.line("2", kind="people", name="guest.made", node="", thing="bob", who="anna", made=NOW - 2),
        made_up.line("1", kind="people", name="login", node="", thing="bob", who="bob", made=NOW - 3, input=None),
    ]  # fmt: skip
    made = site()
    made.ledger = made_up.FakeLedger(lines)
    shown = await people_person.build(made, "bob", "anna", "s1")
    assert shown.rows == [RightRow("operator", "bench"), RightRow("viewer", "away/*"), RightRow("", "")]
    assert [line.id for line in shown.lines] == ["3", "1"], "a guest link may have the same name"
    assert not shown.last
    html = html_of("people_person.html", shown)
    assert "from 10.0.0.9" in html
    assert "0 sessions and 1 token" in html
    assert 'value="bench" selected' in html
    anna = await people_person.build(made, "anna", "anna", "s1")
    assert anna.last
    assert anna.sessions[0].mine
    html = html_of("people_person.html", anna)
    assert "can be neither disabled nor removed" in html
    assert 'value="disable"' not in html
    with pytest.raises(NotThere) as caught:
        await people_person.build(made, "bobb")
    assert caught.value.nearest == "bob"


async def test_outside_and_disabled_people_get_what_helps_them() -> None:
    """No password link for whom somebody else knows; enable, and nothing else that would be refused."""
    zoe = html_of("people_person.html", await people_person.build(site(), "zoe", "anna"))
    assert 'value="link"' not in zoe
    assert "[groups]" in zoe
    eve = html_of("people_person.html", await people_person.build(site(), "eve", "anna"))
    assert 'value="enable"' in eve
    assert 'value="link"' not in eve
    assert "<script>alert" not in eve


async def test_typed_rights_are_kept_and_told() -> None:
    """Rows without a role are none; bad ones are kept too, and what holds is told then."""
    rows = [RightRow("viewer", ""), RightRow("", "bench"), RightRow("admin", "bench")]
    assert grants_of(rows) == ["viewer", "admin@bench"]
    shown = await people_person.build(site(), "bob", "anna", draft=Draft(rows=rows, spare=1))
    assert shown.rows == [RightRow("viewer", ""), RightRow("admin", "bench"), RightRow("", ""), RightRow("", "")]
    assert shown.summary.text.startswith("Sees stand Bench 1")
    shown = await people_person.build(site(), "bob", "anna", draft=Draft(rows=rows[:2], sure=True))
    assert shown.summary.text.startswith("Sees everything.")
    assert "You would not be an administrator any more" in html_of("people_person.html", shown)
    assert stamp_of(["a", "b"]) == stamp_of(["b", "a"]) != stamp_of(["a"])


def test_pages_say_only_their_own_sentences() -> None:
    """A code that is made up says nothing; remedies for programs are left out."""
    assert all(said_of(code) for code in SENTENCES)
    assert said_of("<b>you won</b>") is None
    said, status = refused(NotThere("nobody", remedy="Who is there: GET /api/people", nearest="bob"))
    assert (said.text, status) == ("nobody. Did you mean bob?", 404)
    assert refused(WebError(422, "bad-value", "no"))[1] == 422


def test_the_last_administrator_is_one_who_can_come_in() -> None:
    """An invited or a disabled one does not count."""
    invited = Person(name="ivy", grants=("admin",))
    assert last_admin([ANNA, BOB, invited]) == "anna"
    assert last_admin([ANNA, Person(name="ben", grants=("admin",), source="oidc")]) == ""
    assert last_admin([BOB]) == ""


def test_links_are_in_no_text_of_theirs() -> None:
    """Whoever prints or logs one shows no secret."""
    assert "hush" not in repr(Link(url="https://x/login?token=hush", expires=1))
    assert "hush" not in repr(people.Shown(url="hush", title="t", text="x", expires=1))
