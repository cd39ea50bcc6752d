"""Who may do what: the table, the pure function, the texts. Checked against a second telling of the rules."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pilothouse.errors import BadName
from pilothouse.model import Address
from pilothouse.rights import (
    NOBODY,
    SITE,
    TABLE,
    Deed,
    Grant,
    Place,
    Rights,
    Role,
    check_person,
    check_where,
    covers,
    may,
    parse_grant,
    parse_grants,
    refusal,
    role_anywhere,
    role_at,
)

NODES, THINGS, STANDS = ("pi", "lab"), ("relays", "bath"), ("bench", "wet")
places = st.one_of(
    st.just(SITE),
    st.sampled_from(STANDS).map(Place.of_stand),
    st.builds(
        lambda node, thing, stands: Place(Address(node, thing), frozenset(stands)),
        st.sampled_from(NODES),
        st.sampled_from(THINGS),
        st.sets(st.sampled_from(STANDS)),
    ),
)
wheres = st.sampled_from(["", *STANDS, *(f"{node}/{thing}" for node in NODES for thing in (*THINGS, "*"))])
grants = st.builds(Grant, st.sampled_from([Role.VIEWER, Role.OPERATOR, Role.ENGINEER]), wheres) | st.just(
    Grant(Role.ADMIN)
)
people = st.builds(
    Rights,
    st.lists(grants, max_size=4).map(tuple),
    st.sampled_from(["session", "token", "guest"]),
    st.sampled_from(list(Role)),
    wheres,
)


def test_the_whole_table_as_people_read_it():
    """Each deed with its least role and where it is asked: a change of the table is a decision, made here too."""
    assert {deed: (rule.least, rule.where, rule.guests, rule.tokens) for deed, rule in TABLE.items()} == {
        Deed.SEE: (Role.VIEWER, "place", True, True),
        Deed.STOP: (Role.VIEWER, "anywhere", False, True),
        Deed.OPERATE: (Role.OPERATOR, "place", False, True),
        Deed.HOLD: (Role.OPERATOR, "place", False, True),
        Deed.TAKE_BACK: (Role.ENGINEER, "place", False, True),
        Deed.TAKE_OVER: (Role.ENGINEER, "place", False, True),
        Deed.LIFT: (Role.ENGINEER, "site", False, True),
        Deed.AUDIT: (Role.ADMIN, "site", False, True),
        Deed.PEOPLE: (Role.ADMIN, "site", False, True),
        Deed.OWN: (None, "anywhere", False, False),
    }
    assert set(TABLE) == set(Deed), "a deed that is not in the table is nobody's"


@given(st.sampled_from([deed for deed in Deed if deed is not Deed.OWN]), places)
def test_nobody_may_anything(deed: Deed, place: Place):
    """Deny by default: without a grant there is no deed but one's own account."""
    assert not may(NOBODY, deed, place)
    assert not may(Rights((), "token"), deed, place)


@given(people, st.sampled_from(list(Deed)), places)
def test_more_rights_never_take_anything_away(rights: Rights, deed: Deed, place: Place):
    """One more grant keeps all that was allowed; a lesser token, or one for a place, only takes away."""
    wider = rights._replace(grants=(*rights.grants, Grant(Role.VIEWER, "bench")))
    if may(rights, deed, place):
        assert may(wider, deed, place)
        assert may(rights._replace(most=Role.ADMIN, only=""), deed, place)
    if not may(rights._replace(most=Role.ADMIN, only=""), deed, place):
        assert not may(rights, deed, place)


@given(people, places)
def test_a_role_at_a_place_is_the_best_grant_there_within_the_token(rights: Rights, place: Place):
    """Told a second time, the long way."""
    reached = [grant.role for grant in rights.grants if _covers_slowly(grant.where, place)]
    if not reached or not _covers_slowly(rights.only, place):
        assert role_at(rights, place) is None
    else:
        order = list(Role)
        best = order[min(max(map(order.index, reached)), order.index(rights.most))]
        assert role_at(rights, place) is best


