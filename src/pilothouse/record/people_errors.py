"""What can stand in the way of a change about people."""

from __future__ import annotations

from pilothouse.errors import PilothouseError


class Taken(PilothouseError):
    """Somebody else is called so already."""


class LastAdmin(PilothouseError):
    """The change would leave the site without an administrator who can come in."""


class NotLetIn(PilothouseError):
    """No account, a disabled one, or a link that is used, too old or made up."""
