"""docs/reference/cli.md: every verb, as its own help says it."""

from __future__ import annotations

import io

from cyclopts import App
from rich.console import Console

from pilothouse.cli.app import PARTS, VERBS, make_app
from pilothouse.cli.exits import Exit
from tools.reference.source import member_docs
from tools.reference.tables import MADE, table

_WIDTH = 110


def page() -> str:
    """The page."""
    app = make_app(whole=True)
    docs = member_docs(Exit)
    codes = [(str(int(code)), docs[code.name]) for code in Exit]
    parts = ["# Command line\n", MADE, "\nEvery verb says this with `--help`.\n", _help(app, [])]
    parts += ["## Exit codes\n", table(("code", "meaning"), codes), ""]
    for group, verbs in VERBS.items():
        parts.append(f"## {group}\n")
        for verb in verbs:
            for words in [[verb, part] for part in PARTS[verb][1]] if verb in PARTS else [[verb]]:
                parts += [f"### `pilothouse {' '.join(words)}`\n", _help(app, words)]
    return "\n".join(parts)


def _help(app: App, words: list[str]) -> str:
    written = io.StringIO()
    app.help_print(words, console=Console(file=written, width=_WIDTH, color_system=None, force_terminal=False))
    text = "\n".join(line.rstrip() for line in written.getvalue().strip().splitlines())
    return f"```text\n{text}\n```\n"