@given(people, places)
@example(
    Rights((Grant(Role.VIEWER, "wet"),), "token", Role.ADMIN, "bench"),
    Place(Address("pi", "bath"), frozenset({"bench", "wet"})),
)
def test_whoever_has_a_role_somewhere_has_one_anywhere(rights: Rights, place: Place):
    """Pressing stop asks for any place at all, so it never takes more than seeing one of them."""
    here, anywhere = role_at(rights, place), role_anywhere(rights)
    if here is not None:
        assert anywhere is not None
        assert anywhere.covers(here)
    if rights.through != "guest" and may(rights, Deed.SEE, place):
        assert may(rights, Deed.STOP)


@given(people, places)
def test_guests_only_look_and_tokens_open_no_accounts(rights: Rights, place: Place):
    """Whatever grants they come with."""
    guest, token = rights._replace(through="guest"), rights._replace(through="token")
    assert not [deed for deed in Deed if deed is not Deed.SEE and may(guest, deed, place)]
    assert not may(token, Deed.OWN)


@given(st.sampled_from(STANDS), st.sampled_from([Deed.PEOPLE, Deed.AUDIT, Deed.LIFT]), people)
def test_what_concerns_the_site_is_not_done_with_rights_at_a_stand(stand: str, deed: Deed, rights: Rights):
    """An engineer of one stand lifts no stop, and a token for one stand changes nobody's rights."""
    only = rights._replace(only=stand)
    assert not may(only, deed)
    assert not may(Rights((Grant(Role.ENGINEER, stand),)), deed)


@given(people, st.sampled_from(list(Deed)), places)
def test_every_refusal_says_who_what_why_and_what_to_do(rights: Rights, deed: Deed, place: Place):
    """A refusal is one plain sentence, whatever was refused."""
    if may(rights, deed, place):
        return
    error = refusal("bob", rights, deed, place)
    assert error.what.startswith("bob may not ")
    assert error.why
    assert error.remedy
    assert "{" not in str(error)


@given(grants)
def test_a_grant_reads_as_it_is_written(grant: Grant):
    """Text and back."""
    assert parse_grant(str(grant)) == grant


@pytest.mark.parametrize(
    ("text", "words", "near"),
    [
        ("operater", "is no role", "operator"),
        ("", "is no role", ""),
        ("operator@", "no place", "operator"),
        ("admin@bench", "cannot be given", "engineer@bench"),
        ("operator@Bench 1", "cannot be the name of a stand", "bench_1"),
        ("operator@pi/", "cannot be the name of a thing", "pi/*"),
        ("operator@pi/Bath", "cannot be the name of a thing", "pi/bath"),
        ("operator@*/bath", "cannot be the name of a node", ""),
        ("operator@pi/*/x", "cannot be the name of a thing", "pi/x"),
    ],
)
def test_a_bad_grant_says_what_is_wrong(text: str, words: str, near: str):
    """With the nearest right thing, where there is one."""
    with pytest.raises(BadName) as caught:
        parse_grant(text)
    assert words in caught.value.what
    assert caught.value.nearest == near


def test_grants_are_a_set():
    """Twice the same is once, and the order does not matter; too many are refused."""
    assert parse_grants(["viewer", "operator@bench", "viewer"]) == parse_grants(["operator@bench", " viewer "])
    with pytest.raises(BadName, match="too many"):
        parse_grants(f"viewer@s{number}" for number in range(201))


@given(wheres)
def test_a_good_place_stays_as_it_is(where: str):
    """And is covered by itself."""
    assert check_where(where) == where
    assert covers("", SITE)


@pytest.mark.parametrize("name", ["anna", "anna.b", "x", "7of9", "anna@example.org", "a" * 63])
def test_people_may_be_called_so(name: str):
    """Small letters and digits, and what addresses are made of."""
    assert check_person(name) == name


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("owner", "owner-1"),
        ("guard", "guard-1"),
        ("", ""),
        ("Anna B", "anna-b"),
        ("guest:bench", "guest-bench"),
        ("../etc/passwd", "etc-passwd"),
        ("аdmin", "dmin"),
        ("a" * 64, "a" * 63),
        ("anna\n", "anna"),
        ("@x", "x"),
    ],
)
def test_people_may_not_be_called_so(name: str, near: str):
    """Names of ours, of guests, look-alikes, what would break a line of the log."""
    with pytest.raises(BadName) as caught:
        check_person(name)
    assert caught.value.nearest == near


def _covers_slowly(where: str, place: Place) -> bool:
    if where == "" or where in place.stands:
        return True
    return place.thing is not None and where in (str(place.thing), f"{place.thing.node}/*")
