"""Pages for people who are not let in, ask for what is not there, or meet a mistake of ours."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.response import Response
from msgspec import Struct
from msgspec.structs import replace

from pilothouse.errors import NotThere, PilothouseError
from pilothouse.hub.pages.alone import alone
from pilothouse.hub.pages.render import page
from pilothouse.hub.problems import Problem, problem_of


class ErrorPage(Struct, frozen=True, kw_only=True):
    """What an error's page shows."""

    status: int
    title: str
    detail: str
    cause: str
    remedy: str
    nearest: str
    """The right thing that was probably meant."""


def locked(problem: Problem | None = None) -> Response[bytes]:
    """401: where to log in."""
    detail = problem.detail if problem else ""
    return alone("locked.html", 401, detail=detail)


def problem_page(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    """Any problem as a page of the site."""
    if problem.status == 401:
        return locked(problem)
    shown = ErrorPage(
        status=problem.status,
        title=problem.title,
        detail=problem.detail,
        cause=problem.cause,
        remedy=problem.remedy,
        nearest=problem.nearest,
    )
    if "who" not in request.scope.get("state", {}):
        return alone("alone.html", problem.status, shown=shown)
    return page(request, "error.html", shown, title=problem.title, status=problem.status)


def not_there(request: Request[Any, Any, Any], error: NotThere | PilothouseError) -> Response[bytes]:
    """404 with the nearest name; the remedy that programs get, a call of the API, is none for a page."""
    return problem_page(request, replace(problem_of(error), remedy=""))
