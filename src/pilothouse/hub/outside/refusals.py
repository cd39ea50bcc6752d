"""What people are told when a log-in elsewhere does not work; none of it holds a code, a token or a secret."""

from __future__ import annotations

from pilothouse.errors import PilothouseError
from pilothouse.hub.outside.mapping import plain
from pilothouse.hub.problems import WebError

_AGAIN = "Log in again, from the log-in page of this hub"


def unknown_state(own_url: str) -> WebError:
    """The callback was called with a state that is not this browser's."""
    return WebError(
        400,
        "outside",
        "This log-in is not one that was begun in this browser",
        why="it was used already, took longer than ten minutes, or began elsewhere",
        remedy=f"Begin again at {own_url}/login",
    )


def bad_callback(why: str) -> WebError:
    """The callback was called with parameters that no provider sends."""
    return WebError(400, "outside", "The identity provider's answer cannot be read", why=why, remedy=_AGAIN)


def provider_refused(error: str, description: str) -> WebError:
    """The provider says no; `description` is its text, and only text."""
    said = plain(description) or plain(error)
    if error == "access_denied":
        return WebError(403, "outside", "The identity provider did not let you in", why=said, remedy=_AGAIN)
    return WebError(
        502,
        "provider",
        f"The identity provider refused the log-in: {plain(error, 60)}",
        why=said,
        remedy="Whoever runs this hub can compare [oidc] with what the provider knows of it",
    )


def provider_away(why: str) -> WebError:
    """It does not answer; the hub itself is well."""
    return WebError(
        503,
        "provider",
        "The identity provider does not answer",
        why=why,
        remedy="Try again in a minute; an account of this hub's own, or pilothouse link, lets in meanwhile",
    )


def provider_odd(why: str, remedy: str = "") -> WebError:
    """It answers something that no provider answers."""
    return WebError(
        502,
        "provider",
        "The identity provider's answer cannot be used",
        why=why,
        remedy=remedy or "Whoever runs this hub can compare oidc.issuer with the provider's own discovery document",
    )


def bad_token(error: PilothouseError) -> WebError:
    """The identity token is not to be believed."""
    why = f"{error.what}; {error.why}" if error.why else error.what
    return WebError(502, "provider", "The log-in cannot be believed", why=why, remedy=error.remedy or _AGAIN)


def not_let_in(error: PilothouseError) -> WebError:
    """The provider knows them; this hub does not take them as what they are called."""
    return WebError(403, "outside", error.what, why=error.why, remedy=error.remedy)


def disabled(name: str) -> WebError:
    """An administrator of this hub has disabled them."""
    return WebError(
        403,
        "outside",
        f"The account {name} is disabled on this hub",
        why="an administrator did that here; what the provider says does not change it",
        remedy="An administrator can enable it, on the page People",
    )
