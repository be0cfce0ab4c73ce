"""One variation of a template: its parameter values, program, question and ``query_id``.

Owns how parameters are combined and filled in. Does not draw inputs or make cases (``generate``).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from random import Random
from string import Template
from typing import Any
from urllib.parse import urlencode

from recipe.code_agentic.problems.template import Choice, Params, ProblemTemplate


def variations(template: ProblemTemplate, *, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Parameter combinations, the authored default first, then all others in a shuffled order.

    Lazy: any number can be taken from a template with millions of combinations. A combination whose
    reference was already seen is skipped, so that no two variations are the same program.
    """
    names = list(template.params)
    sizes = [len(template.params[name]) for name in names]
    total = math.prod(sizes)
    rng = Random(f"variations:{seed}:{template.name}")
    # index -> (start + step * index) mod (total - 1) visits every non-default combination exactly once.
    others = max(total - 1, 1)
    # Near the golden section, neighbours in the order differ in every parameter.
    step = next(s for s in itertools.count(int(others * 0.618) + 1) if math.gcd(s, others) == 1)
    start = rng.randrange(others)
    seen: set[str] = set()
    for index in range(total):
        rest = 0 if index == 0 else 1 + (start + step * index) % others
        params = {}
        for name, size in zip(names, sizes, strict=True):
            rest, position = divmod(rest, size)
            params[name] = template.params[name][position]
        program = reference_of(template, params)
        if program not in seen:
            seen.add(program)
            yield params


def reference_of(template: ProblemTemplate, params: Params) -> str:
    """The right program of one variation."""
    return _filled(template.reference, _coded(params))


def questions_of(template: ProblemTemplate, params: Params) -> tuple[str, ...]:
    """Every wording of one variation."""
    said = _said(params)
    return tuple(_filled(wording, said) for wording in template.wordings)


def query_id_of(template: ProblemTemplate, params: Params) -> str:
    """``name`` or ``name?param=value&...``: unique, stable under seeds, readable."""
    return f"{template.name}?{urlencode(_said(params))}" if params else template.name


def _coded(params: Params) -> dict[str, Any]:
    return {name: value.code if isinstance(value, Choice) else value for name, value in params.items()}


def _said(params: Params) -> dict[str, Any]:
    return {name: value.words if isinstance(value, Choice) else value for name, value in params.items()}


def _filled(text: str, values: Mapping[str, Any]) -> str:
    return Template(text).substitute({name: str(value) for name, value in values.items()})
