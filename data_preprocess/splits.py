"""Which split a problem belongs to: the project's own set by family and parameters, other data by hash."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from random import Random
from typing import TypeVar

from msgspec.structs import replace

from data_preprocess.case_policy import ALL, SHARE, PublicPolicy
from data_preprocess.entries import Entry
from data_preprocess.settings import ProblemSetSettings, SplitSettings
from recipe.code_agentic.problems.catalogue import all_templates
from recipe.code_agentic.problems.generate import generate_problems, select, split_problems
from recipe.code_agentic.problems.template import ProblemTemplate
from verl_ext.grading.problem import Problem

TRAIN, VAL, TEST, HELD_OUT_FAMILIES = "train", "val", "test", "held_out_families"
# Characters at which a chunk of problems ends early.
_CHUNK_CHARS = 64 << 20
Owned = TypeVar("Owned", Problem, Entry)
SplitProblem = tuple[str, Problem]


def own_problems(
    settings: ProblemSetSettings, splits: SplitSettings, *, public: PublicPolicy, seed: int
) -> list[SplitProblem]:
    """The project's own problems with their splits, those to train on first.

    The set flags its public cases itself, those that tell a variation best; the policy says how many, or all.
    ``test`` holds parameters, ``held_out_families`` whole families that nothing is trained on.

    Raises:
        ValueError: When the selection leaves nothing, or names a family that it does not have.
    """
    templates = [template for template in all_templates() if _wanted(template, settings)]
    if not templates:
        raise ValueError(
            "problem_set selects no problem: widen difficulties, families or max_reference_chars"
        )
    problems = generate_problems(
        seed=seed,
        num_cases=settings.num_cases,
        num_public=public.share_of(settings.num_cases) if public.policy == SHARE else public.first_k,
        templates=templates,
        variations_per_template=settings.variations_per_template,
    )
    chosen = select(problems, max_reference_chars=settings.max_reference_chars)
    made = list(itertools.islice(chosen, settings.num_problems))
    if public.policy == ALL:
        made = [replace(problem, cases=public.choose(problem.cases)) for problem in made]
    families = splits.held_out_families
    if families is None:
        known = sorted({problem.family for problem in made if problem.family is not None})
        count = round(splits.held_out_family_share * len(known))
        families = tuple(sorted(Random(f"families:{seed}").sample(known, count)))
    parts = split_problems(made, families, splits.test_share, seed)
    named = split_chunk(parts.train, SplitSettings(splits.val_share, 0.0, 0.0, None), seed=seed)
    return [
        *named,
        *((TEST, problem) for problem in parts.held_out_params),
        *((HELD_OUT_FAMILIES, problem) for problem in parts.held_out_families),
    ]


def split_chunk(problems: Sequence[Owned], splits: SplitSettings, *, seed: int) -> list[tuple[str, Owned]]:
    """Splits some problems exactly by share, each wanted split getting one where there are enough.

    Which problems are held out depends on a hash of ``query_id``; the order stays.
    """
    ranked = sorted(problems, key=lambda problem: _hash(f"{seed}:{problem.query_id}"))
    total = len(ranked)
    num_val = _count(splits.val_share, total)
    num_test = _count(splits.test_share, total)
    side = {problem.query_id: VAL for problem in ranked[:num_val]}
    side |= {problem.query_id: TEST for problem in ranked[num_val : num_val + num_test]}
    return [(side.get(problem.query_id, TRAIN), problem) for problem in problems]


def chunks(entries: Iterable[Entry], size: int) -> Iterator[list[Entry]]:
    """Lists of ``size`` problems, the last one shorter, as is one that would take too much memory."""
    chunk: list[Entry] = []
    num_chars = 0
    for entry in entries:
        chunk.append(entry)
        num_chars += len(entry.text)
        if len(chunk) == size or num_chars >= _CHUNK_CHARS:
            yield chunk
            chunk, num_chars = [], 0
    if chunk:
        yield chunk


def _wanted(template: ProblemTemplate, settings: ProblemSetSettings) -> bool:
    return (
        (settings.verdict_only or not template.verdict_only)
        and (settings.difficulties is None or template.difficulty in settings.difficulties)
        and (settings.families is None or any(fnmatchcase(template.family, f) for f in settings.families))
        and (settings.max_reference_chars is None or len(template.reference) <= settings.max_reference_chars)
    )


def _count(share: float, total: int) -> int:
    return max(1, round(share * total)) if share and total >= 3 else 0


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
