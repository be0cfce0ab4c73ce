"""The form every authored problem has: wordings, a reference program, parameters, and an input generator.

A ``ProblemTemplate`` is one authored problem. Its parameters make as many variations as asked; the default
variation (the first value of every parameter) is the authored problem itself, whose ``examples`` were
written by hand and check the reference independently of the generator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

Params = Mapping[str, Any]
# (rng, params) -> whole stdin (str) for stdin problems, list of arguments for call problems
InputGenerator = Callable[[Random, Params], Any]


class Choice(NamedTuple):
    """A parameter value that is said in one way and programmed in another ("plus" and ``+``).

    Attributes:
        words: What ``$name`` becomes in a wording.
        code: What ``$name`` becomes in the reference.
    """

    words: str
    code: str


@dataclass(frozen=True, slots=True)
class ProblemTemplate:
    """One authored problem with its parameters.

    Attributes:
        name: Unique, snake_case; ``query_id`` is built from it and the parameter values.
        family: The kind of skill; a held-out split keeps whole families apart.
        difficulty: ``easy``, ``medium`` or ``hard``.
        wordings: One or more ways to ask; ``$name`` stands for a parameter.
        reference: The right program; ``$name`` stands for a parameter.
        make_input: Draws one input.
        examples: Hand-written (input, expected) pairs of the default variation. stdin: two strings.
            call: a list of arguments and the returned value.
        params: Parameter name -> values, default first. A value may be a ``Choice``.
        fn_name: Function to call; None for stdin problems.
        verdict_only: The question leaves out a detail that only the verdict on a case reveals.
        edge_inputs: Inputs that every variation must contain (empty list, zero, one element, ...).
    """

    name: str
    family: str
    difficulty: str
    wordings: tuple[str, ...]
    reference: str
    make_input: InputGenerator
    examples: Sequence[tuple[Any, Any]]
    params: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    fn_name: str | None = None
    verdict_only: bool = False
    edge_inputs: Sequence[Any] = ()
