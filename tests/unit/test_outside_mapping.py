"""What a provider says of somebody, made into a name and rights."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.errors import BadName
from pilothouse.hub.outside.mapping import NoName, claim_at, grants_of, groups_in, name_in, plain, title_in
from pilothouse.rights import check_person, parse_grants

TABLE = {"lab": ("viewer", "operator@bench"), "staff": ("engineer@pi/*", "viewer"), "root": ("admin",), "none": ()}

json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def test_rights_are_those_of_all_groups():
    """Once each, in the order of their text; groups that nobody mapped give nothing."""
    assert [str(grant) for grant in grants_of(["lab", "strangers", "staff"], TABLE)] == [
        "engineer@pi/*",
        "operator@bench",
        "viewer",
    ]
    assert grants_of(["strangers", "none"], TABLE) == ()
    assert grants_of([], TABLE) == ()


@given(st.lists(st.sampled_from(["lab", "staff", "root", "none", "other"])), st.lists(st.sampled_from(["lab", "root"])))
def test_more_groups_never_take_rights_away(some, more):
    """The union: what a group gives stays, in whatever order and however often it is named."""
    few = set(grants_of(some, TABLE))
    assert few <= set(grants_of([*more, *some], TABLE))
    assert few == set(grants_of([*reversed(some), *some], TABLE))
    assert few <= set(parse_grants(right for rights in TABLE.values() for right in rights))


def test_more_rights_than_one_person_may_have_are_refused():
    """And not cut, for nobody would know which are missing."""
    with pytest.raises(BadName, match="too many"):
        grants_of(["crowd"], {"crowd": [f"viewer@stand-{number}" for number in range(300)]})


@pytest.mark.parametrize(
    ("claim", "groups"),
    [
        (["a", "b", "a"], ("a", "b")),
        ("a", ("a",)),
        ("a, b", ("a, b",)),
        ([" a ", "", 5, None, ["b"], "x" * 201], ("a",)),
        (None, ()),
        (5, ()),
        ({"a": True}, ()),
        (True, ()),
    ],
)
def test_groups_are_a_list_of_texts_or_one(claim, groups):
    """What is no text names no group, wherever it stands."""
    assert groups_in(claim) == groups


@given(json_like)
def test_groups_of_any_claim_are_short_texts(claim):
    """Never an error, never more than is looked at."""
    found = groups_in(claim)
    assert all(isinstance(group, str) and 0 < len(group) <= 200 for group in found)
    assert len(found) == len(set(found)) <= 1000


def test_claims_may_be_nested_and_may_have_dots_in_their_names():
    """The name as it stands comes first."""
    claims = {"realm_access": {"roles": ["a"]}, "https://id.example/groups": ["b"], "a.b": 1, "a": {"b": 2}}
    assert claim_at(claims, "realm_access.roles") == ["a"]
    assert claim_at(claims, "https://id.example/groups") == ["b"]
    assert claim_at(claims, "a.b") == 1
    assert claim_at(claims, "realm_access.roles.x") is None
    assert claim_at(claims, "nothing") is None


@pytest.mark.parametrize("name", ["ada", "ada@lab.example", "a.lovelace_2", "7of9"])
def test_a_good_name_is_taken_as_it_is(name):
    """An e-mail address in small letters is one."""
    assert name_in({"preferred_username": name}, "preferred_username") == name
    assert name_in({"user": {"login": name}}, "user.login") == name


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({}, "does not say your name"),
        ({"preferred_username": None}, "does not say your name"),
        ({"preferred_username": ""}, "does not say your name"),
        ({"preferred_username": ["ada"]}, "is no text"),
        ({"preferred_username": 7}, "is no text"),
        ({"preferred_username": "Ada Lovelace"}, "cannot be somebody's name"),
        ({"preferred_username": "owner"}, "Pilothouse uses itself"),
        ({"preferred_username": "guest:ada"}, "cannot be somebody's name"),
        ({"preferred_username": "x" * 64}, "cannot be somebody's name"),
        ({"preferred_username": "ada\n"}, "cannot be somebody's name"),
        ({"preferred_username": "аda"}, "cannot be somebody's name"),
    ],
)
def test_another_name_is_refused_and_not_mended(claims, said):
    """With what the provider must send; no other name is offered, for nobody can choose one here."""
    with pytest.raises(NoName, match=said) as caught:
        name_in(claims, "preferred_username")
    assert "oidc.name_claim" in caught.value.remedy and not caught.value.nearest


def test_an_address_that_nobody_checked_is_no_name():
    """Else whoever may register any address at the provider would become its owner here."""
    claims: dict[str, Any] = {"email": "ada@lab.example", "email_verified": False}
    with pytest.raises(NoName, match="has not checked"):
        name_in(claims, "email")
    assert name_in(claims | {"email_verified": True}, "email") == "ada@lab.example"
    assert name_in({"email": "ada@lab.example"}, "email") == "ada@lab.example"


@given(st.dictionaries(st.sampled_from(["preferred_username", "email", "sub"]), json_like))
def test_a_name_is_good_or_there_is_none(claims):
    """For whatever a provider sends."""
    try:
        name = name_in(claims, "preferred_username")
    except NoName:
        return
    assert check_person(name) == name == claims["preferred_username"]


@given(st.text(max_size=500), st.integers(min_value=2, max_value=100))
def test_what_others_wrote_is_one_plain_line(text, most):
    """No line breaks, no control characters, no more than is wanted."""
    line = plain(text, most)
    assert len(line) <= most and line.isprintable() and line == line.strip()


def test_titles_are_plain():
    """Markup stays text, and is escaped by the page."""
    assert title_in({"name": "Ada\n <b>Lovelace</b>\x00"}) == "Ada <b>Lovelace</b>"
    assert title_in({"name": 5}) == title_in({}) == ""
