"""`GET /api/rights`"""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from pilothouse.hub.encoded import encoded
from pilothouse.hub.needs import needs
from pilothouse.hub.openapi import answers
from pilothouse.hub.rights_matrix import Matrix, matrix_of
from pilothouse.hub.site import real_site_of
from pilothouse.rights import Deed


@get(
    "/api/rights",
    summary="Who may what, where",
    tags=["People"],
    operation_id="rights",
    responses=answers(Matrix, "The matrix", 503),
    opt=needs(Deed.PEOPLE),
)
async def get_rights(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The role that counts for each person and guest link on the site, at each stand and each thing."""
    site = real_site_of(request)
    return encoded(matrix_of(site, await site.people.persons.all(), await site.people.guests.all()))
