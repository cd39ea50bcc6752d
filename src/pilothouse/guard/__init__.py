"""The guard: whether an output may be switched, and when it must go back. Pure decisions; the agent acts on them."""

from pilothouse.guard.confirmations import Tokens
from pilothouse.guard.expression import BadExpression, Expression, Known, Lookup, Ref, Verdict, evaluate
from pilothouse.guard.guard import Breach, Guard
from pilothouse.guard.latch import Latches
from pilothouse.guard.leases import Expired, Leases
from pilothouse.guard.output import Group, Output
from pilothouse.guard.parser import parse
from pilothouse.guard.rules import Barred

__all__ = [
    "BadExpression",
    "Barred",
    "Breach",
    "Expired",
    "Expression",
    "Group",
    "Guard",
    "Known",
    "Latches",
    "Leases",
    "Lookup",
    "Output",
    "Ref",
    "Tokens",
    "Verdict",
    "evaluate",
    "parse",
]
