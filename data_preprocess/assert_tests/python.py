"""Python asserts -> cases: ``assert f(1, [2]) == 3`` and the forms in which data sets write it.

An assert has to compare one call of the function with a constant: with ``==`` or ``is``, from either side,
plainly or through ``set``, ``sorted``, ``list``, ``len``, ``round`` and the like, through ``math.isclose``,
``pytest.approx`` or ``abs(f(x) - 1.5) < 0.01``, or by its truth alone (``assert not f(x)``). What is none of
these is refused, and with it the row: a test that is left out makes wrong programs pass.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from data_preprocess.assert_tests.constants import constant, shown
from data_preprocess.rows import BadRow
from verl_ext.grading.problem import Case
from verl_ext.grading.values import value_text

_VIEWS = {
    "set": "set",
    "frozenset": "set",
    "sorted": "sorted",
    "list": "list",
    "tuple": "list",
    "len": "len",
    "abs": "abs",
    "float": "float",
    "bool": "bool",
}
# name -> (keyword of the relative tolerance, its default, keyword of the absolute one, its default)
_CLOSE = {
    "isclose": ("rel_tol", 1e-9, "abs_tol", 0.0),
    "np.isclose": ("rtol", 1e-5, "atol", 1e-8),
    "allclose": ("rtol", 1e-5, "atol", 1e-8),
    "approx": ("rel", 1e-6, "abs", 1e-12),
}


class _Look(NamedTuple):
    """The call that an expression is about, and what the expression looks at in its value."""

    call: ast.Call
    view: str


class AssertReader:
    """Turns the asserts of one record into cases."""

    def __init__(self, fn_name: str, aliases: Iterable[str] = (), parameters: Sequence[str] = ()) -> None:
        """Knows nothing yet.

        Args:
            fn_name: The function under test.
            aliases: Other names that the tests use for it (``candidate``).
            parameters: Its parameters' names, for calls with keywords; empty when they are not known.
        """
        self.cases: list[Case] = []
        self._fn_name = fn_name
        self._callees = {fn_name, *aliases}
        self._parameters = parameters
        self._names: dict[str, Any] = {}

    def read(self, source: str, column: str) -> None:
        """Reads a piece of test source and adds its cases.

        Raises:
            BadRow: When it is no Python, or says something that is no case.
        """
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise BadRow(column, f"not Python: {error}") from error
        try:
            for statement in tree.body:
                self._statement(statement)
        except ValueError as error:
            raise BadRow(column, str(error)) from error

    def _statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Assert(test=test):
                self._test(test)
            case ast.FunctionDef(name=name, body=body) if name == "check" or name.startswith("test"):
                for inner in body:
                    self._statement(inner)
            case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case ast.Expr(value=ast.Call(func=ast.Name(id="check"))):
                pass
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._names[name] = constant(value, self._names)
            case _:
                raise ValueError(f"{shown(statement)!r} is neither an assert nor a constant")

    def _test(self, test: ast.expr) -> None:
        match test:
            case ast.Constant(value=True):
                return None  # HumanEval's reminders; they check nothing
            case ast.BoolOp(op=ast.And(), values=parts):
                for part in parts:
                    self._test(part)
                return None
            case ast.Compare(left=left, ops=[ast.Eq() | ast.Is()], comparators=[right]):
                if self._equal(left, right) or self._equal(right, left):
                    return None
            case ast.Compare(left=left, ops=[ast.Lt() | ast.LtE()], comparators=[right]):
                if self._near(left, right):
                    return None
            case ast.Call() if self._is_close(test):
                return None
            case ast.UnaryOp(op=ast.Not(), operand=operand) if look := self._look(operand):
                if look.view in ("", "bool"):
                    return self._add(look.call, False, "bool")
            case _ if look := self._look(test):
                if look.view in ("", "bool"):
                    return self._add(look.call, True, "bool")
        raise ValueError(f"'assert {shown(test)}' is no comparison of one call with a constant")

    def _equal(self, tested: ast.expr, wanted: ast.expr) -> bool:
        look = self._look(tested)
        if look is None:
            return False
        if isinstance(wanted, ast.Call) and _name(wanted.func) == "approx" and not look.view:
            self._add(look.call, constant(wanted.args[0], self._names), _tolerance(wanted, "approx"))
        else:
            self._add(look.call, constant(wanted, self._names), look.view)
        return True

    def _near(self, difference: ast.expr, bound: ast.expr) -> bool:
        """``abs(f(x) - wanted) < bound``."""
        match difference:
            case ast.Call(
                func=ast.Name(id="abs") | ast.Attribute(attr="fabs"),
                args=[ast.BinOp(left=left, op=ast.Sub(), right=right)],
            ):
                for tested, wanted in ((left, right), (right, left)):
                    look = self._look(tested)
                    if look is not None and not look.view:
                        bound_value = float(constant(bound, self._names))
                        self._add(look.call, constant(wanted, self._names), f"close:0:{bound_value!r}")
                        return True
        return False

    def _is_close(self, test: ast.Call) -> bool:
        """``math.isclose(f(x), wanted, ...)`` and what numpy has for it."""
        name = _name(test.func)
        if name not in ("isclose", "allclose") or len(test.args) != 2:
            return False
        of_numpy = isinstance(test.func, ast.Attribute) and ast.unparse(test.func.value) in ("np", "numpy")
        for tested, wanted in (test.args, test.args[::-1]):
            look = self._look(tested)
            if look is not None and not look.view:
                tolerance = _tolerance(test, "np.isclose" if of_numpy else name)
                self._add(look.call, constant(wanted, self._names), tolerance)
                return True
        return False

    def _look(self, node: ast.expr) -> _Look | None:
        match node:
            case ast.Call(func=func) if _name(func) in self._callees and _is_plain(func):
                return _Look(node, "")
            case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in _VIEWS:
                look = self._look(inner)
                return look and (_Look(look.call, _VIEWS[name]) if not look.view else None)
            case ast.Call(func=ast.Name(id="round"), args=[inner, ast.Constant(value=int(digits))]):
                look = self._look(inner)
                return look and (_Look(look.call, f"round:{digits}") if not look.view else None)
        return None

    def _add(self, call: ast.Call, expected: Any, view: str) -> None:
        arguments = [constant(argument, self._names) for argument in call.args]
        by_name = {word.arg: constant(word.value, self._names) for word in call.keywords}
        if by_name:
            wanted = list(self._parameters[len(arguments) : len(arguments) + len(by_name)])
            if sorted(wanted) != sorted(map(str, by_name)):
                raise ValueError(f"{shown(call)} has keywords, and the order of the parameters is not known")
            arguments += [by_name[name] for name in wanted]
        case = Case(value_text(arguments), value_text(expected), self._fn_name, compare_as=view)
        self.cases.append(case)


def called_functions(source: str, column: str) -> set[str]:
    """The names of the functions that asserts call.

    Raises:
        BadRow: When the source is no Python.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadRow(column, f"not Python: {error}") from error
    asserts = [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    calls = [node for test in asserts for node in ast.walk(test) if isinstance(node, ast.Call)]
    return {call.func.id for call in calls if isinstance(call.func, ast.Name)}


def called_function(source: str, column: str) -> str:
    """The name of the one function that asserts call and that is not built in.

    Raises:
        BadRow: When the source is no Python, or they call none or several.
    """
    names = called_functions(source, column) - {*dir(builtins), *_CLOSE}
    if len(names) != 1:
        raise BadRow(column, f"the asserts must call one function, not {', '.join(sorted(names)) or 'none'}")
    return names.pop()


def parameters_of(source: str | None, fn_name: str) -> list[str]:
    """The names of a function's parameters; empty when the source is no Python or does not define it."""
    definition = find_function(source or "", fn_name)
    return [] if definition is None else [argument.arg for argument in definition.args.args]


def find_function(source: str, fn_name: str) -> ast.FunctionDef | None:
    """The last definition of a function at the top level of a program; None when there is none."""
    found = [function for function in _functions(source) if function.name == fn_name]
    return found[-1] if found else None


def last_function(source: str) -> ast.FunctionDef | None:
    """The last function at the top level of a program; None when there is none."""
    found = _functions(source)
    return found[-1] if found else None


def _functions(source: str) -> list[ast.FunctionDef]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [node for node in tree.body if isinstance(node, ast.FunctionDef)]


def _tolerance(call: ast.Call, name: str) -> str:
    """The view of an approximate comparison, from its keywords."""
    relative_word, relative, absolute_word, absolute = _CLOSE[name]
    given: Mapping[str | None, Any] = {word.arg: constant(word.value) for word in call.keywords}
    if not set(given) <= {relative_word, absolute_word}:
        raise ValueError(f"{shown(call)} has other keywords than {relative_word} and {absolute_word}")
    chosen = (float(given.get(relative_word, relative)), float(given.get(absolute_word, absolute)))
    return f"close:{chosen[0]!r}:{chosen[1]!r}"


def _name(func: ast.expr) -> str:
    return func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""


def _is_plain(func: ast.expr) -> bool:
    """A function's own name, or a method of ``Solution()``."""
    return isinstance(func, ast.Name) or (
        isinstance(func, ast.Attribute) and ast.unparse(func.value) in ("Solution()", "Solution")
    )
