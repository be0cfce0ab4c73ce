"""Mistakes in the order, nesting and presence of a Python program's statements, as slips.

What a single value is made of is in ``value_slips``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import libcst as cst

from data_preprocess.concrete_tree import ConcreteTree, assigned_name, called_name
from data_preprocess.slip_kinds import STATEMENT_KINDS
from data_preprocess.source_edits import Slip

_UPDATES = frozenset(
    ("add", "append", "appendleft", "clear", "extend", "heappop", "heappush", "insert", "pop", "popleft",
     "remove", "reverse", "sort", "update")
)  # fmt: skip
_COMPOUND = cst.If | cst.For | cst.While
_ONE_LINE = cst.SimpleStatementLine
_MUTABLES = ("[]", "{}", "set()", "dict()", "list()")


def _branches(tree: ConcreteTree) -> Iterator[Slip]:
    """The two answers of a condition the wrong way round, an ``elif`` that is an ``if``, a lost ``else``."""
    for choice in tree.all(cst.IfExp):
        (start, middle), (again, end) = tree.span(choice.body), tree.span(choice.orelse)
        text = f"{tree.of(choice.orelse)}{tree.text[middle:again]}{tree.of(choice.body)}"
        yield Slip("wrong_branch", start, end, text)
    for node in tree.all(cst.If):
        other = node.orelse
        if isinstance(other, cst.Else):
            mine, theirs = _only_line(node.body), _only_line(other.body)
            if mine is not None and theirs is not None and not isinstance(tree.parent(node), cst.If):
                (start, middle), (again, end) = tree.span(mine), tree.span(theirs)
                text = f"{tree.of(theirs)}{tree.text[middle:again]}{tree.of(mine)}"
                yield Slip("wrong_branch", start, end, text)
        if isinstance(other, cst.If) and not _leaves(node.body):
            start = tree.span(other)[0]
            if tree.text.startswith("elif", start):
                yield Slip("wrong_branch", start, start + 4, "if")


def _guards(tree: ConcreteTree) -> Iterator[Slip]:
    """An early way out (``if not items: return 0``) that is missing."""
    for block in tree.blocks():
        for node in block:
            if isinstance(node, cst.If) and node.orelse is None and _leaves(node.body) and len(block) > 1:
                yield Slip("missing_guard", *tree.lines(node), "")


def _updates(tree: ConcreteTree) -> Iterator[Slip]:
    """A step that is left out, one that overwrites what it should add to, one in the wrong direction."""
    for block in tree.blocks():
        for node in block:
            step = node.body[0] if isinstance(node, _ONE_LINE) and len(node.body) == 1 else None
            if isinstance(step, cst.AugAssign):
                yield from _augmented(tree, step)
            call = step.value if isinstance(step, cst.Expr) else None
            changes = call is not None and called_name(call) in _UPDATES
            assigns = isinstance(step, cst.Assign) and len(block) > 1
            if isinstance(step, cst.AugAssign) or changes or (assigns and _is_inner(tree, node)):
                if len(block) > 1:
                    yield Slip("missing_update", *tree.lines(node), "")
                else:
                    yield Slip("missing_update", *tree.span(node), "pass")


def _is_inner(tree: ConcreteTree, node: cst.CSTNode) -> bool:
    """Inside a loop or branch, where leaving out an assignment does not leave its name unknown."""
    return any(isinstance(outer, _COMPOUND) for outer in tree.around(node))


def _augmented(tree: ConcreteTree, step: cst.AugAssign) -> Iterator[Slip]:
    operator = tree.of(step.operator).strip()
    start, end = tree.span(step.target)[1], tree.span(step.value)[0]
    at = tree.text.index(operator, start, end)
    swaps = {
        "+=": ("=", "-="),
        "-=": ("=", "+="),
        "*=": ("+=",),
        "//=": ("-=", "%="),
        "|=": ("&=",),
        "&=": ("|=",),
    }
    for other in swaps.get(operator, ()):
        yield Slip("wrong_update", at, at + len(operator), other)


def _levels(tree: ConcreteTree) -> Iterator[Slip]:
    """A line that is indented into the block before it, or out of its block."""
    for block in tree.blocks():
        for before, node in pairwise(block):
            if isinstance(before, _COMPOUND) and isinstance(node, _ONE_LINE) and not _leaves_last(before):
                body = before.body
                if isinstance(body, cst.IndentedBlock) and body.body and "\n" not in tree.of(node):
                    start = tree.span(node)[0]
                    inner = _indent(tree, body.body[0])
                    yield Slip("wrong_level", start - len(_indent(tree, node)), start, inner)
    loops: list[cst.For | cst.While] = [*tree.all(cst.For), *tree.all(cst.While)]
    for loop in loops:
        body = loop.body
        if isinstance(body, cst.IndentedBlock) and len(body.body) > 1 and loop.orelse is None:
            last = body.body[-1]
            if isinstance(last, _ONE_LINE) and "\n" not in tree.of(last):
                start = tree.span(last)[0]
                yield Slip("wrong_level", start - len(_indent(tree, last)), start, _indent(tree, loop))


def _indent(tree: ConcreteTree, node: cst.CSTNode) -> str:
    start = tree.span(node)[0]
    return tree.text[tree.text.rfind("\n", 0, start) + 1 : start]


def _order(tree: ConcreteTree) -> Iterator[Slip]:
    """Two lines the wrong way round, of which one reads what the other changes."""
    for block in tree.blocks():
        for first, second in pairwise(block):
            if isinstance(first, _ONE_LINE) and isinstance(second, _ONE_LINE) and _touch(tree, first, second):
                (start, middle), (again, end) = tree.span(first), tree.span(second)
                text = f"{tree.of(second)}{tree.text[middle:again]}{tree.of(first)}"
                yield Slip("statement_order", start, end, text)


def _touch(tree: ConcreteTree, first: cst.SimpleStatementLine, second: cst.SimpleStatementLine) -> bool:
    if isinstance(
        second.body[-1], cst.Return | cst.Break | cst.Continue | cst.Raise | cst.Import | cst.ImportFrom
    ):
        return False
    names = [{name.value for name in tree.all(cst.Name, line)} for line in (first, second)]
    return bool(names[0] & names[1])


def _defaults(tree: ConcreteTree) -> Iterator[Slip]:
    """A container that is made once, with the function, and not for each call."""
    called = {called_name(call) for call in tree.all(cst.Call)}
    for function in tree.all(cst.FunctionDef):
        params = function.params
        if function.name.value not in called or params.star_kwarg or params.kwonly_params:
            continue
        if not isinstance(function.body, cst.IndentedBlock) or not function.body.body[1:]:
            continue
        first = function.body.body[0]
        step = first.body[0] if isinstance(first, _ONE_LINE) and len(first.body) == 1 else None
        if step is None or not isinstance(step, cst.Assign) or tree.of(step.value) not in _MUTABLES:
            continue
        if not (name := assigned_name(step)) or isinstance(params.star_arg, cst.Param):
            continue
        last = _end_of_parameters(tree, function)
        start, end = tree.lines(first)
        comma = ", " if params.params else ""
        text = f"{comma}{name}={tree.of(step.value)}{tree.text[last:start]}"
        yield Slip("mutable_default", last, end, text)


def _end_of_parameters(tree: ConcreteTree, function: cst.FunctionDef) -> int:
    if not function.params.params:
        return tree.text.index("(", tree.span(function.name)[1]) + 1
    last = function.params.params[-1]
    parts = (last.name, last.annotation and last.annotation.annotation, last.default)
    return max(tree.span(part)[1] for part in parts if part is not None)


def _only_line(body: cst.BaseSuite) -> cst.SimpleStatementLine | None:
    """The single one-line statement of a block."""
    if isinstance(body, cst.IndentedBlock) and len(body.body) == 1 and isinstance(body.body[0], _ONE_LINE):
        return body.body[0]
    return None


def _leaves(body: cst.BaseSuite) -> bool:
    """True when a block is one statement that leaves the function or the loop."""
    line = _only_line(body)
    small = line.body if line is not None else body.body if isinstance(body, cst.SimpleStatementSuite) else ()
    return len(small) == 1 and isinstance(small[0], cst.Return | cst.Continue | cst.Break | cst.Raise)


def _leaves_last(node: cst.CSTNode) -> bool:
    """True when nothing can follow inside the block of a compound statement."""
    body = getattr(node, "body", None)
    last = body.body[-1] if isinstance(body, cst.IndentedBlock) and body.body else None
    return isinstance(last, _ONE_LINE) and isinstance(
        last.body[-1], cst.Return | cst.Continue | cst.Break | cst.Raise
    )


_FINDERS: tuple[Callable[[ConcreteTree], Iterator[Slip]], ...] = (
    _branches, _guards, _updates, _levels, _order, _defaults,
)  # fmt: skip

KINDS = STATEMENT_KINDS


def find_statement_slips(tree: ConcreteTree) -> Iterator[Slip]:
    """Every slip of ``KINDS`` that can be made; some may change nothing or break the syntax."""
    for finder in _FINDERS:
        yield from finder(tree)
