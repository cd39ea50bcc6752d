"""The arithmetic behind the published figures."""

from __future__ import annotations

import json

import pytest
from bench.figures import (
    Figure,
    Result,
    differences,
    median,
    percentile,
    shown,
    slope,
    summed,
    target_shown,
    verdict,
)
from bench.load import stamps_in
from bench.script import CANNOT, WRONG, exit_code
from bench.table import filled, written
from bench.wire import request_bytes
from hypothesis import given
from hypothesis import strategies as st

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200)


def test_percentile_is_the_nearest_rank() -> None:
    """Of 1 to 100, p50 is 50 and p99 is 99; of one value everything is that value."""
    values = [float(n) for n in range(1, 101)]
    assert [percentile(values, share) for share in (0, 50, 99, 99.5, 100)] == [1, 50, 99, 100, 100]
    assert percentile([7.0], 99) == 7.0
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)
    with pytest.raises(ValueError, match="percentage"):
        percentile([1.0], 101)


@given(numbers, st.floats(0, 100))
def test_percentile_leaves_that_share_at_or_below(values: list[float], share: float) -> None:
    """It is one of the values, and at least `share` percent do not exceed it."""
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= len(values) * share / 100 - 1e-9


@given(numbers)
def test_median_does_not_depend_on_order(values: list[float]) -> None:
    """Half lie on either side, whatever the order they came in."""
    found = median(values)
    assert found == median(sorted(values, reverse=True))
    assert sum(value < found for value in values) <= len(values) / 2
    assert sum(value > found for value in values) <= len(values) / 2


def test_median_of_an_even_number_is_between() -> None:
    """The mean of the two in the middle."""
    assert median([4.0, 1.0, 3.0, 2.0]) == 2.5
    with pytest.raises(ValueError, match="nothing"):
        median([])


def test_slope_is_what_one_more_costs() -> None:
    """A fixed part does not count, and one place alone gives no slope."""
    assert slope([(0, 100), (500, 100 + 500 * 20), (1000, 100 + 1000 * 20)]) == pytest.approx(20)
    with pytest.raises(ValueError, match="two different"):
        slope([(5, 1), (5, 2)])


def test_a_figure_is_the_median_beside_the_median() -> None:
    """One wild round moves neither side."""
    figure = summed("x", "ms", [2.0, 900.0, 1.0], target=2, reference=("bare", [1.0, 1.0, 70.0]))
    assert (figure.measured, figure.low, figure.high, figure.rounds) == (2.0, 1.0, 900.0, 3)
    assert figure.ratio == 2.0
    assert verdict(figure) == "yes"


@pytest.mark.parametrize(
    ("sense", "target", "measured", "word"),
    [
        ("at most", 2.0, 2.0, "yes"),
        ("at most", 2.0, 2.01, "no"),
        ("at least", 2000.0, 1999.0, "no"),
        ("at least", 2000.0, 2000.0, "yes"),
        ("exactly", 0.0, 0.0, "yes"),
        ("exactly", 0.0, 1.0, "no"),
        ("at most", None, 5.0, "–"),
        ("at most", 2.0, None, "not measured"),
    ],
)
def test_verdict(sense: str, target: float | None, measured: float | None, word: str) -> None:
    """Missed is said as plainly as met, and what was not measured is neither."""
    figure = Figure(claim="x", unit="ms", sense=sense, target=target, measured=measured)  # type: ignore[arg-type]
    assert verdict(figure) == word


def test_wrong_is_worse_than_missed() -> None:
    """A lost command counts whatever the speed, and decides the exit code before anything else."""
    wrong = Figure(claim="lost", unit="", sense="exactly", target=0, measured=3, wrong=True)
    missed = Figure(claim="slow", unit="ms", target=1, measured=2)
    assert verdict(wrong) == "WRONG"
    assert exit_code([Result(script="a", figures=[missed])]) == 0
    assert exit_code([Result(script="a", figures=[], failed="no")]) == CANNOT
    assert exit_code([Result(script="a", figures=[], failed="no"), Result(script="b", figures=[wrong])]) == WRONG


