"""Names, addresses, series and ids: what is good, what is refused, and what is suggested instead."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.errors import BadName
from pilothouse.model import Address, Series, check_name, is_id, is_name, new_id, slug

good_names = st.from_regex(r"[a-z][a-z0-9_-]{0,62}", fullmatch=True)


@given(good_names)
def test_good_names_stay_as_they_are(name: str) -> None:
    """And stand in an address and a series without quoting."""
    assert check_name("thing", name) == name
    assert slug(name) == name.strip("_-")
    assert Address.parse(f"pi/{name}") == ("pi", name)
    assert str(Series.parse(f"{name}/{name}.{name}")) == f"{name}/{name}.{name}"


@pytest.mark.parametrize(
    "name",
    ["", " ", "a b", "a.b", 'a"b', "a'b", "A", "1a", "_a", "-a", "a/b", "a>b", "a*", "ä", "a\n", "a\0", "a" * 64,
     "x" * 10_240, "ａ", "😀"],
)  # fmt: skip
def test_bad_names_are_refused_with_the_rule(name: str) -> None:
    """Spaces, dots, quotes, wildcards of the bus, control characters, other alphabets, far too long."""
    assert not is_name(name)
    with pytest.raises(BadName, match="small letter") as caught:
        check_name("property", name)
    assert len(str(caught.value)) < 400
    assert "property" in caught.value.what


def test_the_nearest_good_name_is_suggested() -> None:
    """What most people meant by it."""
    with pytest.raises(BadName) as caught:
        check_name("thing", "Bath Temperature.1")
    assert caught.value.nearest == "bath_temperature_1"


@given(st.text(max_size=200))
def test_slugs_are_good_names_or_nothing(text: str) -> None:
    """Whatever comes in."""
    assert slug(text) == "" or is_name(slug(text))


@pytest.mark.parametrize("text", ["", "a", "a/", "/a", "a/b/c", "a.b/c", "a/b.c", "A/b", "x" * 10_240])
def test_bad_addresses_are_refused(text: str) -> None:
    """In a short sentence."""
    with pytest.raises(BadName) as caught:
        Address.parse(text)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("text", ["", "a/b", "a.b", "a/b.", "a/b.c.d", "a/b.c d", "/.", "x" * 10_240])
def test_bad_series_are_refused(text: str) -> None:
    """In a short sentence."""
    with pytest.raises(BadName) as caught:
        Series.parse(text)
    assert len(str(caught.value)) < 400


@given(st.integers(min_value=0, max_value=(1 << 48) - 1))
def test_new_ids_are_uuids_of_version_7(now: int) -> None:
    """With the time in front."""
    made = new_id(now)
    number = uuid.UUID(made)
    assert (number.version, number.variant, str(number)) == (7, uuid.RFC_4122, made)
    assert number.int >> 80 == now
    assert is_id(made)


def test_new_ids_sort_by_time_and_differ() -> None:
    """A thousand of one millisecond, and one later."""
    ids = {new_id(1000) for _ in range(1000)}
    assert len(ids) == 1000
    assert max(ids) < new_id(1001)


@pytest.mark.parametrize("text", ["", "short", "a" * 65, "with space", "dots.are.bad", 'quo"te-quote', "ümlautümlaut"])
def test_bad_ids_are_no_ids(text: str) -> None:
    """Nothing that would have to be quoted anywhere."""
    assert not is_id(text)
