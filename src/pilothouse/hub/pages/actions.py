"""Forms from the input schema of an action. Pure."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Struct

from pilothouse.hub.pages.rows import Choice, Control, choices_of, control_for, unwrapped
from pilothouse.hub.pages.rules import rules_of_action
from pilothouse.hub.why_not import Reason
from pilothouse.model import ActionDescription, Schema, title_of


class Field(Struct, frozen=True, kw_only=True):
    """One input of an action's form."""

    name: str
    title: str
    """Its name, and what it means where the schema says so."""
    control: Control
    required: bool
    default: str
    """What stands in the field at first."""
    minimum: float | None
    maximum: float | None
    whole: bool
    """Whether only whole numbers are taken."""
    choices: tuple[Choice, ...]


class ActionForm(Struct, frozen=True, kw_only=True):
    """One action as a form."""

    name: str
    title: str
    doc: str
    fields: tuple[Field, ...]
    confirm: str
    hazard: str
    timeout: float
    """Seconds that it may run."""
    operable: bool
    """Whether whoever looks may call it; the form is drawn only then."""
    bar: Reason | None
    """Why it may not be called now."""
    rules: tuple[str, ...]
    """What the guard holds it to, in sentences."""


def action_form(action: ActionDescription, *, operable: bool, bar: Reason | None = None) -> ActionForm:
    """The form of one action, for somebody who may call it or not."""
    schema = action.input or {}
    needed = set(schema.get("required", ()))
    fields = tuple(_field(name, each, name in needed) for name, each in schema.get("properties", {}).items())
    return ActionForm(
        name=action.name,
        title=action.title or title_of(action.name),
        doc=action.doc,
        fields=fields,
        confirm=action.confirm,
        hazard=action.hazard,
        timeout=action.timeout,
        operable=operable,
        bar=bar if operable else None,
        rules=rules_of_action(action),
    )


def _field(name: str, schema: Schema, required: bool) -> Field:
    bare = unwrapped(schema)
    control = control_for(schema)
    default = schema.get("default", bare.get("default"))
    return Field(
        name=name,
        title=_label(
            str(bare.get("title") or title_of(name)), str(schema.get("description") or bare.get("description") or "")
        ),
        control=control,
        required=required,
        default=_text(default, control),
        minimum=_bound(bare, "minimum", "exclusiveMinimum"),
        maximum=_bound(bare, "maximum", "exclusiveMaximum"),
        whole=bare.get("type") == "integer",
        choices=choices_of(schema, default),
    )


def _label(title: str, doc: str) -> str:
    """ "Seconds" and "seconds that it lasts" are "Seconds that it lasts", said once."""
    if not doc:
        return title
    return doc[:1].upper() + doc[1:] if doc.lower().startswith(title.lower()) else f"{title}, {doc}"


def _bound(schema: Schema, *keys: str) -> float | None:
    return next((float(schema[key]) for key in keys if isinstance(schema.get(key), int | float)), None)


def _text(default: Any, control: Control) -> str:
    if default is None:
        return ""
    return default if control == "text" and isinstance(default, str) else json.dumps(default)
