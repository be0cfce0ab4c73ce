"""Small edits that break a Python program, found by kind: the slips that people and models make.

Every slip is a replacement in the source text at a place that the syntax tree (or the tokens) names, so the
rest of the program keeps its spelling. Whether a slip really breaks the program is for a run to say
(``bugs``): an edit here may well be harmless. Blind to problems and cases.
"""

from __future__ import annotations

import ast
import keyword
import tokenize
from collections.abc import Callable, Iterator

from data_preprocess.source_edits import Slip, Source

_BINARY_SWAPS = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.FloorDiv: ("//", "%"),
    ast.Mod: ("%", "//"),
    ast.Div: ("/", "//"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
}
_COMPARE_FLIPS = {
    ast.Lt: ("<", ("<=", ">")),
    ast.LtE: ("<=", ("<", ">=")),
    ast.Gt: (">", (">=", "<")),
    ast.GtE: (">=", (">", "<=")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
}
_FUNCTION_SWAPS = {"min": "max", "max": "min", "any": "all", "all": "any", "sum": "max", "sorted": "list"}
_METHOD_SWAPS = {
    "upper": "lower",
    "lower": "upper",
    "startswith": "endswith",
    "endswith": "startswith",
    "ljust": "rjust",
    "rjust": "ljust",
    "find": "rfind",
    "lstrip": "rstrip",
    "rstrip": "lstrip",
}
_WRONG_METHODS = {
    "append": "add",
    "add": "append",
    "pop": "remove_last",
    "upper": "toUpper",
    "split": "splits",
}


def _names(source: Source) -> Iterator[Slip]:
    taken = {node.id for node in source.nodes(ast.Name)} | {node.arg for node in source.nodes(ast.arg)}
    taken |= set(keyword.kwlist)
    for node in source.nodes(ast.Name):
        if not isinstance(node.ctx, ast.Load):
            continue
        name = node.id
        typos = (
            [name[:-2] + name[-1] + name[-2], name[:-1], name + "s"] if len(name) > 2 else [name + name[-1]]
        )
        yield from (source.replace("name_error", node, typo) for typo in typos if typo not in taken | {name})


def _syntax(source: Source) -> Iterator[Slip]:
    for index, token in enumerate(source.tokens):
        start, end = source.token_span(token)
        if token.type == tokenize.OP and token.string in ")]}":
            yield Slip("syntax_bracket", start, end, "")
        ends_line = index + 1 < len(source.tokens) and source.tokens[index + 1].type == tokenize.NEWLINE
        if token.type == tokenize.OP and token.string == ":" and ends_line:
            yield Slip("syntax_colon", start, end, "")
        if (
            token.type == tokenize.STRING
            and len(token.string) > 1
            and not token.string.endswith(('"""', "'''"))
        ):
            yield Slip("syntax_string", end - 1, end, "")
    for node in source.nodes(ast.stmt):
        if node.col_offset:
            start = source.line_start(node.lineno)
            own = source.text[start : start + node.col_offset]
            if own.isspace():
                yield Slip("syntax_indentation", start, start + len(own), own + " ")
                yield Slip("syntax_indentation", start, start + len(own), "")


def _types(source: Source) -> Iterator[Slip]:
    for call in source.nodes(ast.Call):
        if isinstance(call.func, ast.Name) and not call.keywords:
            if call.func.id in ("int", "str", "float", "len") and len(call.args) == 1:
                yield source.replace("type_error", call, source.of(call.args[0]))
            if call.func.id == "map" and len(call.args) == 2:
                yield source.replace("type_error", call, source.of(call.args[1]))


def _indexes(source: Source) -> Iterator[Slip]:
    for node in source.nodes(ast.Subscript):
        index = node.slice
        if isinstance(node.ctx, ast.Load) and not isinstance(index, ast.Slice | ast.Tuple):
            constant = isinstance(index, ast.Constant) and isinstance(index.value, int)
            text = str(index.value + 1) if constant else f"{source.of(index)}+1"
            yield source.replace("index_error", index, text)
    for call in source.nodes(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id == "range" and len(call.args) < 3:
            last = call.args[-1]
            yield source.replace("index_error", last, f"{source.of(last)}+1")
            yield source.replace("off_by_one", last, f"{source.of(last)}-1")


def _keys(source: Source) -> Iterator[Slip]:
    for call in source.nodes(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "get" and call.args:
            yield source.replace(
                "key_error", call, f"{source.of(call.func.value)}[{source.of(call.args[0])}]"
            )
        if isinstance(call.func, ast.Name) and call.func.id in ("defaultdict", "Counter"):
            yield source.replace("key_error", call, "{}")


def _values(source: Source) -> Iterator[Slip]:
    for call in source.nodes(ast.Call):
        text = source.of(call)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "split" and not call.args:
            yield source.replace("value_error", call, f'{text[:-1]}",")')
            yield source.replace("value_error", call, source.of(call.func.value))
        if isinstance(call.func, ast.Name) and call.func.id == "int" and len(call.args) == 1:
            yield source.replace("value_error", call.args[0], f"{source.of(call.args[0])}+'.'")


def _zeros(source: Source) -> Iterator[Slip]:
    for node in source.nodes(ast.BinOp):
        if isinstance(node.op, ast.FloorDiv | ast.Mod | ast.Div) and not isinstance(node.left, ast.Constant):
            right = source.of(node.right)
            yield source.replace(
                "zero_division", node.right, "0" if right.isdigit() else f"({right}-{right})"
            )


def _attributes(source: Source) -> Iterator[Slip]:
    for node in source.nodes(ast.Attribute):
        end = source.span(node)[1]
        wrong = _WRONG_METHODS.get(node.attr, node.attr + "s")
        yield Slip("attribute_error", end - len(node.attr), end, wrong)


def _recursion(source: Source) -> Iterator[Slip]:
    for function in source.nodes(ast.FunctionDef):
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        called = {node.func.id for node in calls if isinstance(node.func, ast.Name)}
        called |= {node.func.attr for node in calls if isinstance(node.func, ast.Attribute)}
        if function.name in called:
            for node in function.body:
                if isinstance(node, ast.If) and any(isinstance(step, ast.Return) for step in node.body):
                    yield source.replace("recursion_error", node.test, "False")


def _loops(source: Source) -> Iterator[Slip]:
    for loop in source.nodes(ast.While):
        yield source.replace("time_limit", loop.test, "True")
        for step in loop.body:
            if isinstance(step, ast.AugAssign):
                yield source.replace("time_limit", step, "pass")


def _operators(source: Source) -> Iterator[Slip]:
    for node in source.nodes(ast.BinOp):
        if type(node.op) in _BINARY_SWAPS:
            old, new = _BINARY_SWAPS[type(node.op)]
            yield from source.between("operator_swap", node.left, node.right, old, new)
        if isinstance(node.op, ast.Sub | ast.FloorDiv | ast.Mod):
            left, right = source.of(node.left), source.of(node.right)
            middle = source.text[source.span(node.left)[1] : source.span(node.right)[0]]
            if "(" not in middle and ")" not in middle:
                yield source.replace("swapped_arguments", node, f"{right}{middle}{left}")
    for node in source.nodes(ast.Compare):
        if len(node.ops) == 1 and type(node.ops[0]) in _COMPARE_FLIPS:
            old, flips = _COMPARE_FLIPS[type(node.ops[0])]
            for new in flips:
                yield from source.between("comparison_flip", node.left, node.comparators[0], old, new)


def _constants(source: Source) -> Iterator[Slip]:
    inside_fstrings = {id(part) for node in source.nodes(ast.JoinedStr) for part in ast.walk(node)}
    for node in source.nodes(ast.Constant):
        if id(node) in inside_fstrings or isinstance(node.value, bool):
            continue
        if isinstance(node.value, int):
            yield source.replace("wrong_constant", node, str(node.value + 1))
            yield source.replace("wrong_constant", node, str(abs(node.value - 1)))
        elif isinstance(node.value, str) and len(node.value) <= 3 and "\n" not in node.value:
            quote = source.of(node)[:1]
            for other in (" ", "", ",", "-"):
                if quote in ("'", '"') and other != node.value:
                    yield source.replace("wrong_separator", node, f"{quote}{other}{quote}")


def _calls(source: Source) -> Iterator[Slip]:
    for call in source.nodes(ast.Call):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if name in _FUNCTION_SWAPS:
            yield source.replace("wrong_function", call.func, _FUNCTION_SWAPS[name])
        if isinstance(call.func, ast.Attribute) and call.func.attr in _METHOD_SWAPS:
            end = source.span(call.func)[1]
            yield Slip("wrong_function", end - len(call.func.attr), end, _METHOD_SWAPS[call.func.attr])
        for named in call.keywords:
            if named.arg in ("reverse", "key", "sep", "end"):
                previous = [*call.args, *(k.value for k in call.keywords if k.lineno and k is not named)]
                ends = [
                    source.span(node)[1] for node in previous if source.span(node)[1] < source.span(named)[0]
                ]
                if ends:
                    yield Slip("missing_argument", max(ends), source.span(named)[1], "")
        if len(call.args) == 2 and name != "map":
            first, second = source.span(call.args[0]), source.span(call.args[1])
            middle = source.text[first[1] : second[0]]
            text = f"{source.of(call.args[1])}{middle}{source.of(call.args[0])}"
            yield Slip("swapped_arguments", first[0], second[1], text)


def _variables(source: Source) -> Iterator[Slip]:
    for node in source.nodes(ast.Name):
        if isinstance(node.ctx, ast.Load) and node.id in (names := source.variables(node)):
            others = [name for name in names if name != node.id]
            yield from (source.replace("wrong_variable", node, other) for other in others[:4])


def _answers(source: Source) -> Iterator[Slip]:
    for node in source.nodes(ast.Return):
        if node.value is not None:
            value = source.of(node.value)
            yield source.replace("missing_return", node, value)
            yield source.replace("output_type", node.value, f"str({value})")
            yield source.replace("output_type", node.value, f"[{value}]")
    for call in source.nodes(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id == "print" and len(call.args) == 1:
            argument = call.args[0]
            if not call.keywords and not isinstance(argument, ast.Starred):
                yield source.replace("missing_print", call, source.of(argument))
                yield source.replace("output_type", argument, f"[{source.of(argument)}]")
            if isinstance(argument, ast.Starred):
                yield source.replace("output_type", argument, source.of(argument.value))
    for node in source.nodes(ast.Slice):
        if node.step is not None:
            yield Slip("missing_step", source.span(node.step)[0] - 1, source.span(node.step)[1], "")


_FINDERS: tuple[Callable[[Source], Iterator[Slip]], ...] = (
    _names, _syntax, _types, _indexes, _keys, _values, _zeros, _attributes, _recursion, _loops,
    _operators, _constants, _calls, _variables, _answers,
)  # fmt: skip

KINDS = (
    "name_error", "syntax_bracket", "syntax_colon", "syntax_string", "syntax_indentation", "type_error",
    "index_error", "off_by_one", "key_error", "value_error", "zero_division", "attribute_error",
    "recursion_error", "time_limit", "operator_swap", "swapped_arguments", "comparison_flip",
    "wrong_constant", "wrong_separator", "wrong_function", "missing_argument", "wrong_variable",
    "missing_return", "missing_print", "output_type", "missing_step",
)  # fmt: skip


def find_slips(program: str) -> list[Slip]:
    """Every slip that can be made, each giving another text; none for a text that is no Python program."""
    try:
        source = Source(program)
    except (SyntaxError, ValueError, RecursionError, tokenize.TokenError):
        return []
    slips: dict[str, Slip] = {}
    for finder in _FINDERS:
        for slip in finder(source):
            broken = slip.apply(program)
            if broken != program:
                slips.setdefault(broken, slip)
    return list(slips.values())
