"""People who are known elsewhere: at an identity provider (OpenID Connect), or to a reverse proxy.

What needs Authlib is imported only when `[oidc]` names a provider.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from pilothouse.errors import CannotStart
from pilothouse.hub.outside.arriving import Arriving
from pilothouse.hub.outside.header_login import HeaderLogin

if TYPE_CHECKING:
    from litestar.types import ControllerRouterHandler

    from pilothouse.hub.outside.oidc import Oidc
    from pilothouse.hub.site import Site

__all__ = ["Button", "HeaderLogin", "Outside", "open_outside"]

_EXTRA = frozenset({"authlib", "joserfc"})


class Button(NamedTuple):
    """What the log-in page offers. A link, never a form: the page's policy lets no form lead to another site."""

    title: str
    """"Log in with single sign-on"."""
    href: str
    """Path on this hub; takes `next`, a path to go to afterwards."""


class Outside(NamedTuple):
    """All ways in from outside that the configuration names. The application keeps it as its state `outside`."""

    arriving: Arriving
    header: HeaderLogin | None = None
    """Log-in by headers of a proxy."""
    oidc: Oidc | None = None
    """Log-in at an identity provider."""
    routes: tuple[ControllerRouterHandler, ...] = ()
    """What the application serves for it."""
    button: Button | None = None
    """For the log-in page."""


def open_outside(site: Site) -> Outside:
    """The ways in from outside; the provider is asked only when somebody logs in. Raises CannotStart."""
    config = site.config
    arriving = Arriving(site.people, config.groups)
    outside = Outside(arriving)
    if config.proxy_login.user_header:
        if not config.hub.behind_proxy:
            raise CannotStart(
                "proxy_login.user_header needs hub.behind_proxy",
                why="without the addresses of the proxies anybody could send that header",
                remedy='Name them, such as behind_proxy = ["127.0.0.1"], or take user_header away',
            )
        outside = outside._replace(header=HeaderLogin(site.people, arriving, site.audit, site.clock))
    if not config.oidc.issuer:
        return outside
    try:
        opening = import_module("pilothouse.hub.outside.opening")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise CannotStart(
            "[oidc] names a provider, and the part of Pilothouse for that is not installed",
            why=f"there is no {error.name}",
            remedy="Install it: pip install 'pilothouse[oidc]'",
        ) from None
    oidc, routes = opening.open_oidc(config, site.url, site.clock)
    button = Button(f"Log in with {config.oidc.title}", "/login/oidc")
    return outside._replace(oidc=oidc, routes=routes, button=button)
