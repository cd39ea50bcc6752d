"""Makes the log-in of `[oidc]` ready, and finds what cannot work before anybody tries."""

from __future__ import annotations

import ssl
from pathlib import Path

from litestar.types import ControllerRouterHandler

from pilothouse.clock import Clock
from pilothouse.config.secret_file import read_secret
from pilothouse.config.site import Config, OidcConfig
from pilothouse.errors import CannotStart, ConfigError
from pilothouse.hub.outside.oidc import CALLBACK, Oidc
from pilothouse.hub.outside.provider import Provider, is_loopback, is_safe
from pilothouse.hub.outside.routes import come_back, leave


def open_oidc(config: Config, url: str, clock: Clock) -> tuple[Oidc, tuple[ControllerRouterHandler, ...]]:
    """The log-in and its routes; `url` is how browsers reach this hub. Raises CannotStart."""
    settings = config.oidc
    _check(settings)
    if not config.hub.public_url and not is_loopback(f"http://{_bracketed(config.hub.host)}"):
        raise CannotStart(
            "[oidc] needs hub.public_url",
            why="the provider sends browsers back to one address, and this hub listens on many",
            remedy='Write how browsers reach it, such as public_url = "https://pilot.example:8470"',
        )
    provider = Provider(settings, _secret(settings), _trusted(settings), clock)
    return Oidc(settings, provider, url, clock), (leave, come_back)


def _check(settings: OidcConfig) -> None:
    if not is_safe(settings.issuer, loopback=True):
        raise CannotStart(
            f"oidc.issuer is {settings.issuer!r}, which is no https address",
            why="whoever listens on the way could log in as anybody",
            remedy="Write the issuer as the provider does, such as https://id.example/realms/lab",
        )
    if not settings.client_id:
        raise CannotStart(
            "oidc.client_id is empty",
            remedy=f"Register this hub at the provider, with the redirect address …{CALLBACK}, and write its name here",
        )
    if "openid" not in settings.scopes:
        raise CannotStart('oidc.scopes has no "openid"', why="without it the provider says of nobody who they are")


def _secret(settings: OidcConfig) -> str:
    """ "" for a public client, which has none: then PKCE alone holds."""
    if not settings.client_secret_file:
        return ""
    try:
        return read_secret(settings.client_secret_file, "The client secret (oidc.client_secret_file)")
    except ConfigError as error:
        raise CannotStart(error.what, why=error.why, remedy=error.remedy) from None


def _trusted(settings: OidcConfig) -> ssl.SSLContext:
    if not settings.ca_file:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(Path(settings.ca_file).expanduser()))
    except (OSError, ValueError) as error:  # a broken certificate is an SSLError, and that is an OSError
        why = getattr(error, "strerror", "") or "it holds no certificate in PEM"
        raise CannotStart(f"oidc.ca_file cannot be used: {settings.ca_file}", why=why) from None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
