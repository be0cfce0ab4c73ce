"""Mistakes in what a Python program computes: bounds, initial values, arguments, conversions, copies.

Found in the concrete syntax tree; each is a slip. Whether it changes the result is for a run to say
(``wrong_programs``). Mistakes in the order and nesting of statements are in ``statement_slips``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import libcst as cst

from data_preprocess.concrete_tree import ConcreteTree, assigned_name, called_name, positional
from data_preprocess.slip_kinds import VALUE_KINDS
from data_preprocess.source_edits import Slip

# Conversions that one forgets; int, str, float and len are a ``type_error`` of ``slips``.
_CONVERSIONS = frozenset(("abs", "bool", "list", "ord", "reversed", "round", "set", "sorted", "sum", "tuple"))
_METHOD_CONVERSIONS = frozenset(("strip", "rstrip", "lower", "upper", "items", "values", "casefold"))
_OTHER_VALUES = {
    "0": ("1", "-1"),
    "1": ("0", "2"),
    "-1": ("0",),
    "True": ("False",),
    "False": ("True",),
    "None": ("0",),
    '""': ('" "',),
    "''": ("' '",),
    "[]": ("[0]",),
    "float('inf')": ("0", "float('-inf')"),
    'float("inf")': ("0", 'float("-inf")'),
    "float('-inf')": ("0", "float('inf')"),
    'float("-inf")': ("0", 'float("inf")'),
    "math.inf": ("0", "-math.inf"),
    "inf": ("0", "-inf"),
    "-inf": ("0", "inf"),
}


def _slices(tree: ConcreteTree) -> Iterator[Slip]:
    for node in tree.all(cst.Slice):
        if node.upper is not None:
            yield from _nudged(tree, "slice_bound", node.upper, (-1, 1))
        elif node.lower is not None and node.step is None:
            end = tree.span(node)[1]
            yield Slip("slice_bound", end, end, "-1")
        if node.lower is not None:
            yield from _nudged(tree, "slice_bound", node.lower, (1, -1))
        elif node.upper is not None and node.step is None:
            start = tree.span(node)[0]
            yield Slip("slice_bound", start, start, "1")


def _loop_bounds(tree: ConcreteTree) -> Iterator[Slip]:
    """Where a range starts, and where one with a step ends."""
    for call in tree.all(cst.Call):
        arguments = positional(call) if called_name(call) == "range" else []
        if len(arguments) > 1:
            yield from _nudged(tree, "loop_bound", arguments[0], (1, -1))
        if len(arguments) > 2:
            yield from _nudged(tree, "loop_bound", arguments[1], (1, -1))


def _nudged(
    tree: ConcreteTree, kind: str, node: cst.BaseExpression, offsets: tuple[int, ...]
) -> Iterator[Slip]:
    """One more and one less, written as a person would write it."""
    text = tree.of(node)
    for offset in offsets:
        if text.lstrip("-").isdigit():
            if int(text) + offset or not text.startswith("-"):  # -1 and 0 are different ends
                yield tree.replace(kind, node, str(int(text) + offset))
        elif text.endswith(("+ 1", "- 1")) and isinstance(node, cst.BinaryOperation):
            plus = "+" in text[-3:]
            yield tree.replace(kind, node, text[:-3].rstrip() if plus == (offset < 0) else f"{text[:-1]}2")
        elif isinstance(node, cst.Name | cst.Call | cst.Attribute | cst.Subscript | cst.BinaryOperation):
            yield tree.replace(kind, node, f"{text} {'+' if offset > 0 else '-'} 1")


def _initial_values(tree: ConcreteTree) -> Iterator[Slip]:
    """The first value of a variable that changes later in the same function."""
    changed = {
        (id(tree.function(node)), node.target.value)
        for node in tree.all(cst.AugAssign)
        if isinstance(node.target, cst.Name)
    }
    assigned: set[tuple[int, str]] = set()
    first: dict[tuple[int, str], cst.BaseExpression] = {}
    for node in tree.everything():
        if name := assigned_name(node):
            key = (id(tree.function(node)), name)
            (changed if key in assigned else assigned).add(key)
            if isinstance(node, cst.Assign | cst.AnnAssign) and node.value is not None:
                first.setdefault(key, node.value)
    for key, value in first.items():
        text = tree.of(value)
        if key in changed:
            yield from (tree.replace("initial_value", value, other) for other in _OTHER_VALUES.get(text, ()))
            if isinstance(value, cst.Subscript | cst.Call) and text not in _OTHER_VALUES:
                yield tree.replace("initial_value", value, "0")
        if isinstance(value, cst.BinaryOperation) and isinstance(value.left, cst.List):
            items = [tree.of(item) for item in value.left.elements]
            others = _OTHER_VALUES.get(items[0], ()) if len(items) == 1 else ()
            yield from (tree.replace("initial_value", value.left, f"[{other}]") for other in others)


def _argument_order(tree: ConcreteTree) -> Iterator[Slip]:
    """Neighbouring arguments of calls with three or more; those with two are in ``slips``."""
    for call in tree.all(cst.Call):
        arguments = positional(call)
        if len(arguments) > 2 and called_name(call) != "print":
            for left, right in pairwise(arguments):
                (start, middle), (again, end) = tree.span(left), tree.span(right)
                text = f"{tree.of(right)}{tree.text[middle:again]}{tree.of(left)}"
                yield Slip("argument_order", start, end, text)


def _conversions(tree: ConcreteTree) -> Iterator[Slip]:
    for call in tree.all(cst.Call):
        name, arguments = called_name(call), positional(call)
        if isinstance(call.func, cst.Name) and name in _CONVERSIONS and len(arguments) == 1:
            inner = tree.of(arguments[0])
            bare = isinstance(arguments[0], cst.GeneratorExp) and not arguments[0].lpar
            yield tree.replace("missing_conversion", call, f"({inner})" if bare else inner)
        elif isinstance(call.func, cst.Attribute) and name in _METHOD_CONVERSIONS and not call.args:
            yield tree.replace("missing_conversion", call, tree.of(call.func.value))


def _shared_lists(tree: ConcreteTree) -> Iterator[Slip]:
    """Copies that are not made: rows that are one list, and a path that changes after it was stored."""
    for node in tree.all(cst.ListComp):
        loop = node.for_in
        simple = not loop.ifs and loop.inner_for_in is None and called_name(loop.iter) == "range"
        count = positional(loop.iter) if isinstance(loop.iter, cst.Call) else []
        if simple and len(count) == 1 and isinstance(node.elt, cst.List | cst.BinaryOperation | cst.ListComp):
            factor = tree.of(count[0])
            plain = isinstance(count[0], cst.Name | cst.Call | cst.Integer)
            yield tree.replace(
                "shared_list", node, f"[{tree.of(node.elt)}] * {factor if plain else f'({factor})'}"
            )
    for call in tree.all(cst.Call):
        for copied in (argument.value for argument in call.args):
            source = _copied(copied)
            if source is not None and called_name(call) in (
                "append",
                "appendleft",
                "add",
                "dfs",
                "backtrack",
            ):
                yield tree.replace("shared_list", copied, tree.of(source))
    for assignment in tree.all(cst.Assign):
        source = _copied(assignment.value)
        if source is not None:
            yield tree.replace("shared_list", assignment.value, tree.of(source))


def _copied(node: cst.BaseExpression) -> cst.BaseExpression | None:
    """``x`` of ``x[:]``, ``x.copy()``, ``list(x)`` and ``deepcopy(x)``."""
    match node:
        case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Slice(lower=None, upper=None, step=None))]):
            return node.value
        case cst.Call(func=cst.Attribute(attr=cst.Name("copy")), args=[]):
            return node.func.value if isinstance(node.func, cst.Attribute) else None
        case cst.Call(func=cst.Name("list" | "deepcopy"), args=[cst.Arg(value=cst.Name())]):
            return node.args[0].value
    return None


def _shadowed_names(tree: ConcreteTree) -> Iterator[Slip]:
    """A variable with the name of a function that is called beside it, and two loops that share theirs."""
    for function in tree.all(cst.FunctionDef):
        names = [
            name
            for name in tree.all(cst.Name, function.body)
            if not isinstance(tree.parent(name), cst.Attribute)
        ]
        called = {
            name.value
            for name in names
            if isinstance(call := tree.parent(name), cst.Call) and call.func is name
        }
        for variable in dict.fromkeys(filter(None, map(assigned_name, tree.everything(function.body)))):
            for builtin in sorted(called & _builtins_like(variable)):
                yield tree.renamed("shadowed_name", [n for n in names if n.value == variable], builtin)
    for loop in tree.all(cst.For):
        for inner in tree.all(cst.For, loop.body):
            if isinstance(loop.target, cst.Name) and isinstance(inner.target, cst.Name):
                old = inner.target.value
                names = [name for name in tree.all(cst.Name, inner) if name.value == old]
                if old != loop.target.value:
                    yield tree.renamed("shadowed_name", names, loop.target.value)


def _builtins_like(variable: str) -> set[str]:
    """Functions whose name somebody might give to such a variable."""
    words = set(variable.lower().split("_"))
    close = {"total": "sum", "result": "sum", "res": "sum", "longest": "max", "best": "max", "ans": "max"}
    close |= {"smallest": "min", "largest": "max", "length": "len", "n": "len", "count": "len", "m": "len"}
    found = {name for name in ("max", "min", "sum", "len", "sorted", "set", "list", "map") if name in words}
    return found | {close[word] for word in words if word in close}


_FINDERS: tuple[Callable[[ConcreteTree], Iterator[Slip]], ...] = (
    _slices, _loop_bounds, _initial_values, _argument_order, _conversions, _shared_lists, _shadowed_names,
)  # fmt: skip

KINDS = VALUE_KINDS


def find_value_slips(tree: ConcreteTree) -> Iterator[Slip]:
    """Every slip of ``KINDS`` that can be made; some may change nothing or break the syntax."""
    for finder in _FINDERS:
        yield from finder(tree)
