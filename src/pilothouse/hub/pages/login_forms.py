"""What people type to come in. Unlike other fields, a password is taken as it is, with its spaces."""

from __future__ import annotations

from typing import Any

from litestar import Request
from msgspec import Struct

from pilothouse.errors import BadValue, PilothouseError
from pilothouse.record.passwords import check_password

_LONGEST = 500


class Typed(Struct, frozen=True, kw_only=True):
    """The fields of a form that somebody comes in with; "" for what is not there."""

    name: str
    password: str
    again: str
    """The new password once more."""
    current: str
    """The password that is to be changed."""
    token: str
    """Secret of a one-time link."""
    key: str
    """Secret of a guest link."""
    next: str
    """Where to go then, as it came."""

    def __repr__(self) -> str:
        return "Typed(…)"


async def typed(request: Request[Any, Any, Any]) -> Typed:
    """The form of a request; what is no text or far too long is left out, and then fits nothing."""
    given = await request.form()

    def field(name: str) -> str:
        value = given.get(name)
        return value if isinstance(value, str) and len(value) <= _LONGEST else ""

    return Typed(
        name=field("name").strip(),
        password=field("password"),
        again=field("again"),
        current=field("current"),
        token=field("token").strip(),
        key=field("key").strip(),
        next=field("next"),
    )


def new_password(form: Typed, name: str) -> str:
    """The password that was typed twice; raises BadValue when it was not, or is not good enough for `name`."""
    if form.password != form.again:
        raise BadValue("The two passwords differ", remedy="Type the same one twice")
    check_password(form.password, name)
    return form.password


def said(error: PilothouseError) -> tuple[str, str]:
    """(what happened and why, what to do) in sentences, for the page that keeps what was typed."""
    near = f"Did you mean {error.nearest}?" if error.nearest else ""
    what = " ".join(_sentence(part) for part in (error.what, error.why) if part)
    return what, " ".join(_sentence(part) for part in (near, error.remedy) if part)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!", ":")) else ".")
