"""The mutation operators of cosmic-ray as slips: what it can do to a Python program, at which place.

Owns the choice of operators and the way from its syntax tree (parso) to an edit of the text. Left out are
``VariableReplacer`` and ``VariableInserter``, which draw unseeded random numbers, ``ExceptionReplacer``,
which writes the name of an exception of cosmic-ray's own, and replacements that nobody makes by mistake
(``+`` by ``<<``, ``-1`` by ``~1``). What ``slips`` finds too is made there.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

import parso
from cosmic_ray.operators.provider import OperatorProvider

from data_preprocess.slip_kinds import COSMIC_RAY_KINDS
from data_preprocess.source_edits import Slip, is_word, line_starts, smallest_edit

# First word of an operator's name -> (kind, parso's types of the nodes that it is asked about).
_OPERATORS = {
    "ReplaceBinaryOperator": ("binary_operator", ("operator",)),
    "ReplaceComparisonOperator": ("comparison_operator", ("comparison",)),
    "ReplaceUnaryOperator": ("unary_operator", ("factor", "not_test")),
    "AddNot": ("boolean_operator", ("if_stmt", "while_stmt", "assert_stmt", "test")),
    "ReplaceAndWithOr": ("boolean_operator", ("keyword",)),
    "ReplaceOrWithAnd": ("boolean_operator", ("keyword",)),
    "ReplaceTrueWithFalse": ("boolean_value", ("keyword",)),
    "ReplaceFalseWithTrue": ("boolean_value", ("keyword",)),
    "ReplaceBreakWithContinue": ("break_continue", ("keyword",)),
    "ReplaceContinueWithBreak": ("break_continue", ("keyword",)),
    "NumberReplacer": ("number", ("number",)),
    "RemoveDecorator": ("missing_decorator", ("decorator",)),
    "ZeroIterationForLoop": ("zero_iterations", ("for_stmt",)),
}
KINDS = COSMIC_RAY_KINDS
_MAX_NUMBER_CHARS = 40
# Operators, in cosmic-ray's words, that one takes for one another.
_ALIKE = (
    {"Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow"},
    {"BitAnd", "BitOr", "BitXor", "LShift", "RShift"},
    {"Eq", "NotEq", "Lt", "LtE", "Gt", "GtE"},
    {"Is", "IsNot"},
    {"UAdd", "USub"},
    *({"Delete", sign} for sign in ("USub", "Invert", "Not")),
)


def find_cosmic_ray_slips(program: str) -> Iterator[Slip]:
    """Every mutation of every operator, in source order; none for a text that parso finds broken.

    A slip may be no mutation at all or break the syntax; ``mutations`` sorts those out.
    """
    try:
        module: Any = parso.load_grammar().parse(program, error_recovery=False)
    except (parso.ParserSyntaxError, RecursionError):
        return
    starts = line_starts(program)
    for node in _nodes(module):
        if node.type == "number" and len(node.value) > _MAX_NUMBER_CHARS:
            continue
        for kind, operator in _operators().get(node.type, ()):
            for index, _ in enumerate(operator.mutation_positions(node)):
                yield _edit(program, starts, node, kind, operator, index)


@cache
def _operators() -> dict[str, list[tuple[str, Any]]]:
    """parso's type of node -> (kind, operator), in cosmic-ray's order."""
    by_type: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    provider = OperatorProvider()
    for name in provider:
        family, *operators = name.split("_")
        kind, node_types = _OPERATORS.get(family, ("", ()))
        if not any(set(operators) <= alike for alike in _ALIKE):
            continue
        for node_type in node_types:
            by_type[node_type].append((kind, provider[name]()))
    return dict(by_type)


def _nodes(module: Any) -> Iterator[Any]:
    waiting = [module]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(getattr(node, "children", ()))


def _edit(program: str, starts: list[int], node: Any, kind: str, operator: Any, index: int) -> Slip:
    start = starts[node.start_pos[0] - 1] + node.start_pos[1]
    end = starts[node.end_pos[0] - 1] + node.end_pos[1]
    mutated = operator.mutate(_own_copy(node), index)
    if mutated is None:  # removed, and its indentation with it
        return Slip(kind, starts[node.start_pos[0] - 1], end, "")
    slip = smallest_edit(kind, program, start, end, mutated.get_code(include_prefix=False))
    return _tidied(program, slip)


def _own_copy(node: Any) -> Any:
    """The node with children of its own and the parent that it has: an operator changes what it is given."""
    own = copy.copy(node)
    if hasattr(node, "children"):
        own.children = [copy.copy(child) for child in node.children]
    return own


def _tidied(program: str, slip: Slip) -> Slip:
    """Without the blanks that cosmic-ray puts before what it inserts, or leaves behind what it takes out."""
    before, text, end = program[: slip.start], slip.text, slip.end
    if text.startswith(" ") and not (is_word(before[-1:]) and is_word(text.lstrip()[:1])):
        text = text.lstrip()
    if not text and not is_word(before[-1:]) and program[end : end + 1] == " ":
        end += 1
    return Slip(slip.kind, slip.start, end, text)
