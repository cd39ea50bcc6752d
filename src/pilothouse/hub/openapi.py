"""The description of the API (OpenAPI 3.1): what handlers say of themselves, and what the framework cannot see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Router
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPI,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    PathItem,
    Reference,
    RequestBody,
    Schema,
    SecurityScheme,
    Tag,
)

from pilothouse import __version__
from pilothouse.hub.answers import CommandProblem
from pilothouse.hub.needs import needs
from pilothouse.hub.problems import MEDIA_TYPE, Problem
from pilothouse.rights import Deed

PATH = "/api/openapi.json"
FRAMEWORK = "/api/openapi"
"""Where the framework serves the document as it made it."""
_BEFORE = frozenset({403, 404, 422, 503})
"""Statuses of commands that a request may be refused with before there is a command."""
KEY_DOC = (
    "Id of the command, 8 to 64 letters, digits, '-' or '_'. The same key is never done twice: a second call with it "
    "gets the first one's end, with the header Idempotency-Replayed: true."
)
_TEXTS = {
    400: "The question cannot be taken, or the body is no JSON",
    401: "No session and no token, or not a good one",
    403: "Whoever asks may not, or another site asked in their name",
    404: "No such node, thing, property or action; `nearest` names the one that was probably meant",
    409: "It cannot be done as things stand; the detail says why",
    413: "The body has more than 1 MB",
    415: "The body is not application/json",
    422: "The body has the wrong shape",
    423: "Refused: the lease stands against it; the detail names who holds the stand and until when",
    429: "Tried too often; the header Retry-After says in how many seconds it may be tried again",
    500: "The hub made a mistake; its log says which",
    503: "The record, the bus or the hub cannot do it now",
    504: "No answer in time",
}
_COMMAND_TEXTS = {
    403: "Refused for want of rights; or another site asked",
    404: "Not there: the hub (without a line in the ledger) or the agent knows no such thing",
    409: "Refused: read-only, too much is waiting for this device, an interlock or another rule of the guard, stop was "
    "pressed, or somebody took it back",
    422: "Refused: wrong type or outside the limits; or the body has the wrong shape",
    423: "Refused: somebody else holds the stand, or nobody does and it must be held",
    428: "Refused: it needs a confirmation, see POST /api/confirmations",
    502: "Failed: the device was asked and said no, or its readback shows another value",
    503: "Refused: the node is away, stopping or has started anew; or the record cannot be written",
    504: "Expired (it will never be done) or unknown (nobody can say what became of it)",
}


def answers(kind: Any, text: str, *problems: int, media_type: str = "application/json") -> dict[int, ResponseSpec]:
    """Responses of a call: 200 with `kind`, and these statuses with a problem."""
    found = {200: ResponseSpec(kind, generate_examples=False, description=text, media_type=media_type)}
    for status in sorted({401, 403, 500, *problems}):
        found[status] = ResponseSpec(
            Problem, generate_examples=False, description=_TEXTS[status], media_type=MEDIA_TYPE
        )
    return found


def command_answers(kind: Any) -> dict[int, ResponseSpec]:
    """Responses of a call that sends a command."""
    found = answers(kind, "Confirmed: the device did it", 400, 413, 415)
    for status, text in _COMMAND_TEXTS.items():
        # Before a command is made a request may be refused too; then it is a problem without an end.
        problem = CommandProblem | Problem if status in _BEFORE else CommandProblem
        found[status] = ResponseSpec(problem, generate_examples=False, description=text, media_type=MEDIA_TYPE)
    return found


def body_of(kind: type[msgspec.Struct], example: dict[str, Any], *, required: bool = True) -> type[Operation]:
    """The class of an operation whose body is a `kind`; handlers read bodies themselves, for honest statuses."""

    @dataclass
    class WithBody(Operation):
        def __post_init__(self) -> None:
            (schema,), parts = msgspec.json.schema_components([kind])
            media = OpenAPIMediaType(schema=_schema(_whole(schema, parts)), example=example)
            self.request_body = RequestBody(content={"application/json": media}, required=required)

    return WithBody


def _whole(schema: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema with the structs that it refers to put in their places."""
    if "$ref" in schema:
        schema = {**parts[schema["$ref"].rpartition("/")[2]], **{key: schema[key] for key in schema if key != "$ref"}}
    inner = {name: _whole(part, parts) for name, part in schema.get("properties", {}).items()}
    return {**schema, "properties": inner} if inner else schema


