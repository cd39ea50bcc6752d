"""What every script has in common: its options, its printed result, its exit code.

Exit codes: 0 measured (targets met or not), 1 a result is wrong (lost, double, incomplete), 3 could not be measured.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench.conditions import conditions
from bench.figures import Figure, Result, shown, target_shown, verdict
from bench.stack import CannotMeasure

WRONG, CANNOT = 1, 3


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How much is done."""

    rounds: int = 5
    quick: bool = False
    """True = only to see that it works; such figures mean nothing."""

    def of(self, full: int, quick: int) -> int:
        """One of two numbers."""
        return quick if self.quick else full


def main(script: str, measure: Callable[[Scale], list[Figure]]) -> None:
    """Run a script from the command line and end the process."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{script}")
    parser.add_argument("--quick", action="store_true", help="two short rounds, to see that it works")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default: 5)")
    parser.add_argument("--json", type=Path, default=None, help="write the result to this file as well")
    options = parser.parse_args()
    scale = Scale(rounds=2 if options.quick else max(2, options.rounds), quick=options.quick)
    for name, value in conditions().items():
        print(f"{name}: {value}")
    result = measured(script, measure, scale)
    for figure in result.figures:
        print(in_words(figure))
    if result.failed:
        print(f"could not be measured: {result.failed}")
    if options.json is not None:
        options.json.write_bytes(msgspec.json.encode(result))
    raise SystemExit(exit_code([result]))


def measured(script: str, measure: Callable[[Scale], list[Figure]], scale: Scale) -> Result:
    """Run a script; what keeps it from measuring becomes part of its result."""
    load, under = os.getloadavg()[0], conditions()
    began = time.monotonic()
    figures: list[Figure] = []
    failed = ""
    try:
        figures = measure(scale)
    except CannotMeasure as error:
        failed = str(error)
    return Result(
        script=script,
        figures=figures,
        conditions=under,
        load_before=load,
        took=time.monotonic() - began,
        failed=failed,
    )


def exit_code(results: list[Result]) -> int:
    """See the module's text."""
    if any(figure.wrong for result in results for figure in result.figures):
        return WRONG
    return CANNOT if any(result.failed for result in results) else 0


def in_words(figure: Figure) -> str:
    """One figure as a line or two for the terminal."""
    line = f"{figure.claim}: {shown(figure.measured, figure.unit)}"
    if figure.low is not None and figure.high is not None and figure.rounds > 1:
        line += f" ({shown(figure.low)} to {shown(figure.high)} in {figure.rounds} rounds)"
    line += f"; target {target_shown(figure)}: {verdict(figure)}"
    if figure.reference is not None:
        line += f"; {figure.reference_name} {shown(figure.reference, figure.unit)}, ratio {shown(figure.ratio)}"
    return f"{line}\n    {figure.note}" if figure.note else line
