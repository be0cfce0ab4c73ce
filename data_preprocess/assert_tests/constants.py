"""The value of a constant Python expression, from its syntax tree.

Literals, names that stand for constants, and a few pure operations on them (``set([1, 2])``, ``[0] * 3``,
``float("inf")``, ``-2 + 1j``) that are carried out here by name; nothing is ever evaluated as code.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

_MAX_ITEMS = 100_000
_MAX_EXPONENT = 1000
_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "set": set,
    "frozenset": set,
    "tuple": tuple,
    "list": list,
    "sorted": sorted,
    "dict": dict,
    "float": float,
    "complex": complex,
    "abs": abs,
    "len": len,
}
_NAMES = {"math.pi": math.pi, "math.e": math.e, "math.inf": math.inf}


def constant(node: ast.expr, names: Mapping[str, Any] | None = None) -> Any:
    """The value of an expression.

    Args:
        node: The expression.
        names: What the names in it stand for.

    Raises:
        ValueError: When it is not constant, saying what part is not.
    """
    try:
        return _value(node, names or {})
    except (TypeError, ArithmeticError, AttributeError, RecursionError) as error:
        raise ValueError(f"{shown(node)} has no constant value: {error}") from error


def shown(node: ast.AST) -> str:
    """An expression as text for a message."""
    text = ast.unparse(node)
    return f"{text[:80]}..." if len(text) > 80 else text


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    def value(inner: ast.expr) -> Any:
        return _value(inner, names)

    match node:
        case ast.Constant(value=None | bool() | int() | float() | complex() | str() | bytes()):
            return node.value
        case ast.List(elts=items):
            return [value(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(value(item) for item in items)
        case ast.Set(elts=items):
            return {value(item) for item in items}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {value(k): value(v) for k, v in zip(keys, values, strict=True) if k is not None}
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Attribute() if ast.unparse(node) in _NAMES:
            return _NAMES[ast.unparse(node)]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return +value(operand)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _product(value(left), value(right))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(value(left), value(right))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            if type(op) is ast.Mod and isinstance(first := value(left), str | bytes):
                raise ValueError(f"{first!r} % ... is no constant")
            return _OPERATIONS[type(op)](value(left), value(right))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(value(argument) for argument in arguments))
    raise ValueError(f"{shown(node)} is no constant")


def _product(left: Any, right: Any) -> Any:
    for sequence, count in ((left, right), (right, left)):
        if hasattr(sequence, "__len__") and isinstance(count, int) and len(sequence) * count > _MAX_ITEMS:
            raise ValueError(f"more than {_MAX_ITEMS} items")
    return left * right


def _power(left: Any, right: Any) -> Any:
    if abs(right) > _MAX_EXPONENT or abs(left) > 10**18:
        raise ValueError("the power is too large")
    return left**right
