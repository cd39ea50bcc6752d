"""What a person is asked before a command that needs a confirmation, and the token that comes of it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from pilothouse.client import NotConfirmed, Token
from pilothouse.errors import PilothouseError
from pilothouse.model import ActionDescription, PropertyDescription, Value

_REMEDIES = {
    "yes": "Type it in a terminal, which asks you; or add --yes when you know what it does",
    "two-person": "Have somebody else say: pilothouse confirm {said}, and add their code: --confirmation CODE",
}


class Declined(PilothouseError):
    """Somebody was asked and said no; nothing was sent."""


def need_of(described: PropertyDescription | ActionDescription, value: Value) -> str:
    """Which confirmation this command needs: "", "yes" or "two-person". Going to the safe value needs none."""
    if isinstance(described, PropertyDescription) and described.has_safe:
        same_kind = isinstance(value, bool) is isinstance(described.safe, bool)
        if same_kind and value == described.safe:
            return ""
    return described.confirm


def token_for(need: str, hazard: str, label: str, fetch: Callable[[], Token], *, yes: bool) -> str:
    """The token of a command that one person may confirm; "" when none is needed or nobody can be asked.

    On a terminal the hazard is shown and y is waited for; `yes` does without. Raises Declined on anything but y.
    The agent refuses a command without its token, so nothing passes here by mistake.
    """
    if need != "yes":
        return ""
    if not yes:
        if not sys.stdin.isatty():
            return ""
        ask(f"{hazard.rstrip('.')}. {label}?" if hazard else f"{label}?")
    return fetch().token


def ask(question: str) -> None:
    """Wait for y on the terminal; raises Declined on anything else."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    try:
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        print(file=sys.stderr)
        raise
    if answer.strip().lower() not in ("y", "yes"):
        raise Declined("It was not confirmed, so nothing was done")


@contextlib.contextmanager
def hinted(need: str, said: str) -> Iterator[None]:
    """Within it, a refusal for want of a confirmation says what to type here; `said` is the command's own words."""
    try:
        yield
    except NotConfirmed as error:
        if error.outcome.why == "confirm":
            error.remedy = _REMEDIES.get(need, _REMEDIES["yes"]).format(said=said)
        raise
