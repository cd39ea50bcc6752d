"""Runs every script, each in a process of its own, and writes docs/reference/performance.md."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from bench.figures import Result
from bench.places import RESULTS, ROOT, SAFETY, TABLE
from bench.script import exit_code
from bench.table import filled, written

SCRIPTS = ("command", "failsafe", "live", "read", "ingest", "chart", "processes", "disk")
LIMIT = 3600
"""Seconds that one script may take."""


def main() -> int:
    """Run all; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "scripts",
        nargs="*",
        default=SCRIPTS,
        metavar="SCRIPT",
        help=f"only these of {', '.join(SCRIPTS)}",
    )
    parser.add_argument("--quick", action="store_true", help="two short rounds of each, to see that it works")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default: 5)")
    options = parser.parse_args()
    unknown = [script for script in options.scripts if script not in SCRIPTS]
    if unknown:
        parser.error(f"there is no script {unknown[0]!r}; there are: {', '.join(SCRIPTS)}")
    results = [_run(script, quick=options.quick, rounds=options.rounds) for script in options.scripts]
    if not options.quick:
        _write(results)
    return exit_code(results)


def _write(results: list[Result]) -> None:
    """Keep the results and write the page; scripts that were not run keep their last result."""
    kept: dict[str, Result] = {}
    if RESULTS.exists():
        kept = {result.script: result for result in msgspec.json.decode(RESULTS.read_bytes(), type=list[Result])}
    kept.update({result.script: result for result in results})
    ordered = [kept[script] for script in SCRIPTS if script in kept]
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(ordered), indent=1) + b"\n")
    TABLE.write_text(written(ordered), encoding="utf-8")
    print(f"written: {TABLE.relative_to(ROOT)}")
    if "failsafe" in kept and kept["failsafe"].figures:
        SAFETY.write_text(filled(SAFETY.read_text(encoding="utf-8"), kept["failsafe"]), encoding="utf-8")
        print(f"written: {SAFETY.relative_to(ROOT)}")


def _run(script: str, *, quick: bool, rounds: int) -> Result:
    print(f"== {script}", flush=True)
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-result-") as named:
        file = Path(named) / "result.json"
        command = [sys.executable, "-m", f"bench.{script}", "--json", str(file), "--rounds", str(rounds)]
        try:
            subprocess.run([*command, "--quick"] if quick else command, cwd=ROOT, timeout=LIMIT, check=False)
            return msgspec.json.decode(file.read_bytes(), type=Result)
        except subprocess.TimeoutExpired:
            return Result(script=script, figures=[], failed=f"it took longer than {LIMIT} s")
        except OSError:
            return Result(script=script, figures=[], failed="it ended without a result; see what it said")


if __name__ == "__main__":
    raise SystemExit(main())
