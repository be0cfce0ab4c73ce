"""From ``ground_truth`` or ``test_cases`` to the cases that are graded.

Three forms are read, each also as its JSON text:

- a list of ``{"input": ..., "output": ...}`` (``expected_output`` and ``expected`` are read too);
- ``{"inputs": [...], "outputs": [...], "fn_name": ...}``, as APPS, TACO and PrimeIntellect write it;
- a problem as this project stores it (``Problem.to_json``), which brings its own language and limits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from recipe.deepcoder.json_lines import parse_text
from recipe.deepcoder.target_arguments import UNKNOWN, arguments_of, expected_of, find_signature, json_text
from verl_ext.grading.problem import Case, Problem

_OUTPUT_NAMES = ("expected_output", "output", "expected")
_CASE_KEYS = frozenset({"input", *_OUTPUT_NAMES, "type", "testtype", "fn_name", "metadata"})


@dataclass(frozen=True, slots=True)
class CaseSet:
    """What a program is graded on; case texts are as they came until the program is known.

    Attributes:
        pairs: Input and expected output of each case.
        fn_name: Function that every case calls; None for stdin.
        problem: The stored problem that they come from, with its limits; None for other forms.
    """

    pairs: tuple[tuple[Any, Any], ...]
    fn_name: str | None
    problem: Problem | None = None

    def cases(self, program: str, signature: str | None) -> tuple[Case, ...]:
        """The cases for one program.

        Args:
            program: Its signature says how texts are meant where ``signature`` does not.
            signature: Source with the header of the target function; None when the task has none.

        Raises:
            ValueError: When a case has no JSON form, a stdin case holds something else than text, or the
                signature is none of the function.
        """
        if self.problem is not None:
            return self.problem.hidden_cases
        if self.fn_name is None:
            return tuple(
                Case(_stdin(given, index), _stdin(wanted, index))
                for index, (given, wanted) in enumerate(self.pairs)
            )
        known = find_signature(signature or program, self.fn_name)
        if signature and known is None:
            raise ValueError(f"the signature has no header of {self.fn_name}: {signature!r:.120}")
        known = known or UNKNOWN
        return tuple(
            Case(
                json_text(arguments_of(given, known)),
                json_text(expected_of(wanted, given, known)),
                self.fn_name,
            )
            for given, wanted in self.pairs
        )


def read_cases(given: Any, target_function: str | None = None) -> CaseSet:
    """Reads test cases in any of the module's forms.

    Args:
        given: Test cases, or their JSON text.
        target_function: Function to call; None takes the cases' own ``fn_name``, else they are of stdin.

    Raises:
        ValueError: When there is none, or it is none of the forms; without tests there is no reward.
    """
    text = given if isinstance(given, str) else None
    if isinstance(given, str):
        try:
            given = parse_text(given)
        except ValueError as error:
            raise ValueError(f"test cases given as text: {error}") from error
    if isinstance(given, Mapping) and "cases" in given:
        problem = Problem.from_json(json.dumps(given) if text is None else text)
        if target_function is not None and target_function != problem.fn_name:
            problem = replace(
                problem, cases=tuple(replace(case, fn_name=target_function) for case in problem.cases)
            )
        return CaseSet((), problem.fn_name, problem)
    if isinstance(given, Mapping):
        return _parallel(given, target_function)
    if given is not None and not isinstance(given, list | tuple):
        raise ValueError(f"test cases must be a list of objects with input and output, not {given!r:.80}")
    if not given:
        raise ValueError("no test cases: a program without tests can't earn a reward")
    if not all(isinstance(case, Mapping) for case in given):
        raise ValueError("test cases must be objects with input and output")
    names = {str(name) for case in given for name in (_fn_name_of(case),) if name}
    if target_function is None and len(names) > 1:
        raise ValueError(f"test cases call several functions: {', '.join(sorted(names))}")
    pairs = tuple(_pair(case, index) for index, case in enumerate(given))
    return CaseSet(pairs, target_function or next(iter(names), None))


def _parallel(given: Mapping[str, Any], target_function: str | None) -> CaseSet:
    inputs, outputs = given.get("inputs"), given.get("outputs")
    if not isinstance(inputs, list | tuple) or not isinstance(outputs, list | tuple):
        raise ValueError("test cases need the lists inputs and outputs, or a list of {input, output}")
    if not inputs or len(inputs) != len(outputs):
        raise ValueError(
            f"test cases: {len(inputs)} inputs and {len(outputs)} outputs; every input needs one"
        )
    fn_name = target_function or given.get("fn_name") or None
    if not isinstance(fn_name, str | None):
        raise ValueError(f"test cases: fn_name must be text, not {fn_name!r:.80}")
    return CaseSet(tuple(zip(inputs, outputs, strict=True)), fn_name)


def _pair(case: Mapping[str, Any], index: int) -> tuple[Any, Any]:
    wanted = [name for name in _OUTPUT_NAMES if name in case]
    if "input" not in case or not wanted:
        raise ValueError(f"test case {index}: needs input and output, found {', '.join(map(str, case))}")
    if unknown := sorted(str(name) for name in case if name not in _CASE_KEYS):
        raise ValueError(f"test case {index}: unknown key {', '.join(unknown)}")
    return case["input"], case[wanted[0]]


def _fn_name_of(case: Mapping[str, Any]) -> str | None:
    metadata = case.get("metadata")
    return case.get("fn_name") or (metadata.get("func_name") if isinstance(metadata, Mapping) else None)


def _stdin(item: Any, index: int) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, list | tuple) and all(isinstance(line, str) for line in item):
        return "\n".join(item)
    raise ValueError(
        f"test case {index}: standard input and output are text, not {type(item).__name__}; "
        "give target_function for cases that call a function"
    )
