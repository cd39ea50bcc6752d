"""The hub's process: `python -m pilothouse.hub`, or `pilothouse hub`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import socket
import sys

import msgspec
import uvloop

from pilothouse.clock import SystemClock
from pilothouse.config.launch import Launch, parse
from pilothouse.config.site import Config
from pilothouse.errors import CannotStart
from pilothouse.hub.certificates import fingerprint
from pilothouse.hub.config_audit import note_config
from pilothouse.hub.listening import Listening, listen, raise_file_limit
from pilothouse.hub.posture import posture_of
from pilothouse.hub.serving import open_site, serving
from pilothouse.hub.site import Site
from pilothouse.process import stop_signals, write_atomically

log = logging.getLogger("pilothouse.hub")


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default=None, help="address to listen on (default: from the configuration)")
    parser.add_argument("--port", type=int, default=None, help="port to listen on; 0 = any free one")
    parser.add_argument(
        "--behind-proxy",
        action="append",
        metavar="ADDRESS",
        help="address or network of a reverse proxy that does TLS for this hub; may be given several times",
    )
    parser.add_argument("--insecure", action="store_true", default=None, help="serve others without TLS, with a banner")
    parser.add_argument("--link", action="store_true", help="print a one-time log-in link, also when not in a terminal")


async def main(launch: Launch) -> int:
    """Serve until SIGTERM or SIGINT; gives the exit code, 1 when a part of the hub broke and it must start anew."""
    config = _with_options(launch.config, launch.args)
    posture = posture_of(config.hub)
    with stop_signals() as asked:
        async with open_site(config, launch.places, SystemClock()) as site:
            raise_file_limit()
            await note_config(site)
            listening = listen(config.hub.host, config.hub.port, tls=posture.tls)
            async with serving(site, listening) as hub:
                await _announce(site, listening, link=launch.args.link or sys.stdout.isatty())
                waits = [asyncio.create_task(event.wait()) for event in (asked, hub.broken)]
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for wait in waits:
                    wait.cancel()
            return 1 if hub.broken.is_set() else 0


def _with_options(config: Config, args: argparse.Namespace) -> Config:
    names = ("host", "port", "insecure", "behind_proxy")
    given = {name: value for name in names if (value := getattr(args, name)) is not None}
    if "behind_proxy" in given:
        given["behind_proxy"] = tuple(given["behind_proxy"])
    return msgspec.structs.replace(config, hub=msgspec.structs.replace(config.hub, **given))


async def _announce(site: Site, listening: Listening, *, link: bool) -> None:
    """Say where the hub is: to people on standard output, to programs of this machine in files."""
    await _keep_token(site)
    status = msgspec.json.encode({"url": listening.local, "pid": os.getpid(), "posture": site.posture.kind})
    site.places.hub_status.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(site.places.hub_status, status, sync=False)
    tail = await _way_in(site, link=link)
    lines = [f"Pilothouse is at {site.url}{tail}"]
    if listening.others and not site.config.hub.public_url:
        lines.append(f"from other machines: {listening.others}{tail}")
    if tail != "/":
        lines.append("The link works once: it makes the first administrator.")
    lines += _about_tls(site)
    print("\n".join(line for line in lines if line), flush=True)  # noqa: T201 - what people start it for


def _about_tls(site: Site) -> list[str]:
    """What people must know of how they come in."""
    if site.posture.banner:
        return [f"CAREFUL: {site.posture.banner}"]
    if site.posture.kind != "own":
        return []
    path = site.places.authority
    return [
        "Browsers warn until they trust the hub's own authority, whose certificate has the SHA-256 fingerprint",
        f"  {fingerprint(path.read_bytes())}",
        f"It is in {path} and at {site.url}/ca.pem",
    ]


async def _way_in(site: Site, *, link: bool) -> str:
    """Path of the page to open: the link for the first administrator until there is one, where it may be printed."""
    if not link or await site.people.persons.has_admin():
        return "/"
    return f"/login?token={await site.people.links.make('first')}"


async def _keep_token(site: Site) -> None:
    """A token for the command line of this machine, in a file that only the owner can read."""
    path = site.places.token
    try:
        known = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        known = ""
    if known and await site.people.by_token(known) is not None:
        return
    token = await site.people.tokens.make_machine(socket.gethostname())
    try:
        write_atomically(path, f"{token}\n".encode(), mode=0o600)
    except OSError as error:
        raise CannotStart(f"{path} cannot be written", why=error.strerror or str(error)) from None


def run() -> None:
    """Start the process; exit code 2 when it cannot do its work here."""
    launch = parse("hub", "Pages, REST and the live stream of a site.", extra=_options)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(main(launch))
    except CannotStart as error:
        print(f"pilothouse hub: {error}", file=sys.stderr)  # noqa: T201 - the one line that people get
        raise SystemExit(2) from None
    raise SystemExit(code)


if __name__ == "__main__":
    run()
