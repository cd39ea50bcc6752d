"""From a request that wants something done to a command, and from its end to an answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from litestar import Request, Response
from msgspec import Meta

from pilothouse.hub.answers import encode_answer
from pilothouse.hub.commands import Wish
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import commands_of, site_of, visitor_of
from pilothouse.model import Address, Value, is_id, new_id

Ttl: TypeAlias = Annotated[float, Meta(ge=0.1, le=60)]
"""Seconds that a command may live."""


async def carry_out(
    request: Request[Any, Any, Any],
    key: str | None,
    address: Address,
    kind: Literal["property", "action"],
    name: str,
    input: Value,
    reason: str,
    ttl: float,
) -> Response[bytes]:
    """Have it done and answer with its end; raises what `Commands.run` does, and WebError (400) for a bad key."""
    if key is not None and not is_id(key):
        raise WebError(
            400,
            "bad-request",
            "The Idempotency-Key cannot be the id of a command",
            why="it has 8 to 64 letters, digits, '-' or '_'",
            remedy="Send a UUID, or leave the header out",
        )
    visitor = visitor_of(request)
    wish = Wish(
        id=key or new_id(site_of(request).clock.now()),
        address=address,
        kind=kind,
        name=name,
        input=input,
        who=visitor.who,
        origin=visitor.origin,
        reason=reason,
        ttl=ttl,
    )
    ended = await commands_of(request).run(wish)
    status, media_type, content = encode_answer(ended.outcome)
    headers = {"Idempotency-Replayed": "true"} if ended.replayed else None
    return Response(content, status_code=status, media_type=media_type, headers=headers)
