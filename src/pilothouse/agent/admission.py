"""Whether a command may pass, and that none passes twice. Pure decisions; `commands` acts on them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import Any, NamedTuple

from pilothouse.agent.sense import check_schema, check_size
from pilothouse.bus.messages import Command, End, Outcome, Why, decode, encode
from pilothouse.errors import BadValue, nearest
from pilothouse.model import Thing, ThingDescription, Value, is_id
from pilothouse.model.types import check_limits, to_plain, to_python
from pilothouse.model.values import DEEPEST, is_too_deep

KEPT = 10_000
"""Outcomes that are remembered at least, so that a repeated command gets the first one's."""
MOST = 50_000
"""Commands remembered at most; one that could still be repeated in time is never forgotten, rather others refused."""
LONGEST = 600_000
"""Milliseconds that a command may live at most."""


class Refusal(NamedTuple):
    """Why a command is not done."""

    end: End
    why: Why
    detail: str
    remedy: str = ""


class Step(Enum):
    """What is to be done with a command that came."""

    DO = auto()
    """It is new: do it, and end it."""
    AGAIN = auto()
    """It came before: answer what the first one ends in."""
    END = auto()
    """It is new and will not be done: end it with the refusal."""
    ANSWER = auto()
    """Answer the refusal, and say nothing in the ledger: it says nothing about the command of that id."""
    YIELD = auto()
    """It is for a newer run of the agent: say nothing, and step down."""


class Taken(NamedTuple):
    """What was decided about a command that came."""

    step: Step
    refusal: Refusal | None = None


class _Known(NamedTuple):
    """What is remembered of a command; small, for there are thousands."""

    deadline: int
    asks: int
    """Hash of what it asks for."""
    end: End | None = None
    outcome: bytes = b""


class Book:
    """The commands of one run of the agent: who came, and how it ended. Every id is done at most once."""

    def __init__(self, node: str, epoch: int, *, kept: int = KEPT, most: int = MOST) -> None:
        self.epoch = epoch
        self._node = node
        self._kept = kept
        self._most = most
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._forgotten = -1
        """The latest deadline of any that was forgotten: what is later than that was surely never here."""

    def take(self, command: Command, names: tuple[str, str, str], mono: int, *, closed: Refusal | None = None) -> Taken:
        """Decide about a command that came on the subject of `names` (node, thing, name) at monotonic `mono`.

        `closed` is why nothing is taken at all just now.
        """
        wrong = self._unfit(command, names)
        if wrong is not None:
            return Taken(Step.ANSWER, wrong)
        if command.epoch > self.epoch:
            return Taken(Step.YIELD)
        if command.epoch < self.epoch:
            # Not for the ledger: the run it was meant for may have done it.
            return Taken(Step.ANSWER, _OTHER_RUN)
        known = self._known.get(command.id)
        if known is not None:
            return Taken(Step.AGAIN) if known.asks == _asks(command) else Taken(Step.ANSWER, _ID_USED)
        self._forget(mono)
        if len(self._known) >= self._most:
            return Taken(Step.ANSWER, _TOO_MANY)
        if mono >= command.deadline and command.deadline <= self._forgotten:
            return Taken(Step.ANSWER, _TOO_LATE)
        self._known[command.id] = _Known(command.deadline, _asks(command))
        refusal = closed or self._untimely(command, mono)
        return Taken(Step.END, refusal) if refusal else Taken(Step.DO)

    def end(self, outcome: Outcome) -> bool:
        """Note how a command ended; False when it had ended already, and then the first end stands."""
        known = self._known[outcome.id]
        if known.end is not None:
            return False
        self._known[outcome.id] = _Known(known.deadline, known.asks, outcome.end, encode(outcome))
        return True

    def outcome(self, id: str) -> Outcome | None:
        """How a command ended; None while it runs or when it never came."""
        known = self._known.get(id)
        return decode(Outcome, known.outcome) if known and known.outcome else None

    def __len__(self) -> int:
        return len(self._known)

    def _forget(self, mono: int) -> None:
        """Forget the oldest that ended and can only come again too late; a few a time, so it costs nothing."""
        for _ in range(2):
            if len(self._known) < self._kept:
                return
            id, known = next(iter(self._known.items()))
            # An unknown end is kept too: a repetition that "expired" must never pass for the truth about it.
            if known.end is None or known.end is End.UNKNOWN or mono < known.deadline:
                self._known.move_to_end(id)
            else:
                self._forgotten = max(self._forgotten, known.deadline)
                del self._known[id]

    def _unfit(self, command: Command, names: tuple[str, str, str]) -> Refusal | None:
        if not is_id(command.id):
            return _refused("the id of a command is 8 to 64 letters, digits, '-' or '_'")
        if (command.node, command.thing, command.name) != names or command.node != self._node:
            return _refused("the command names another target than the subject that it came on")
        if is_too_deep(command.input):
            return _refused(f"its input has more than {DEEPEST} lists and objects within one another")
        return None

    def _untimely(self, command: Command, mono: int) -> Refusal | None:
        if mono >= command.deadline:
            return Refusal(End.EXPIRED, Why.TIME, "its time to live had passed when it reached the node")
        if command.deadline - mono > LONGEST:
            return _refused(f"a command lives at most {LONGEST // 1000} seconds")
        return None


