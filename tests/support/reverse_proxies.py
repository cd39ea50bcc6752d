"""nginx and Caddy on loopback, with the configuration that the how-to shows."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pilothouse.hub.certificates import make_authority, make_leaf

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "reverse-proxy.md"
NAME = "pilothouse.example.org"
"""What the page calls the site; it is "localhost" here."""
PASSWORD = "at the proxy"
_HASH = "$2a$14$dPafEPuskOH9.WZmC.uPcudf5yfZAaNYbFHTXYDhhTDKNJbP/Pgk6"


class Ports(NamedTuple):
    """Where everything listens on loopback."""

    proxy: int
    plain: int
    """Where the proxy leads from http to https."""
    hub: int


class Files(NamedTuple):
    """A certificate for localhost."""

    authority: Path
    certificate: Path
    key: Path


def free_ports() -> Ports:
    """Three that nobody has now."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        return Ports(*(server.getsockname()[1] for server in servers))


def make_files(folder: Path) -> Files:
    """As a certificate would lie somewhere."""
    files = Files(folder / "authority.pem", folder / "proxy.pem", folder / "proxy.key")
    authority = make_authority("Proxy", {"localhost"}, datetime.now(UTC))
    leaf = make_leaf(authority, {"localhost"}, datetime.now(UTC))
    for path, content in zip(files, (authority.certificate, leaf.certificate, leaf.key), strict=True):
        path.write_bytes(content)
    return files


def shown(language: str, beginning: str) -> str:
    """The block of the page that begins so."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if block.startswith(beginning)]
    return str(found)


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    """With each of these put in for what the page has; it must be there."""
    for old, new in pairs:
        assert old in text, f"the how-to has no {old!r} any more"
        text = text.replace(old, new)
    return text


def _nginx(folder: Path, ports: Ports, files: Files, *, log_in: bool) -> list[str]:
    site = replaced(
        shown("nginx", "server {"),
        ("listen 443", f"listen 127.0.0.1:{ports.proxy}"),
        ("listen 80", f"listen 127.0.0.1:{ports.plain}"),
        ("https://$host$request_uri", f"https://$host:{ports.proxy}$request_uri"),
        (f"/etc/ssl/{NAME}.pem", str(files.certificate)),
        (f"/etc/ssl/private/{NAME}.key", str(files.key)),
        ("127.0.0.1:8470", f"127.0.0.1:{ports.hub}"),
        (NAME, "localhost"),
    )
    if log_in:
        users = folder / "users"
        users.write_text(f"ada:{{PLAIN}}{PASSWORD}\n")
        added = replaced(shown("nginx", "auth_basic"), ("/etc/nginx/pilothouse.users", str(users)))
        site = replaced(site, ("    location / {\n", f"    location / {{\n{added}"))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    text = (
        f"daemon off;\nuser root;\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log stderr;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{site}}}\n"
    )
    (folder / "nginx.conf").write_text(text)
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]


def _caddy(folder: Path, ports: Ports, files: Files, *, log_in: bool) -> list[str]:
    site = replaced(
        shown("caddy", NAME),
        (
            f"{NAME} {{\n",
            f"https://localhost:{ports.proxy} {{\n\tbind 127.0.0.1\n\ttls {files.certificate} {files.key}\n",
        ),
        ("127.0.0.1:8470", f"127.0.0.1:{ports.hub}"),
    )
    if log_in:
        hashed = subprocess.run(["caddy", "hash-password", "--plaintext", PASSWORD], capture_output=True, check=True)
        users = replaced(shown("caddy", "basicauth"), (_HASH, hashed.stdout.decode().strip()))
        site = replaced(site, ("\treverse_proxy", f"{users}\treverse_proxy"), ("header_up -X-Remote-User", _by_proxy()))
    plain = (
        f"http://localhost:{ports.plain} {{\n\tbind 127.0.0.1\n\tredir https://localhost:{ports.proxy}{{uri}} 301\n}}\n"
    )
    options = f"{{\n\tadmin off\n\tauto_https off\n\tstorage file_system {folder}\n}}\n"
    (folder / "Caddyfile").write_text(options + site + plain)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


def _by_proxy() -> str:
    return shown("caddy", "header_up").strip()


_COMMANDS = {"nginx": _nginx, "caddy": _caddy}


@contextlib.contextmanager
def reverse_proxy(kind: str, folder: Path, ports: Ports, files: Files, *, log_in: bool = False) -> Iterator[None]:
    """A proxy that runs until the block ends; with `log_in`, it asks for a name and a password itself."""
    # Debian keeps servers where the PATH of ordinary users does not look.
    program = shutil.which(kind, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert program, f"{kind} is needed: sudo apt install {'nginx-light' if kind == 'nginx' else kind}"
    _, *options = _COMMANDS[kind](folder, ports, files, log_in=log_in)
    environment = os.environ | {"HOME": str(folder)}
    with (folder / "proxy.log").open("wb") as log:
        started = subprocess.Popen(
            [program, *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
        )
    try:
        _wait(started, ports.proxy, folder / "proxy.log")
        yield
    finally:
        started.terminate()
        started.wait(15)


def _wait(started: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + 15
    while True:
        assert started.poll() is None, log.read_text(errors="replace")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < end, log.read_text(errors="replace")
            time.sleep(0.02)
