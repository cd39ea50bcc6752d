"""`pilothouse login`, `pilothouse logout`: a token of one's own for a hub, kept in a file that nobody else reads."""

from __future__ import annotations

import getpass
import socket
import ssl
import sys
from dataclasses import replace
from typing import Literal
from urllib.parse import urlsplit

from pilothouse.cli import show
from pilothouse.cli.access import HERE, Access, Flag, own_hub
from pilothouse.cli.asking import asked, secret
from pilothouse.cli.confirming import ask
from pilothouse.client import Client, Me, NotAllowed, NotTrusted, Unreachable
from pilothouse.client.kept import Kept, hub_key
from pilothouse.client.pinning import fetch_authority, fingerprint
from pilothouse.client.trust import trusting
from pilothouse.errors import BadValue, PilothouseError

Scope = Literal["read", "operate", "administer"]
_LONGEST = 60
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def login(
    url: str | None = None,
    /,
    *,
    name: str | None = None,
    scope: Scope = "operate",
    stand: str | None = None,
    days: float = 90,
    token_stdin: Flag = False,
    insecure: Flag = False,
    access: Access = HERE,
) -> None:
    """Log in to a hub, so that verbs with its --url act in your name.

    Asks for name and password, and keeps a token in
    ~/.config/pilothouse/tokens.json. From a pipe, the password is the first
    line of standard input. Without URL, the hub of this machine is meant.

    For example:
        pilothouse login https://bench.lab:8470
        pilothouse login https://bench.lab:8470 --scope read --days 7
        pilothouse login https://bench.lab:8470 --token-stdin

    Parameters
    ----------
    name:
        who you are there; default: asked for
    scope:
        what the token is for at most: read, operate, administer
    stand:
        the one stand, node/thing or node/* that it is for; default: all of yours
    days:
        how long it lasts, 366 at most
    token_stdin:
        keep a token that was made on the page of your account, instead of a password
    insecure:
        send it although the way there is not encrypted
    """
    target = hub_key(url or access.named_url or own_hub(access.places) or _none(access))
    if not 0 < days <= 366:
        raise BadValue(f"A token cannot last {days:g} days", nearest="90")
    kept = Kept()
    before = kept.token(target)
    if not insecure:
        _check_way(target)
    verify = _trusted(target, access, kept)
    if token_stdin:
        token = secret("Token")
    else:
        who = name or asked("Name", "--name NAME")
        with Client(target, verify=verify) as hub:
            made = hub.log_in(who, secret("Password"), token=_named(), scope=scope, only=stand or "", days=days)
        token = made.secret
    me = _known(target, token, verify)
    kept.keep(target, token)
    if before and before != token:
        _end(target, before, verify)
    _tell(access, target, me, kept)


def logout(url: str | None = None, /, *, access: Access = HERE) -> None:
    """Log out of a hub: end the token there, and forget it here.

    For example:
        pilothouse logout https://bench.lab:8470
    """
    target = hub_key(url or access.named_url or own_hub(access.places) or _none(access))
    kept = Kept()
    token = kept.token(target)
    if not token:
        raise NotAllowed(f"You are not logged in to {target}", why=f"{kept.path} has no token for it")
    try:
        with Client(target, token, verify=replace(access, url=target).trust(target)) as hub:
            hub.log_out()
    except NotAllowed:
        pass  # it had ended there already
    except Unreachable as error:
        kept.forget(target)
        error.remedy = "The token is forgotten here; end it there on the page of your account"
        raise
    kept.forget(target)
    print(show.as_json({"url": target}) if access.json else f"Logged out of {target}.")


def _check_way(target: str) -> None:
    """Have somebody agree who would send their password where others can read it; raises Declined, BadValue."""
    parts = urlsplit(target)
    if parts.scheme == "https" or parts.hostname in _LOOPBACK:
        return
    what = f"The way to {target} is not encrypted: whoever is on it can read your password and your token"
    if not sys.stdin.isatty():
        raise BadValue(what, remedy="Use its https address; or say --insecure, if everybody there may read them")
    ask(f"{what}. Go on?")


def _none(access: Access) -> str:
    raise Unreachable(
        f"No hub runs on {access.places.data}", remedy="Name one, such as: pilothouse login https://bench.lab:8470"
    )


def _named() -> str:
    """What the token is for, so that its owner knows it again."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container may run as somebody without a name
        user = "somebody"
    return f"{user} on {socket.gethostname()}"[:_LONGEST]


def _known(target: str, token: str, verify: ssl.SSLContext | bool) -> Me:
    """Who the token's owner is; raises NotAllowed for one that is of no use."""
    with Client(target, token, verify=verify) as hub:
        try:
            return hub.me()
        except NotAllowed as error:
            raise NotAllowed("The hub does not know this token", why=error.what, remedy="Copy all of it") from None


def _end(target: str, token: str, verify: ssl.SSLContext | bool) -> None:
    """End the token that was kept before, which nobody has any more."""
    try:
        with Client(target, token, verify=verify) as hub:
            hub.log_out()
    except PilothouseError as error:
        print(f"pilothouse: the token from before could not be ended: {error}", file=sys.stderr)


def _tell(access: Access, target: str, me: Me, kept: Kept) -> None:
    if access.json:
        print(show.as_json({"url": target, "who": me.who, "rights": me.rights, "expires": me.expires}))
        return
    rights = ", ".join(me.rights) or "no rights yet: ask an administrator"
    print(f"Logged in to {target} as {me.who} ({rights}).")
    print(f"The token is kept in {kept.path}; verbs use it with --url {target}, or with $PILOTHOUSE_URL.")


def _trusted(target: str, access: Access, kept: Kept) -> ssl.SSLContext | bool:
    """Whose certificates are believed; somebody at a terminal is asked about an authority that nobody trusts yet."""
    verify = access.trust(target)
    if not target.startswith("https:"):
        return verify
    try:
        with Client(target, verify=verify) as hub:
            hub.health()
    except NotTrusted as error:
        return _asked_to_trust(target, kept, error)
    if access.ca is not None:
        kept.trust(target, access.ca.expanduser().read_bytes())
    return verify


def _asked_to_trust(target: str, kept: Kept, error: NotTrusted) -> ssl.SSLContext:
    if not sys.stdin.isatty():
        raise error
    authority = fetch_authority(target)
    if not authority:
        raise error
    print(f"{error.what}: {error.why}.", file=sys.stderr)
    if kept.authority(target) is not None:
        print("It is ANOTHER authority than the one that you trusted for this hub before.", file=sys.stderr)
    print("The hub prints the SHA-256 fingerprint of its authority when it starts. Is it this one?", file=sys.stderr)
    print(f"  {fingerprint(authority)}", file=sys.stderr)
    ask(f"Trust it for {target} from now on?")
    verify = trusting(kept.trust(target, authority))
    with Client(target, verify=verify) as hub:
        hub.health()
    return verify
