"""What can be wrong with a driver class, found when the class is made and not at its first poll."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from pilothouse.errors import BadDriver, BadValue, nearest
from pilothouse.model import declare
from pilothouse.model.affordances import PropertyDescription
from pilothouse.model.names import RULE, is_name
from pilothouse.model.types import check_limits, to_python

T = TypeVar("T")

_DECLARATIONS: dict[type, str] = {
    declare.PropertyDeclaration: "Readable[…] or Writable[…]",
    declare.EventDeclaration: "Event[…]",
    declare.SettingDeclaration: "the type of the setting",
}


def check_annotations(cls: type, hints: Collection[str], base: type) -> None:
    """Raise BadDriver for a declaration without annotation, and for a name that `base` needs for itself."""
    taken = {name for name in dir(base) if not name.startswith("__")} | {"name", "clock"}
    for name in {member for above in cls.__mro__ for member in vars(above)}:
        member = getattr(cls, name, None)
        annotation = _DECLARATIONS.get(type(member))
        is_action = hasattr(member, "__pilothouse_action__")
        if annotation is None and not is_action:
            continue
        if name in taken:
            other = f"{name}_it" if is_action else f"{name}_value"
            raise BadDriver(
                f"{cls.__name__}.{name} has a name that every driver needs for itself",
                remedy=f"Call it otherwise, such as {other}",
            )
        if annotation is not None and name not in hints:
            raise BadDriver(f"{cls.__name__}.{name} has no annotation", remedy=f"Write: {name}: {annotation} = …")


def check_property(label: str, found: PropertyDescription, kind: Any) -> None:
    """Raise BadDriver when the numbers of a property make no sense, or its safe value does not fit it."""
    if not is_name(found.name):
        raise BadDriver(f"{label} is not a good name for a property", why=RULE)
    if not 0 < found.every < float("inf"):
        raise BadDriver(f"{label} is polled every {found.every} s", remedy="Give it a period above 0")
    if not (found.dead_band >= 0 and found.settle >= 0 and found.heartbeat > 0):
        raise BadDriver(f"{label} has a dead band, settling time or heartbeat below 0")
    if found.minimum is not None and found.maximum is not None and not found.minimum <= found.maximum:
        raise BadDriver(f"{label} has a minimum of {found.minimum:g} and a maximum of {found.maximum:g}")
    if found.has_safe:
        try:
            to_python(found.safe, kind, label="its safe value")
            check_limits(found.safe, found.minimum, found.maximum, found.unit, label="its safe value")
        except BadValue as error:
            raise BadDriver(f"{label} cannot be made safe", why=str(error)) from None


def check_methods(cls: Any, base: Any, properties: Collection[PropertyDescription], others: Collection[str]) -> None:
    """Raise BadDriver when a property has no method to read or write it, or one of `others` has a bad name."""
    reads_itself = cls.read is not base.read
    writes_itself = cls.write is not base.write
    for found in properties:
        if not reads_itself and not hasattr(cls, f"read_{found.name}"):
            raise BadDriver(
                f"{cls.__name__} has property {found.name!r} and no read_{found.name}()",
                nearest=nearest(f"read_{found.name}", [name for name in dir(cls) if name.startswith("read_")]),
            )
        if found.writable and not writes_itself and not hasattr(cls, f"write_{found.name}"):
            raise BadDriver(
                f"{cls.__name__} has writable property {found.name!r} and no write_{found.name}()",
                nearest=nearest(f"write_{found.name}", [name for name in dir(cls) if name.startswith("write_")]),
            )
    for name in others:
        if not is_name(name):
            raise BadDriver(f"{cls.__name__}.{name} is not a good name", why=RULE)


def described(label: str, describe: Callable[[], T]) -> T:
    """What `describe` gives; a type that it cannot put into words is a BadDriver that names `label`."""
    try:
        return describe()
    except (TypeError, ValueError, NameError, RecursionError) as error:
        reason = str(error).strip().splitlines()
        raise BadDriver(
            f"{label} has a type that cannot travel",
            why=reason[-1] if reason else type(error).__name__,
            remedy="Use bool, int, float, str, Literal, enums, lists, dicts, msgspec structs and dataclasses of these",
        ) from error
