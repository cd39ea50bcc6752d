"""What the pages about one's own account say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.errors import BadName, BadValue
from pilothouse.hub.audit import AT_ONCE, EVERY, Allowance
from pilothouse.hub.pages.login_forms import Typed, new_password, said
from pilothouse.hub.pages.right_words import browser_words, how_words, scope_words

EMPTY = Typed(name="", password="", again="", current="", token="", key="", next="")


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
            "Chrome on Linux",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5.0", "curl"),
        ("", "a program"),
    ],
)
def test_a_browser_is_told_in_words(agent: str, words: str) -> None:
    """Out of what it calls itself, in which every one claims to be all others."""
    assert browser_words(agent) == words


@given(st.text(max_size=120))
def test_a_browser_may_call_itself_anything(agent: str) -> None:
    """Something short is shown all the same."""
    assert 0 < len(browser_words(agent)) <= 40


def test_every_way_in_and_every_scope_has_words() -> None:
    """None is shown by its code."""
    assert how_words("link") == "one-time link"
    assert scope_words("operate") == "look on and switch"


def test_a_new_password_is_typed_twice() -> None:
    """And must be good enough for its owner."""
    form = Typed(
        **{**dict.fromkeys(Typed.__struct_fields__, ""), "password": "correct horse", "again": "correct horse"}
    )
    assert new_password(form, "ada") == "correct horse"
    with pytest.raises(BadValue, match="differ"):
        new_password(Typed(**{**dict.fromkeys(Typed.__struct_fields__, ""), "password": "correct horse"}), "ada")
    with pytest.raises(BadValue, match="10 characters"):
        new_password(EMPTY, "ada")


def test_what_was_typed_is_in_no_repr() -> None:
    """A log that shows a form shows no secret."""
    assert "horse" not in repr(Typed(**dict.fromkeys(Typed.__struct_fields__, "correct horse")))


def test_an_error_is_said_in_two_sentences() -> None:
    """What and why; then the nearest right thing and what to do."""
    error = BadName(
        "'Ada' cannot be somebody's name", why="it has a large letter", nearest="ada", remedy="choose another"
    )
    assert said(error) == (
        "'Ada' cannot be somebody's name. It has a large letter.",
        "Did you mean ada? Choose another.",
    )


def test_strangers_cannot_fill_the_ledger() -> None:
    """Some lines at once, then one in a while; the next says how many were left out."""
    allowance = Allowance()
    assert [allowance.take(0) for _ in range(AT_ONCE)] == [0] * AT_ONCE
    assert [allowance.take(EVERY - 1) for _ in range(500)] == [None] * 500
    assert allowance.take(EVERY) == 500
    assert allowance.take(EVERY) is None
    assert allowance.take(10 * EVERY) == 1


@given(st.lists(st.integers(0, 60_000), max_size=300))
def test_lines_of_strangers_are_bounded(later: list[int]) -> None:
    """However they come."""
    allowance, now, written, left_out, told = Allowance(), 0, 0, 0, 0
    for step in later:
        now += step
        found = allowance.take(now)
        written += found is not None
        left_out += found is None
        told += found or 0
    assert written <= AT_ONCE + now // EVERY
    assert told <= left_out
