"""Problems: one shape, whole sentences, and a status and title for every kind."""

from __future__ import annotations

import inspect

import msgspec
import pytest

from pilothouse import errors
from pilothouse.bus.messages import End, Outcome, Why
from pilothouse.errors import NotThere, PilothouseError
from pilothouse.hub.answers import CAUSES, CommandProblem, encode_answer, outcome_of, status_of
from pilothouse.hub.problems import TITLES, Problem, WebError, broken, encode, problem_of, problem_of_status
from pilothouse.record.rows import Line

OURS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, PilothouseError)]


@pytest.mark.parametrize("kind", OURS)
def test_every_error_of_ours_becomes_a_problem(kind: type[PilothouseError]) -> None:
    """With what, why, remedy and the nearest name where they belong."""
    problem = problem_of(kind("it fell over", why="somebody pushed", remedy="pick it up", nearest="chair"))
    assert 400 <= problem.status <= 599 and problem.title
    assert (problem.detail, problem.cause, problem.remedy, problem.nearest) == (
        "It fell over.",
        "Somebody pushed.",
        "Pick it up.",
        "chair",
    )


def test_the_shape_is_one() -> None:
    """The members of RFC 9457 and ours, always all of them."""
    members = {"type", "title", "status", "detail", "cause", "remedy", "nearest"}
    for problem in (problem_of(NotThere("x")), problem_of_status(404), broken()):
        assert set(msgspec.json.decode(encode(problem))) == members
    assert members <= set(CommandProblem.__struct_fields__)
    assert set(Problem.__struct_fields__) == members


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 413, 415, 422, 429, 500, 503])
def test_what_the_framework_refuses_is_told_in_words(status: int) -> None:
    """Also statuses that nobody thought of."""
    problem = problem_of_status(status)
    assert problem.status == status and problem.title in TITLES.values() and problem.detail.endswith(".")


def test_texts_are_sentences_for_people() -> None:
    """Titles begin large and have no full stop; causes are sentences."""
    for title in TITLES.values():
        assert title[0].isupper() and not title.endswith(".")
    for why, cause in CAUSES.items():
        assert (why is Why.NONE) == (cause == "") and (not cause or (cause[0].isupper() and cause.endswith(".")))
    assert set(CAUSES) == set(Why)


def test_a_line_to_type_keeps_its_end() -> None:
    """No full stop is glued to what somebody will paste."""
    problem = problem_of(WebError(400, "bad-query", "no", remedy="Ask for /stats?interval=5"))
    assert problem.remedy == "Ask for /stats?interval=5"


@pytest.mark.parametrize("end", list(End))
@pytest.mark.parametrize("why", list(Why))
def test_every_end_and_reason_has_a_status(end: End, why: Why) -> None:
    """And only a confirmed one is a success."""
    status = status_of(end, why)
    assert (status == 200) == (end is End.CONFIRMED) and status in (200, 403, 404, 409, 422, 423, 428, 502, 503, 504)


def test_the_answer_from_the_ledger_is_the_answer_that_was_given() -> None:
    """Byte for byte, so that a second call with the same key cannot tell them apart."""
    outcome = Outcome(
        id="0192e4a0-0001", node="pi", epoch=3, thing="t", name="n", end=End.FAILED, why=Why.DEVICE,
        detail="no", remedy="yes", value=[1, None], accepted=1, asked=2, ended=3, took_ms=1.5,
    )  # fmt: skip
    line = Line(
        id=outcome.id, node="pi", thing="t", kind="property", name="n", who="ada", origin="api", made=0, ttl=5, epoch=3,
        end="failed", why="device", detail="no", remedy="yes", value=[1, None], accepted=1, asked=2, ended=3,
        took_ms=1.5,
    )  # fmt: skip
    assert encode_answer(outcome_of(line)) == encode_answer(outcome)
    status, media_type, body = encode_answer(outcome)
    assert status == 502 and media_type == "application/problem+json"
    assert msgspec.json.decode(body)["type"] == "urn:pilothouse:problem:failed"
