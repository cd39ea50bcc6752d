"""What the source says of fields and members: the docstring below each, which Python itself throws away."""

from __future__ import annotations

import ast
import inspect
import textwrap
from enum import Enum
from functools import cache
from itertools import pairwise
from types import ModuleType
from typing import Any


@cache
def field_docs(kind: type) -> dict[str, str]:
    """The docstring below each field of a class, inherited ones too, as one line."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("pilothouse"):
            found |= _own_docs(base)
    return found


def _own_docs(kind: type) -> dict[str, str]:
    body = _class_body(kind)
    return {
        before.target.id: text
        for before, after in pairwise(body)
        if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name) and (text := _text_of(after))
    }


def _class_body(kind: type) -> list[ast.stmt]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    return tree.body


def _text_of(node: ast.stmt | None) -> str:
    """The text of a bare string as one line; "" for anything else."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return " ".join(node.value.value.split())
    return ""


def doc_of(thing: Any) -> str:
    """A docstring's first paragraph as one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def member_docs(kind: type[Enum]) -> dict[str, str]:
    """The docstring below each member of an enum, by the member's name."""
    return _docs_below_assignments(_class_body(kind))


def module_docs(module: ModuleType) -> dict[str, str]:
    """The docstring below each name that a module assigns."""
    return _docs_below_assignments(ast.parse(inspect.getsource(module)).body)


def _docs_below_assignments(body: list[ast.stmt]) -> dict[str, str]:
    found: dict[str, str] = {}
    for before, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(before, ast.Assign) and isinstance(before.targets[0], ast.Name):
            found[before.targets[0].id] = _text_of(after)
    return found
