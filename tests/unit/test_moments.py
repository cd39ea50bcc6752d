"""Moments in questions: every way of writing them, and nonsense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.hub.moments import parse_moment
from pilothouse.hub.problems import WebError

NOW = 1_795_000_000_000


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", NOW),
        (" now ", NOW),
        ("-1h", NOW - 3_600_000),
        ("-90", NOW - 90_000),
        ("-250ms", NOW - 250),
        ("-30d", NOW - 30 * 86_400_000),
        ("1700000000000", 1_700_000_000_000),
        ("0", 0),
        ("2026-11-21T08:00:00Z", 1_795_248_000_000),
        ("2026-11-21t08:00:00z", 1_795_248_000_000),
        ("2026-11-21T09:00:00.250+01:00", 1_795_248_000_250),
        ("2026-11-21 08:00:00Z", 1_795_248_000_000),
    ],
)
def test_moments_are_understood(text: str, moment: int) -> None:
    """As people and programs write them."""
    assert parse_moment(text, now=NOW, name="from") == moment


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "1h", "-", "-1x", "--1h", "-inf", "-nan", "1e3", "2026-11-21", "2026-11-21T08:00:00",
     "2026-13-01T00:00:00Z", "9" * 15, "9" * 30, "١٢٣", "-99999d", "2026-11-21T08:00:00Z; drop"],
)  # fmt: skip
def test_nonsense_is_a_400_with_a_remedy(text: str) -> None:
    """Also moments before 1970 and after 9999."""
    with pytest.raises(WebError) as caught:
        parse_moment(text, now=NOW, name="from")
    assert caught.value.status == 400 and caught.value.remedy and "from" in caught.value.what


@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_a_400(text: str) -> None:
    """Nothing else ever."""
    try:
        moment = parse_moment(text, now=NOW, name="to")
    except WebError:
        moment = 0
    assert 0 <= moment < 253_402_300_800_000
