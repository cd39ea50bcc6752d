"""`GET /api/things`, `GET /api/things/{node}/{thing}`"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath
from msgspec import Struct

from pilothouse.hub.directory import ThingView
from pilothouse.hub.encoded import Kept, encoded, json_answer
from pilothouse.hub.frames import timed
from pilothouse.hub.needs import needs
from pilothouse.hub.openapi import answers
from pilothouse.hub.site import Site, site_of
from pilothouse.model import Address, Bar, Health, PropertyState, ThingDescription
from pilothouse.rights import Deed


class Things(Struct, kw_only=True):
    """All things, without their descriptions."""

    time: int = 0
    """The hub's clock."""
    things: list[ThingView]


class WholeThing(Struct, kw_only=True):
    """One thing with its description."""

    node: str
    thing: str
    title: str
    health: Health
    properties: dict[str, PropertyState]
    bars: dict[str, Bar]
    """Why an output (by its property) may not leave its safe value, or an action not be called, right now."""
    description: ThingDescription


def _encode(site: Site) -> bytes:
    return msgspec.json.encode({"things": site.directory.things()})


_kept = Kept(_encode)


@get(
    "/api/things",
    summary="All things",
    tags=["Things"],
    sync_to_thread=False,
    responses=answers(Things, "All things by address"),
    opt=needs(Deed.SEE, "seen"),
)
def get_things(request: Request[Any, Any, Any]) -> Response[bytes]:
    """All things with the latest of every property: value, time, quality, and what was last asked for."""
    site = site_of(request)
    return json_answer(timed(site.clock.now(), _kept.bytes(site)))


@get(
    "/api/things/{node:str}/{thing:str}",
    summary="One thing",
    tags=["Things"],
    sync_to_thread=False,
    responses=answers(WholeThing, "The thing", 404),
    opt=needs(Deed.SEE, "thing"),
)
def get_thing(request: Request[Any, Any, Any], node: FromPath[str], thing: FromPath[str]) -> Response[bytes]:
    """One thing with its description: types, units and limits of its properties, inputs of its actions."""
    directory = site_of(request).directory
    address = Address(node, thing)
    view = directory.thing(address)
    return encoded(
        WholeThing(
            node=view.node,
            thing=view.thing,
            title=view.title,
            health=view.health,
            properties=view.properties,
            bars=view.bars,
            description=directory.description(address),
        )
    )
