"""The web application: routes, and what becomes of errors."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException, MethodNotAllowedException, ValidationException
from litestar.handlers import asgi
from litestar.types import ControllerRouterHandler

from pilothouse.errors import PilothouseError
from pilothouse.hub import openapi
from pilothouse.hub.api import api_routes
from pilothouse.hub.assets import Assets
from pilothouse.hub.bodies import LIMIT
from pilothouse.hub.commands import Commands
from pilothouse.hub.doorway import Doorway, wants_page
from pilothouse.hub.live import Live
from pilothouse.hub.needs import guard, needs, table
from pilothouse.hub.outside import Outside
from pilothouse.hub.pages import page_routes
from pilothouse.hub.pages.errors import problem_page
from pilothouse.hub.pages.render import STATIC
from pilothouse.hub.problems import MEDIA_TYPE, Problem, WebError, broken, encode, problem_of, problem_of_status
from pilothouse.hub.site import Site
from pilothouse.hub.stats import Averages
from pilothouse.hub.stops import Stops
from pilothouse.rights import Deed

log = logging.getLogger(__name__)

_GONE = "client disconnected prematurely"
"""What the framework says of a body that did not come to its end: nobody is left to answer, and nothing is broken."""


def make_app(
    site: Site, *, live: Live, commands: Commands, stops: Stops, averages: Averages, outside: Outside | None = None
) -> Doorway:
    """The ASGI application of one hub."""
    state = State(
        {"site": site, "commands": commands, "stops": stops, "averages": averages, "live": live, "outside": outside}
    )
    routes: list[ControllerRouterHandler] = [
        *(outside.routes if outside else ()),
        *api_routes,
        *page_routes,
        get_document,
        asgi("/api/live", copy_scope=False, opt=needs(Deed.SEE, "seen"))(live.serve),
        asgi("/static", is_mount=True, copy_scope=False, opt=needs(Deed.SEE, "seen"))(Assets(STATIC).serve),
    ]
    app = Litestar(
        routes,
        state=state,
        guards=[guard],
        openapi_config=openapi.config(),
        exception_handlers={HTTPException: _web, PilothouseError: _ours, Exception: _broken},
        request_max_body_size=LIMIT,
        logging_config=None,
    )
    openapi.complete(app.openapi_schema)
    state["openapi"] = msgspec.json.encode(openapi.as_it_is(app.openapi_schema.to_schema()))
    app.state.update(state)
    open_paths = frozenset(path for _, path, needed in table(app.routes) if needed.deed is None)
    return Doorway(site, app, open_paths, outside.header if outside else None)  # type: ignore[arg-type]


@get(openapi.PATH, include_in_schema=False, sync_to_thread=False, opt=needs(Deed.SEE, "seen"))
def get_document(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The description of the API."""
    return Response(request.app.state.openapi, media_type="application/json")


def _answer(
    request: Request[Any, Any, Any], problem: Problem, headers: dict[str, str] | None = None
) -> Response[bytes]:
    if wants_page(dict(request.scope["headers"]), request.scope["path"]):
        return problem_page(request, problem)
    return Response(encode(problem), status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def _ours(request: Request[Any, Any, Any], error: PilothouseError) -> Response[bytes]:
    return _answer(request, problem_of(error), error.headers if isinstance(error, WebError) else None)


def _web(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    if isinstance(error, ValidationException):
        return _answer(request, problem_of(_bad_query(error)))
    if error.status_code == 404:
        return _answer(request, problem_of_status(404, f"There is nothing at {request.scope['path'][:200]}"))
    if error.detail == _GONE:
        return _answer(request, problem_of_status(400, "The body did not come to its end"))
    headers = dict(error.headers or {}) if isinstance(error, MethodNotAllowedException) else None
    if error.status_code >= 500:
        return _broken(request, error)
    known = HTTPStatus(error.status_code).phrase
    return _answer(request, problem_of_status(error.status_code, error.detail or known), headers)


def _bad_query(error: ValidationException) -> WebError:
    """What is wrong with the first parameter that is wrong."""
    extra = error.extra if isinstance(error.extra, list) else []
    first = extra[0] if extra and isinstance(extra[0], dict) else {}
    name = first.get("key", "")
    why = str(first.get("message", error.detail))
    what = f"The parameter {name} cannot be taken" if name else "The question cannot be taken"
    return WebError(400, "bad-query", what, why=why, remedy="All parameters are described at /api")


def _broken(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    # The edge of the process: whatever it was, the person gets a problem and the log gets the trace.
    log.error("%s %s broke", request.scope["method"], request.scope["path"][:200], exc_info=error)
    return _answer(request, broken())
