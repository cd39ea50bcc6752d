"""How a driver declares what it has; reads like a data sheet (see `model.thing` for a whole one).

`readable()` and friends return declarations that stay on the class; the annotation beside them gives the type.
Nothing here is a value: values live in the device, and the agent asks for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from msgspec import UNSET, Struct, UnsetType

from pilothouse.model.affordances import Confirm
from pilothouse.model.values import Value

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Readable(Generic[T]):
    """Annotation of a property that can be read; T is the type of its value."""


class Writable(Readable[T]):
    """Annotation of a property that can be read and written."""


class Event(Generic[T]):
    """Annotation of an event; T is the type of what comes with it, None for nothing."""


class PropertyDeclaration(Struct, frozen=True, kw_only=True):
    """What `readable` and `writable` were given; the fields mean what PropertyDescription says."""

    writable: bool
    doc: str = ""
    title: str = ""
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    precision: int | None = None
    every: float = 1.0
    dead_band: float = 0.0
    heartbeat: float = 0.0
    safe: Value | UnsetType = UNSET
    settle: float = 0.0
    confirm: Confirm = ""
    hazard: str = ""


class EventDeclaration(Struct, frozen=True, kw_only=True):
    """What `event` was given."""

    doc: str = ""
    title: str = ""


class ActionDeclaration(Struct, frozen=True, kw_only=True):
    """What `action` was given; hangs on the method."""

    doc: str = ""
    title: str = ""
    timeout: float = 10.0
    confirm: Confirm = ""
    hazard: str = ""


class SettingDeclaration(Struct, frozen=True, kw_only=True):
    """What `setting` was given: something that the configuration says once and nobody changes while it runs."""

    default: Value | UnsetType = UNSET
    doc: str = ""
    minimum: float | None = None
    maximum: float | None = None


def readable(  # noqa: PLR0913 - a data sheet has that many lines, and all are named
    *,
    doc: str,
    title: str = "",
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    precision: int | None = None,
    every: float = 1.0,
    dead_band: float = 0.0,
    heartbeat: float = 0.0,
) -> Any:
    """Declare a property that can be read; see PropertyDescription for the meaning and unit of each argument."""
    return PropertyDeclaration(
        writable=False,
        doc=doc,
        title=title,
        unit=unit,
        minimum=minimum,
        maximum=maximum,
        precision=precision,
        every=every,
        dead_band=dead_band,
        heartbeat=heartbeat,
    )


def writable(*, doc: str, safe: Value | UnsetType = UNSET, **more: Any) -> Any:
    """Declare a property that can be written too.

    `more` are the other fields of PropertyDescription (unit, minimum, maximum, precision, every, dead_band, settle,
    confirm, hazard, title). `safe` is the value it takes when nobody is in charge; left out = it is left alone.
    """
    return PropertyDeclaration(writable=True, doc=doc, safe=safe, **more)


def event(*, doc: str, title: str = "") -> Any:
    """Declare an event; the annotation `Event[T]` gives the type of what comes with it."""
    return EventDeclaration(doc=doc, title=title)


def setting(
    default: Value | UnsetType = UNSET, *, doc: str, minimum: float | None = None, maximum: float | None = None
) -> Any:
    """Declare a setting; without a default the configuration must give it."""
    return SettingDeclaration(default=default, doc=doc, minimum=minimum, maximum=maximum)


def action(
    *, doc: str, title: str = "", timeout: float = 10.0, confirm: Confirm | bool = "", hazard: str = ""
) -> Callable[[F], F]:
    """Declare a method as an action; its parameters are the input, its return annotation the output."""
    needs: Confirm = ("yes" if confirm else "") if isinstance(confirm, bool) else confirm

    def mark(method: F) -> F:
        declaration = ActionDeclaration(doc=doc, title=title, timeout=timeout, confirm=needs, hazard=hazard)
        method.__pilothouse_action__ = declaration  # type: ignore[attr-defined]
        return method

    return mark
