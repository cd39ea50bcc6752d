"""How safe the way to the hub is, from what was configured; and what is refused as too unsafe. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from pilothouse.config.edge import is_loopback, mistakes_of
from pilothouse.config.site import HubConfig
from pilothouse.errors import CannotStart

_RISK = "whoever is on the way can read passwords and command in your name."
_OPEN = f"This hub is served without TLS: {_RISK} Start it without --insecure, or keep it in a network that you trust."
_OPEN_PROXY = f"The proxy before this hub is reached without TLS: {_RISK} Give it a certificate, and public_url https."


class Posture(NamedTuple):
    """The way from browsers to the hub."""

    kind: Literal["loopback", "own", "given", "proxy", "insecure"]
    """Plain and for this machine only; TLS with a certificate of our own authority; with files of the owner's; plain
    behind a proxy that does TLS; plain for everybody."""
    tls: bool
    """Whether the hub itself speaks TLS."""
    hsts: bool
    """Whether browsers are told to come by TLS only from now on."""
    banner: str
    """What every page says; "" = nothing."""


PLAIN = Posture(kind="loopback", tls=False, hsts=False, banner="")


def posture_of(hub: HubConfig) -> Posture:
    """What the configuration and the options come to; raises CannotStart with what to do instead."""
    for key, what, near in mistakes_of(hub):
        raise CannotStart(f"hub.{key} {what}" if what[0].islower() else f"hub.{key}: {what}", nearest=near)
    # For this very host only: a browser would ask every port of it by TLS from then on.
    hsts = _has_tls(hub.public_url) and urlsplit(hub.public_url).port in (None, 443)
    if hub.certificate:
        return Posture("given", tls=True, hsts=hsts, banner="")
    if hub.behind_proxy:
        far = not _has_tls(hub.public_url) and not is_loopback(urlsplit(hub.public_url).hostname or "")
        return Posture("proxy", tls=False, hsts=hsts, banner=_OPEN_PROXY if far else "")
    if is_loopback(hub.host):
        return PLAIN
    if hub.insecure:
        return Posture("insecure", tls=False, hsts=False, banner=_OPEN)
    if hub.tls == "off":
        raise CannotStart(
            f"The hub would listen on {hub.host or 'every address'} without TLS",
            why="passwords could be read on the way",
            remedy='Leave out tls = "off" under [hub]; or, when a proxy does TLS, say --behind-proxy ADDRESS; '
            "or say --insecure, if everybody in that network may read them",
        )
    return Posture("own", tls=True, hsts=False, banner="")


def _has_tls(url: str) -> bool:
    return url.lower().startswith("https://")
