"""Writes docs/reference/performance.md from the results of all scripts."""

from __future__ import annotations

from collections.abc import Sequence

from bench.figures import Figure, Result, shown, target_shown, verdict

_HEAD = """# Performance

Written by `python -m bench`; do not edit. Each figure is the median of its rounds, measured in turn with a reference
(A B A B …) on the same machine in the same minutes, so the ratio says more than the figure. The load generators ran on
the same cores as what they loaded.

## How to run

```sh
.venv/bin/python -m bench              # everything, about {minutes} minutes, and writes this page
.venv/bin/python -m bench command      # some scripts only; the page keeps the others' figures
.venv/bin/python -m bench.command      # one script, writes nothing; the others: {others}
.venv/bin/python -m bench --quick      # two short rounds of everything, to see that it works; writes nothing
```

Nothing fails on a slow machine. The exit code is 1 when a result is wrong (a command lost, done twice, missing in the
ledger; a reading missing from the record), 3 when something could not be measured. `PILOTHOUSE_BENCH_DIR` names the
folder for temporary data; it should be on the disk that matters.
"""

_BEGIN, _END = "<!-- failsafe: made by python -m bench -->", "<!-- failsafe: end -->"
_PERFORMANCE = "../reference/performance.md"


def written(results: Sequence[Result]) -> str:
    """The page; the conditions at its head are those of the newest result."""
    newest = max(results, key=lambda result: result.conditions.get("date", ""))
    conditions = {name: value for name, value in newest.conditions.items() if name != "date"}
    minutes = max(1, round(sum(result.took for result in results) / 60))
    others = ", ".join(f"`bench.{result.script}`" for result in results if result.script != "command")
    parts = [_HEAD.format(minutes=minutes, others=others), "## Conditions\n"]
    parts.append("\n".join(f"- {name}: {value}" for name, value in conditions.items()) + "\n")
    parts.append(_summary(results))
    parts += [_section(result) for result in results]
    return "\n".join(parts)


def filled(page: str, result: Result) -> str:
    """`page` with a short table of the result's figures between its marks; raises ValueError when it has none."""
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"the page has no place for figures, {_BEGIN} … {_END}")
    rows = [
        f"| {figure.claim} | {shown(figure.measured, figure.unit)} | {shown(figure.low)} – {shown(figure.high)} "
        f"| {target_shown(figure)} |"
        for figure in result.figures
    ]
    when = result.conditions.get("date", "at an unknown time")
    head = ["| what happens | median | least – most | target |", "|---|---|---|---|"]
    tail = ["", f"Measured {when} with simulated devices; conditions and references: [performance]({_PERFORMANCE})."]
    return "".join((before, begin, "\n", "\n".join([*head, *rows, *tail]), "\n", end, after))


def _summary(results: Sequence[Result]) -> str:
    claims: dict[str, str] = {}
    for result in results:
        for figure in result.figures:
            if figure.target is not None:
                claims[figure.claim] = verdict(figure)
    met = sum(1 for word in claims.values() if word == "yes")
    missed = [claim for claim, word in claims.items() if word != "yes"]
    text = f"## Result\n\n{met} of {len(claims)} targets are met."
    if missed:
        text += " Not met or not measured:\n\n" + "\n".join(f"- {claim}" for claim in missed)
    failed = [result.script for result in results if result.failed]
    if failed:
        text += f"\n\nCould not be measured at all: {', '.join(f'`bench.{script}`' for script in failed)}."
    return text + "\n"


def _section(result: Result) -> str:
    lines = [f"## `bench.{result.script}`\n"]
    if result.failed:
        lines.append(f"Could not be measured: {result.failed.splitlines()[0]}\n")
    if result.figures:
        lines.append("| claim | target | measured | least – most | reference | ratio | met? |")
        lines.append("|---|---|---|---|---|---|---|")
        lines += [_row(figure) for figure in result.figures]
    notes = list(dict.fromkeys(f"- {f.claim}: {f.note}" for f in result.figures if f.note))
    if notes:
        lines += ["", *notes]
    when = result.conditions.get("date", "at an unknown time")
    lines.append(f"\nMeasured {when} in {result.took:.0f} s; load average before it {result.load_before:.2f}.\n")
    return "\n".join(lines)


def _row(figure: Figure) -> str:
    spread = f"{shown(figure.low)} – {shown(figure.high)}" if figure.rounds > 1 else "–"
    beside = f"{figure.reference_name}: {shown(figure.reference, figure.unit)}" if figure.reference_name else "–"
    return (
        f"| {figure.claim} | {target_shown(figure)} | {shown(figure.measured, figure.unit)} | {spread} | {beside} "
        f"| {shown(figure.ratio)} | {verdict(figure)} |"
    )