def _schema(plain: dict[str, Any]) -> Schema:
    """JSON Schema of one object as the framework's struct."""
    fields = dict(plain)
    properties: dict[str, Reference | Schema] = {
        name: _schema(part) for name, part in fields.pop("properties", {}).items()
    }
    additional = fields.pop("additionalProperties", None)
    known = {"type": "type", "title": "title", "description": "description", "required": "required"}
    known |= {"default": "default", "minimum": "minimum", "maximum": "maximum", "maxLength": "max_length"}
    known |= {"enum": "enum", "exclusiveMinimum": "exclusive_minimum", "maxItems": "max_items"}
    items = fields.pop("items", None)
    given = {known[name]: value for name, value in fields.items() if name in known}
    if additional is not None:
        given["additional_properties"] = additional
    if items is not None:
        given["items"] = _schema(items)
    return Schema(properties=properties or None, **given)


def config() -> OpenAPIConfig:
    """Title, security and place of the description. The framework's own pages, which need other hosts, are left out."""
    schemes: dict[str, SecurityScheme | Reference] = {
        "token": SecurityScheme(type="http", scheme="bearer", description="An API token; see the file `token`."),
        "session": SecurityScheme(type="apiKey", name="ph_session", security_scheme_in="cookie"),
    }
    return OpenAPIConfig(
        title="Pilothouse",
        version=__version__,
        description="See and steer the things of a site. Times are Unix milliseconds (UTC) unless a field says "
        "otherwise; every answer with a status of 400 or more is a problem (RFC 9457) with cause and remedy.",
        path=FRAMEWORK,
        render_plugins=[JsonRenderPlugin()],
        # The framework serves its own copy there; who may read it is decided as for every route.
        openapi_router=Router(FRAMEWORK, route_handlers=[], opt=needs(Deed.SEE, "seen")),
        components=Components(security_schemes=schemes),
        security=[{"token": []}, {"session": []}],
        tags=[
            Tag(name="Things", description="What is there, and what it shows now."),
            Tag(name="Commands", description="Writing and doing; every call ends in exactly one honest end."),
            Tag(name="Stands", description="What is used together, and who holds it."),
            Tag(name="Live", description="What changes, as it changes."),
            Tag(name="Record", description="What was: readings, events, commands."),
            Tag(name="Account", description="One's own account: who I am, sessions, tokens for programs."),
            Tag(name="People", description="Who comes in, what they may, and guests; for administrators."),
            Tag(name="Hub", description="The hub itself."),
        ],
        use_handler_docstrings=True,
    )


def complete(document: OpenAPI) -> None:
    """Add what is served below the framework."""
    text = (
        "Server-Sent Events. First `snapshot` with all that is wanted: {time, hub, nodes, things, stands, lanes}. "
        "Then `change` with members only when there is something in them: {time, values: [[node, thing, property, "
        "time, value, quality]], things, nodes, hub, described, ended, stands, lanes}. `beat` every 2 s. A viewer that "
        "falls behind, and one that comes back, gets a fresh snapshot.\n\n"
        "A stream carries what its viewer may see, and nothing else: a thing in `things` that they may not see is like "
        "one that is not there. It ends with the session or token that it was opened with: its last event is `bye` "
        '{time, why: "ended"} then, and a new stream is refused (401). When rights change it goes on: `rights` {time} '
        "says so, and a fresh `snapshot` follows; so it does when a stand gets or loses things that they let see. An "
        "open stream counts as use of its session."
    )
    wanted = Parameter(
        name="things",
        param_in="query",
        schema=Schema(type="string"),  # type: ignore[arg-type]
        required=False,
        description="Addresses node/thing, separated by commas; none = everything.",
    )
    person = Parameter(
        name="for",
        param_in="query",
        schema=Schema(type="string"),  # type: ignore[arg-type]
        required=False,
        description="Name of the person whose stream it must be; for anybody else's session it is refused (409).",
    )
    stream = OpenAPIResponse(
        description="The stream",
        content={"text/event-stream": OpenAPIMediaType(schema=Schema(type="string"))},  # type: ignore[arg-type]
    )
    live = Operation(
        tags=["Live"],
        summary="Live stream",
        description=text,
        operation_id="live",
        parameters=[wanted, person],
        responses={"200": stream},
    )
    if document.paths is not None:
        document.paths["/api/live"] = PathItem(get=live)
        for path in [path for path in document.paths if path.startswith(FRAMEWORK)]:
            del document.paths[path]  # the framework's own copy of this document


def as_it_is(document: Any) -> Any:
    """The document as plain data, with `anyOf` where the framework says `oneOf`: 20.0 is an integer and a number."""
    if isinstance(document, dict):
        return {"anyOf" if key == "oneOf" else key: as_it_is(value) for key, value in document.items()}
    return [as_it_is(value) for value in document] if isinstance(document, list) else document
