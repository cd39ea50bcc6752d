"""The app: which verbs there are, and what becomes of their errors. Verbs are imported when they are called."""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module

from cyclopts import App, CycloptsError, Group

from pilothouse import __version__
from pilothouse.cli.exits import Exit, exit_of
from pilothouse.errors import PilothouseError, nearest
from pilothouse.process import log_to_stderr

log = logging.getLogger("pilothouse.cli")

EXITS = "Exit codes: 0 fine, 1 refused or failed, 2 wrong usage or configuration, 3 no hub, 4 expired or unknown."


VERBS = {
    "Start": ("up", "agent", "hub", "keeper", "bus"),
    "Use": ("things", "get", "set", "do", "confirm", "watch", "history", "ledger", "stand", "lanes", "cancel", "stop"),
    "Look after it": ("login", "logout", "config", "user", "link", "doctor"),
}
PARTS = {
    "config": ("The configuration.", {"check": "pilothouse.cli.config_check:check"}),
    "user": (
        "Who may come in, and what they may.\n\n"
        "Works on the machine of the hub only, for whoever may write its data folder.",
        {
            "list": "pilothouse.cli.user:list_",
            "add": "pilothouse.cli.user:add",
            "passwd": "pilothouse.cli.user:passwd",
            "rights": "pilothouse.cli.user_rights:rights",
            "disable": "pilothouse.cli.user_rights:disable",
            "enable": "pilothouse.cli.user_rights:enable",
            "remove": "pilothouse.cli.user_rights:remove",
        },
    ),
}
"""Verbs that have verbs of their own: what they are about, and where each is."""


def make_app(*, whole: bool = False) -> App:
    """The command line; `whole` imports every verb at once, which the list of all verbs needs for their first lines."""

    def add(app: App, source: str, name: str, group: Group | None = None) -> None:
        module, _, function = source.partition(":")
        app.command(getattr(import_module(module), function) if whole else source, name=name, group=group)

    app = App(
        name="pilothouse",
        help=f"See and steer your Raspberry Pis, relays and lab benches.\n\n{EXITS}",
        help_format="plaintext",
        help_formatter="plain",
        version=__version__,
        group_parameters=Group("Options", sort_key=5),
        suppress_keyboard_interrupt=False,  # `run` gives the exit code
    )
    start, use, look = (Group(name, sort_key=key) for key, name in enumerate(VERBS))
    for verb in VERBS["Start"]:
        add(app, f"pilothouse.cli.processes:{verb}", verb, start)
    for verb in VERBS["Use"]:
        add(app, f"pilothouse.cli.{verb}:{verb}_", verb, use)
    for verb in ("login", "logout"):
        add(app, f"pilothouse.cli.login:{verb}", verb, look)
    for verb in ("link", "doctor"):
        add(app, f"pilothouse.cli.{verb}:{verb}", verb, look)
    for verb, (about, parts) in PARTS.items():
        part = App(name=verb, help=about, group=look)
        for name, source in parts.items():
            add(part, source, name)
        app.command(part)
    return app


def run(words: list[str]) -> int:
    """Do what `words` say. Errors are one clear sentence on standard error, and an exit code."""
    verbose = "--verbose" in words
    if verbose:
        log_to_stderr("pilothouse", verbose=True)
    after = words[1:] if words and words[0] in PARTS else words
    asks_for_list = not after or after[0].startswith("-")
    known = [verb for group in VERBS.values() for verb in group]
    if not asks_for_list and words[0] not in known:
        near = nearest(words[0], known)
        meant = f" Did you mean {near!r}?" if near else ""
        say(f"There is no verb {words[0][:60]!r}.{meant} See all: pilothouse --help")
        return Exit.USAGE
    try:
        code = make_app(whole=asks_for_list)(
            words, exit_on_error=False, print_error=False, help_on_error=False, result_action="return_value"
        )
        sys.stdout.flush()
        return code if isinstance(code, int) else Exit.FINE
    except CycloptsError as error:
        say(_usage(error))
        return Exit.USAGE
    except PilothouseError as error:
        log.debug("where it went wrong", exc_info=True)
        say(str(error))
        return exit_of(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has left, as `head` does. Python would complain once more while it closes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FINE
    except Exception as error:  # the edge of the process: people get a sentence, never a traceback
        log.debug("where it went wrong", exc_info=True)
        what = str(error) or "nothing more is known"
        more = "" if verbose else " See more with --verbose."
        say(f"This should not have happened ({type(error).__name__}: {what}).{more}")
        return Exit.NOT_DONE


def say(sentence: str) -> None:
    """A line on standard error."""
    print(f"pilothouse: {sentence}", file=sys.stderr)


def _usage(error: CycloptsError) -> str:
    chain = " ".join(error.command_chain or ())
    text = " ".join(str(error).split())
    return f"{text} See: pilothouse {chain + ' ' if chain else ''}--help"
