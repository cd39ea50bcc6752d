"""From a request that wants something of a node to what the node says: a command and its end, or a plain question."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from litestar import Request, Response
from msgspec import Meta, Struct

from pilothouse.bus.messages import Message
from pilothouse.errors import BusDown, NodeAway, NotThere, TimedOut, nearest
from pilothouse.hub.answers import encode_answer
from pilothouse.hub.commands import Wish
from pilothouse.hub.directory import NodeLife
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import Site, commands_of, real_site_of, site_of, visitor_of
from pilothouse.model import Address, Value, is_id, new_id
from pilothouse.rights import Deed, may, refusal

M = TypeVar("M", bound=Message)
Kind: TypeAlias = Literal["property", "action"]
Ttl: TypeAlias = Annotated[float, Meta(ge=0.1, le=60)]
"""Seconds that a command may live."""

_PATIENCE = 5.0
"""Seconds that a node may take to answer a question."""


class Terms(Struct, kw_only=True, forbid_unknown_fields=True):
    """What goes with every command besides its input."""

    reason: Annotated[str, Meta(max_length=1000)] = ""
    """Why, for the ledger."""
    ttl: Ttl = 5.0
    """Seconds within which the device must be asked; after that the command expires and is never done. What the
    device itself takes comes on top."""
    confirmation: Annotated[str, Meta(max_length=200)] = ""
    """The token of POST /api/confirmations, for what needs one; a new one for every command."""


async def carry_out(
    request: Request[Any, Any, Any],
    key: str | None,
    address: Address,
    kind: Kind,
    name: str,
    input: Value,
    terms: Terms,
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
    site, visitor = site_of(request), visitor_of(request)
    site.directory.thing(address)  # what they may not see is not there for them
    place = real_site_of(request).place(address)
    allowed = may(visitor.rights, Deed.OPERATE, place)
    wish = Wish(
        id=key or new_id(site.clock.now()),
        address=address,
        kind=kind,
        name=name,
        input=input,
        who=visitor.who,
        origin=visitor.origin,
        reason=terms.reason,
        ttl=terms.ttl,
        confirmation=terms.confirmation,
        denied=None if allowed else refusal(visitor.who, visitor.rights, Deed.OPERATE, place),
    )
    ended = await commands_of(request).run(wish)
    status, media_type, content = encode_answer(ended.outcome)
    headers = {"Idempotency-Replayed": "true"} if ended.replayed else None
    return Response(content, status_code=status, media_type=media_type, headers=headers)


async def ask_node(site: Site, node: str, subject: str, message: Message, reply: type[M]) -> M:
    """A node's answer to a question that is no command; raises NotThere, BusDown, NodeAway, TimedOut or BadMessage."""
    life, bus = site.directory.node(node).life, site.bus
    if bus is None or not bus.up:
        raise BusDown("The hub has no link to the bus", remedy="It is tried again by itself")
    if life is not NodeLife.HERE:
        raise _away(node, "it has left" if life is NodeLife.LEFT else "it has fallen silent")
    try:
        return await bus.request(subject, message, reply, _PATIENCE)
    except NodeAway:
        raise _away(node, "nobody listens there") from None
    except TimedOut:
        raise TimedOut(f"Node {node} did not answer in time", remedy="Look whether its agent still runs") from None


def check_there(site: Site, address: Address, kind: Kind, name: str) -> None:
    """Raise NotThere, with the nearest name, unless there is such a property or action."""
    description = site.directory.description(address)
    names = description.properties if kind == "property" else description.actions
    if name not in names:
        raise NotThere(f"{address} has no {kind} {name[:63]!r}", nearest=nearest(name, names))


def _away(node: str, why: str) -> NodeAway:
    return NodeAway(f"Node {node} is away", why=why, remedy="Look whether its agent runs and has a link to the bus")
