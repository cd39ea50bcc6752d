"""How safe the way to the hub is: its posture, its certificate, and how long that is good for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pilothouse.cli.checks.finding import Finding, Patient, alive, look, well, wrong
from pilothouse.errors import CannotStart
from pilothouse.hub.certificates import RENEW_BEFORE, Unfit, hosts_of, names_host, valid_until
from pilothouse.hub.posture import PLAIN, Posture, posture_of

_SOON = timedelta(days=21)
_AUTHORITY_SOON = timedelta(days=180)
_NAMES = 6


def way_in(patient: Patient) -> list[Finding]:
    """Who reaches the hub and how; then its certificate, when it has one."""
    try:
        posture = posture_of(patient.config.hub)
    except CannotStart as error:
        return [wrong("way in", " ".join(filter(None, (error.what, error.why))), error.remedy or "Correct [hub]")]
    running = patient.hub.get("posture") if alive(patient.hub) else None
    kind = running if isinstance(running, str) else posture.kind
    if kind == "insecure":
        what = "Other machines are served without TLS: passwords can be read on the way"
        return [look("way in", what, "Start it without --insecure, and leave insecure out of [hub]")]
    if kind in ("own", "given"):
        return [well("way in", "TLS, also for other machines"), *_certificates(patient, kind)]
    return [_plain(posture if posture.kind == kind else PLAIN)]


def _plain(posture: Posture) -> Finding:
    if posture.banner:
        return look("way in", posture.banner, "Have the proxy do TLS, and set public_url to https under [hub]")
    behind = posture.kind == "proxy"
    return well("way in", "through a proxy that does TLS" if behind else "this machine only")


def _certificates(patient: Patient, kind: str) -> list[Finding]:
    """The hub's own, and that of the authority behind it."""
    places, hub, now = patient.places, patient.config.hub, datetime.fromtimestamp(patient.now / 1000, UTC)
    path = Path(hub.certificate).expanduser() if kind == "given" and hub.certificate else places.own_certificate
    if not path.exists():
        return [look("certificate", f"There is no {path} yet", "The hub makes it when it starts: pilothouse up")]
    found = [_certificate(path, kind, urlsplit(hub.public_url).hostname or "", now)]
    if kind == "own" and places.authority.exists():
        left = valid_until(places.authority.read_bytes()) - now
        if left < _AUTHORITY_SOON:
            what = f"The hub's own authority is good for {max(left.days, 0)} days more"
            remedy = f"mv {places.tls} {places.tls}.old, start again, and have every browser trust the new one"
            found.append(look("authority", what, remedy))
    return found


def _certificate(path: Path, kind: str, public: str, now: datetime) -> Finding:
    again = "pilothouse hub --verbose says why" if kind == "own" else "Put the renewed one there; no restart is needed"
    pem = path.read_bytes()
    try:
        left = valid_until(pem) - now
    except Unfit as error:
        return wrong("certificate", f"{path} cannot be used: {error}", again)
    if left <= timedelta(0):
        return wrong("certificate", f"{path} has expired", again)
    if left < (RENEW_BEFORE - timedelta(days=1) if kind == "own" else _SOON):
        return look("certificate", f"{path} is good for {left.days} days more, and was not renewed", again)
    if public and not names_host(pem, public):
        remedy = f"mv {path.parent} {path.parent}.old and start again" if kind == "own" else f"Get one for {public}"
        return look("certificate", f"{path} is not for {public}, by which browsers come", remedy)
    hosts = sorted(hosts_of(pem))
    more = f" and {len(hosts) - _NAMES} more" if len(hosts) > _NAMES else ""
    return well("certificate", f"good for {left.days} days more, for {', '.join(hosts[:_NAMES])}{more}")