def test_differences_tell_lost_from_double() -> None:
    """Done and never sent is neither; done three times is two too many."""
    assert differences(["1", "2", "3"], ["1", "3", "3", "3", "9"]) == (1, 2)
    assert differences([], []) == (0, 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (0.01234, "0.0123"),
        (1.5, "1.50"),
        (42.0, "42.0"),
        (123456.7, "123,457"),
        (999.7, "1,000"),
    ],
)
def test_shown_has_three_digits_that_count(value: float | None, text: str) -> None:
    """Neither false precision nor none."""
    assert shown(value) == text


def test_target_is_written_with_its_sign() -> None:
    """As the table of targets writes it."""
    assert target_shown(Figure(claim="x", unit="/s", sense="at least", target=2000)) == "≥ 2,000 /s"
    assert target_shown(Figure(claim="x", unit="ms")) == "–"


def test_the_page_says_no_where_it_is_no() -> None:
    """The table has the figure, the reference, the ratio and the verdict; the summary lists what is missed."""
    figure = summed("slow thing", "ms", [4.0, 4.0], target=2, reference=("bare", [1.0, 1.0]))
    page = written([Result(script="command", figures=[figure], conditions={"python": "3.11"})])
    assert "0 of 1 targets are met" in page
    assert "- slow thing" in page
    assert "| slow thing | ≤ 2 ms | 4.00 ms | 4.00 – 4.00 | bare: 1.00 ms | 4.00 | no |" in page


def test_the_page_names_what_could_not_be_measured() -> None:
    """A script that failed is said, with the first line of why; it is not silently left out."""
    page = written([Result(script="live", figures=[], failed="the stack ended\nTraceback …")])
    assert "Could not be measured at all: `bench.live`" in page
    assert "Could not be measured: the stack ended\n" in page
    assert "Traceback" not in page


def test_a_page_has_its_figures_between_its_marks_and_keeps_the_rest() -> None:
    """As often as it is filled; a page without a place for them is said."""
    figure = summed("agent killed", "ms", [300.0, 500.0, 400.0], target=2000)
    result = Result(script="failsafe", figures=[figure], conditions={"date": "today"})
    bare = "before\n<!-- failsafe: made by python -m bench -->\nold\n<!-- failsafe: end -->\nafter\n"
    page = filled(bare, result)
    assert "| agent killed | 400 ms | 300 – 500 | ≤ 2,000 ms |" in page and "old" not in page
    assert page.startswith("before\n") and page.endswith("\nafter\n")
    assert filled(page, result) == page
    with pytest.raises(ValueError, match="no place for figures"):
        filled("nothing", result)


def test_stamps_are_found_in_values_and_in_whole_things() -> None:
    """A live frame carries new readings as rows, and things whose health or wish changed whole."""
    change = {
        "values": [
            ["n", "a", "at", 1, 12.5, "good"],
            ["n", "a", "other", 1, 3.0, "good"],
            ["n", "b", "at", 1, None, "bad"],
        ],
        "things": [{"properties": {"at": {"value": 13.5}, "level": {"value": 1}}}],
    }
    assert stamps_in(f"id: 1\nevent: change\ndata: {json.dumps(change)}\n\n".encode()) == [12.5, 13.5]
    assert stamps_in(b": still here\n\n") == []


def test_a_request_says_how_long_its_body_is() -> None:
    """What goes over the wire is what HTTP/1.1 asks for."""
    assert request_bytes("PUT", "/x", "h:1", {"A": "b"}, b"{}") == (
        b"PUT /x HTTP/1.1\r\nHost: h:1\r\nA: b\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )
    assert b"Content-Length" not in request_bytes("GET", "/x", "h:1", {})