class Write(NamedTuple):
    """A write that may be asked of the driver."""

    value: Any
    """As the driver takes it."""
    plain: Value
    """As it travels."""


class Act(NamedTuple):
    """An action call that may be asked of the driver."""

    arguments: dict[str, Any]


def resolve(command: Command, thing: Thing, description: ThingDescription) -> Write | Act | Refusal:
    """What a command asks of a thing; a Refusal when there is no such thing, or its input is wrong."""
    try:
        check_size(command.input)
        if command.kind == "property":
            return _write(command, thing, description)
        return _act(command, thing, description)
    except BadValue as error:
        why = f"{error.what}: {error.why}" if error.why else error.what
        remedy = f"The nearest that it takes is {error.nearest}" if error.nearest else error.remedy
        return Refusal(End.REFUSED, Why.INPUT, why, remedy)


def no_thing(node: str, name: str, things: Iterable[str]) -> Refusal:
    """There is no thing of that name here."""
    return _missing(f"node {node} has no thing {name!r}", name, things)


def _write(command: Command, thing: Thing, description: ThingDescription) -> Write | Refusal:
    described = description.properties.get(command.name)
    if described is None:
        if command.name in description.actions:
            return _missing(f"{command.thing}.{command.name} is an action", command.name, description.actions)
        return _missing(
            f"{command.thing} has no property {command.name!r}",
            command.name,
            _writable(description) or description.properties,
        )
    if not described.writable:
        return Refusal(End.REFUSED, Why.READ_ONLY, f"{command.thing}.{command.name} can only be read")
    label = f"{command.thing}.{command.name}"
    kind = thing.property_types.get(command.name)
    if kind is None:
        check_schema(command.input, described.schema, label=label)
        value: Any = command.input
    else:
        value = to_python(command.input, kind, label=label)
    plain = to_plain(value)
    check_limits(plain, described.minimum, described.maximum, described.unit, label=label)
    return Write(value, plain)


def _act(command: Command, thing: Thing, description: ThingDescription) -> Act | Refusal:
    if command.name not in description.actions:
        if command.name in description.properties:
            return _missing(f"{command.thing}.{command.name} is a property", command.name, description.properties)
        return _missing(f"{command.thing} has no action {command.name!r}", command.name, description.actions)
    given = {} if command.input is None else command.input
    kind = thing.action_inputs[command.name]
    known = kind.__struct_fields__
    if isinstance(given, dict):
        unknown = [key for key in given if key not in known]
        if unknown:
            takes = f"it takes {', '.join(known)}" if known else "it takes no input"
            raise BadValue(
                f"action {command.name} has no input {unknown[0][:63]!r}", why=takes, nearest=nearest(unknown[0], known)
            )
    taken = to_python(given, kind, label=f"action {command.name}")
    return Act({name: getattr(taken, name) for name in known})


def _writable(description: ThingDescription) -> Mapping[str, Any]:
    return {name: one for name, one in description.properties.items() if one.writable}


def _missing(detail: str, name: str, there: Iterable[str]) -> Refusal:
    close = nearest(name, there)
    return Refusal(End.REFUSED, Why.MISSING, detail, f"Did you mean {close!r}?" if close else "")


def _refused(detail: str) -> Refusal:
    return Refusal(End.REFUSED, Why.INPUT, detail)


def _asks(command: Command) -> int:
    """Two commands of one id must ask for the same; `repr` tells True from 1."""
    return hash((command.thing, command.kind, command.name, repr(command.input)))


_OTHER_RUN = Refusal(
    End.REFUSED,
    Why.EPOCH,
    "the agent of this node has started anew since the command was made; this run of it has not done it",
    "Look at the value, and ask again if it is still wanted",
)
_TOO_LATE = Refusal(
    End.UNKNOWN,
    Why.TIME,
    "it came too late to be done now, and whether it came before is not remembered any more",
    "Look into the ledger",
)
_ID_USED = Refusal(
    End.REFUSED, Why.INPUT, "a command of this id has asked for something else", "Give every command an id of its own"
)
_TOO_MANY = Refusal(
    End.REFUSED, Why.BUSY, "this node has more commands than it can keep track of", "Wait a minute, then ask again"
)
