"""Tokens that people make for their programs: by the page, by REST, by `pilothouse login`."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request
from msgspec import Meta, Struct

from pilothouse.hub.site import address_of, real_site_of
from pilothouse.record.people_rows import Scope, TokenRow

DAY = 86_400.0
DAYS = 90
"""Days that a token lasts unless said."""


class WantedToken(Struct, kw_only=True, forbid_unknown_fields=True):
    """A token that is to be made."""

    name: Annotated[str, Meta(max_length=60)]
    """What it is for: "backup script"."""
    scope: Scope = "read"
    """"read": see what I may see; "operate": switch what I may switch; "administer": all that I may."""
    only: Annotated[str, Meta(max_length=130)] = ""
    """A stand, node/thing or node/* that it is for; "" = all that I may."""
    days: Annotated[float, Meta(gt=0, le=366)] = DAYS
    """Days until it ends."""


class MadeToken(Struct, kw_only=True):
    """A token that was made just now."""

    secret: str
    """What a program sends: `Authorization: Bearer SECRET`. It is never shown again."""
    token: TokenRow

    def __repr__(self) -> str:
        return f"MadeToken({self.token.id})"


async def make_token(request: Request[Any, Any, Any], who: str, wanted: WantedToken, origin: str) -> MadeToken:
    """Make a token of `who` and write that down; raises BadValue, BadName, NotLetIn, RecordError."""
    site, address = real_site_of(request), address_of(request)
    secret, row = await site.people.tokens.make(
        who, wanted.name, wanted.scope, wanted.only, life=wanted.days * DAY, address=address
    )
    place = f" at {row.only}" if row.only else ""
    detail = f"{row.name}: to {row.scope}{place}, for {wanted.days:g} days."
    await site.audit.note("token.made", thing=who, who=who, origin=origin, address=address, detail=detail)
    return MadeToken(secret=secret, token=row)
