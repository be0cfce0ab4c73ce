"""Programs that a record itself says are right, besides its reference."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from data_preprocess.formats.shared_columns import first_python
from verl_ext.grading.problem import Problem

SOLUTIONS = "solutions"
# CodeContests numbers its languages; Python 3 is 3.
_CODE_CONTESTS_PYTHON = 3


def solutions_of(problem: Problem) -> list[str]:
    """Further programs that the record says are right, in the problem's language, without the reference.

    Read from the column ``solutions``: a list, a JSON string of one, or CodeContests's parallel lists.
    """
    value: Any = problem.extra.get(SOLUTIONS)
    if value is None:
        return []
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    if isinstance(value, Mapping):
        languages, programs = value.get("language"), value.get("solution")
        if not isinstance(languages, list) or not isinstance(programs, list):
            return []
        wanted = (_CODE_CONTESTS_PYTHON, "PYTHON3") if problem.language == "python" else (problem.language,)
        value = [p for name, p in zip(languages, programs, strict=False) if name in wanted]
    if not isinstance(value, list):
        return []
    programs = [program for program in value if isinstance(program, str) and program.strip()]
    if problem.language == "python":
        programs = [source for program in programs if (source := first_python(program)) is not None]
    return [program for program in dict.fromkeys(programs) if program != problem.reference]
