"""From what went wrong on the way to the hub, or in it, to errors for people."""

from __future__ import annotations

import httpx2
import msgspec
from msgspec import Struct

from pilothouse.client.answers import Ended
from pilothouse.errors import NotThere, PilothouseError


class Unreachable(PilothouseError):
    """The hub cannot be reached: nobody listens there, or the way to it is cut."""


class NotAllowed(PilothouseError):
    """The hub does not know the token, or its owner may not do this."""


class Problem(PilothouseError):
    """The hub refused a request or broke; `status` is the HTTP status."""

    status: int = 0


class NotConfirmed(PilothouseError):
    """A command ended in anything but "confirmed"; `outcome` says in what."""

    outcome: Ended = Ended()


class _Document(Struct):
    """RFC 9457, with the members that Pilothouse adds."""

    title: str = ""
    status: int = 0
    detail: str = ""
    cause: str = ""
    remedy: str = ""
    nearest: str = ""
    end: str = ""


def problem_of(status: int, content_type: str, body: bytes, url: str) -> PilothouseError:
    """The error that an answer with a status of 300 or more stands for. Never raises itself."""
    if "json" not in content_type:
        return _https_here(url) if status == 400 and b"https://" in body[:200] else _stranger(status, url)
    try:
        document = msgspec.json.decode(body, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _stranger(status, url)
    what = document.detail or document.title or f"The hub answered with status {status}"
    if document.end:
        refused = NotConfirmed(what, why=document.cause, remedy=document.remedy, nearest=document.nearest)
        refused.outcome = _outcome(body, document)
        return refused
    kind = {401: NotAllowed, 403: NotAllowed, 404: NotThere}.get(status, Problem)
    error = kind(what, why=document.cause, remedy=document.remedy, nearest=document.nearest)
    if isinstance(error, Problem):
        error.status = status
    return error


def _outcome(body: bytes, document: _Document) -> Ended:
    try:
        return msgspec.json.decode(body, type=Ended)
    except msgspec.DecodeError:
        return Ended(end=document.end, detail=document.detail)


def _https_here(url: str) -> PilothouseError:
    """Said by a hub that speaks TLS, before it knows anything of who asks."""
    secure = url.replace("http://", "https://", 1)
    error = Problem(f"The hub at {url} speaks TLS", remedy=f"Give its address as {secure}")
    error.status = 400
    return error


def _stranger(status: int, url: str) -> PilothouseError:
    """An answer that no hub gives: something else listens there, or a proxy stands between."""
    if status in (401, 403):
        return NotAllowed("The hub did not accept the token", remedy="Give the right one with --token-file FILE")
    error = Problem(
        f"What answers at {url} is no Pilothouse hub, or something stands before it (status {status})",
        remedy="Check the address given with --url",
    )
    error.status = status
    return error


def plain(error: Exception) -> str:
    """Why a link broke, in words: without numbers of the operating system and names of classes."""
    if isinstance(error, httpx2.TimeoutException):
        return "it did not answer in time"
    text = str(error).rpartition("] ")[2].rstrip(".")
    return text[:1].lower() + text[1:] if text else "the link broke"
