"""Pages for people who are not let in, ask for what is not there, or meet a mistake of ours."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from typing import Any

from litestar import Request
from litestar.response import Response
from msgspec import Struct
from msgspec.structs import replace

from pilothouse.errors import NotThere, PilothouseError
from pilothouse.hub.pages.render import HTML, environment, page
from pilothouse.hub.problems import Problem, problem_of

_POLICY = "default-src 'none'; style-src '{hash}'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"


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
    """401: how to get a log-in link. Needs no other file, for nothing is given to who is not logged in."""
    detail = problem.detail if problem else ""
    return _alone("locked.html", 401, detail=detail)


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
        return _alone("alone.html", problem.status, shown=shown)
    return page(request, "error.html", shown, title=problem.title, status=problem.status)


def not_there(request: Request[Any, Any, Any], error: NotThere | PilothouseError) -> Response[bytes]:
    """404 with the nearest name; the remedy that programs get, a call of the API, is none for a page."""
    return problem_page(request, replace(problem_of(error), remedy=""))


def _alone(template: str, status: int, **shown: Any) -> Response[bytes]:
    html = environment().get_template(template).render(**shown)
    headers = {"Content-Security-Policy": _policy(template, html), "Cache-Control": "no-store"}
    return Response(html.encode(), status_code=status, media_type=HTML, headers=headers)


@lru_cache(maxsize=8)
def _style_hash(style: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _policy(template: str, html: str) -> str:
    """A policy that allows exactly the style that the page carries in itself."""
    found = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    return _POLICY.format(hash=_style_hash(found.group(1)) if found else "none")
