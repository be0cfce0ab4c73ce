"""Every mistake that can be made in a program of a known language, whichever finder makes it.

The finders: ``slips`` (small edits that a typing person makes), ``value_slips`` and ``statement_slips``
(mistakes in what a program means, found with libcst), ``cosmic_ray_slips`` (the operators of a mutation
tester), all for Python, and ``token_slips`` for languages written like C. An edit that two of them find is
one slip, of the kind that is named first.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator

from data_preprocess import slips, token_slips
from data_preprocess.slip_kinds import COSMIC_RAY_KINDS, STATEMENT_KINDS, VALUE_KINDS
from data_preprocess.source_edits import Slip

KINDS = tuple(
    dict.fromkeys(
        (
            *slips.KINDS,
            *VALUE_KINDS,
            *STATEMENT_KINDS,
            *COSMIC_RAY_KINDS,
            *token_slips.KINDS,
        )
    )
)
LANGUAGES = frozenset(("python", *token_slips.LANGUAGES))


def find_mutations(program: str, language: str, kinds: Collection[str] = KINDS) -> list[Slip]:
    """Slips of some kinds, each giving another text; none for other languages and for broken programs.

    Args:
        program: Source text.
        language: SandboxFusion's name for it.
        kinds: Of ``KINDS``.
    """
    if language in token_slips.LANGUAGES:
        return [slip for slip in token_slips.find_token_slips(program, language) if slip.kind in kinds]
    if language != "python":
        return []
    found = {slip.apply(program): slip for slip in slips.find_slips(program)}
    for slip in _of_other_finders(program, kinds):
        broken = slip.apply(program)
        if broken != program:
            found.setdefault(broken, slip)
    return [slip for slip in found.values() if slip.kind in kinds]


def _of_other_finders(program: str, kinds: Collection[str]) -> Iterator[Slip]:
    # What is behind them takes 0.15 s to import, also of a run that makes no wrong program.
    from data_preprocess import cosmic_ray_slips, statement_slips, value_slips
    from data_preprocess.concrete_tree import ConcreteTree

    wanted = set(kinds)
    if wanted & {*value_slips.KINDS, *statement_slips.KINDS}:
        try:
            tree = ConcreteTree(program)
        except ValueError:
            return
        yield from value_slips.find_value_slips(tree)
        yield from statement_slips.find_statement_slips(tree)
    if wanted & set(cosmic_ray_slips.KINDS):
        yield from cosmic_ray_slips.find_cosmic_ray_slips(program)


def compiles(program: str) -> bool:
    """True for a text that is a Python program; nothing of it is run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(program, "program.py", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            return False
    return True
