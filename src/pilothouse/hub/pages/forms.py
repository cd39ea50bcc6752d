"""Fields of HTML forms that a browser without JavaScript sends."""

from __future__ import annotations

from typing import Any

from litestar import Request

_LONGEST = 500
_MOST = 50


class Form:
    """What was filled in; every field is text, cut to what a person may mean by it."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def text(self, name: str, default: str = "") -> str:
        """The first field of that name."""
        return next((value for key, value in self._fields if key == name), default)

    def texts(self, name: str, most: int = _MOST) -> list[str]:
        """All fields of that name, the first `most` of them."""
        return [value for key, value in self._fields if key == name][:most]


async def form_of(request: Request[Any, Any, Any]) -> Form:
    """The form of a request; files and anything else that is no text are left out."""
    given = await request.form()
    return Form([(key, value.strip()[:_LONGEST]) for key, value in given.multi_items() if isinstance(value, str)])
