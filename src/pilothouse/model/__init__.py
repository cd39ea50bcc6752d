"""The device model: what things are and what is known of them. Pure: no asyncio, no I/O, no bus."""

from pilothouse.model.affordances import (
    ActionDescription,
    EventDescription,
    PropertyDescription,
    Schema,
    ThingDescription,
)
from pilothouse.model.declare import Event, Readable, Writable, action, event, readable, setting, writable
from pilothouse.model.names import Address, Series, check_name, is_id, is_name, new_id, slug
from pilothouse.model.thing import Thing, title_of
from pilothouse.model.values import Bar, Health, PropertyState, Quality, Reading, Value

__all__ = [
    "ActionDescription",
    "Address",
    "Bar",
    "Event",
    "EventDescription",
    "Health",
    "PropertyDescription",
    "PropertyState",
    "Quality",
    "Readable",
    "Reading",
    "Schema",
    "Series",
    "Thing",
    "ThingDescription",
    "Value",
    "Writable",
    "action",
    "check_name",
    "event",
    "is_id",
    "is_name",
    "new_id",
    "readable",
    "setting",
    "slug",
    "title_of",
    "writable",
]
