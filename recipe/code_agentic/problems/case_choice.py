"""Which of the drawn inputs become public cases and which become hidden ones.

A public case has to be informative: it is what the model sees of a failing program. Owns only the choice;
inputs and answers come from ``generate``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

from recipe.code_agentic.problems.reference_run import run_reference
from recipe.code_agentic.problems.template import Params, ProblemTemplate
from recipe.code_agentic.problems.variations import questions_of, reference_of

# How many other variations of the template an input is judged against.
_MAX_SIBLINGS = 12


def most_telling(
    template: ProblemTemplate,
    params: Params,
    candidates: Sequence[str],
    answers: Mapping[str, str],
    count: int,
    rng: Random,
) -> list[str]:
    """Greedy choice of inputs that other variations answer differently, preferring unlike answers."""
    siblings = _sibling_programs(template, params, rng)
    detects = {
        text: {
            position
            for position, program in enumerate(siblings)
            if _answer_or_none(program, text, template.fn_name) != answers[text]
        }
        for text in candidates
    }
    chosen: list[str] = []
    caught: set[int] = set()
    for _ in range(count):
        left = [text for text in candidates if text not in chosen]
        given = [answers[text] for text in chosen]
        best = max(
            left,
            key=lambda t: (
                len(detects[t] - caught),
                answers[t] not in given,
                len(detects[t]),
                answers[t] != "",
            ),
        )
        chosen.append(best)
        caught |= detects[best]
    return chosen


def _sibling_programs(template: ProblemTemplate, params: Params, rng: Random) -> list[str]:
    """References that differ in one parameter, only those with the same question where there are any."""
    question = questions_of(template, params)
    alike: list[str] = []
    others: list[str] = []
    for name, values in template.params.items():
        for value in values:
            sibling = {**params, name: value}
            if value != params[name]:
                same = questions_of(template, sibling) == question
                (alike if same else others).append(reference_of(template, sibling))
    rng.shuffle(others)
    return alike or others[:_MAX_SIBLINGS]


def _answer_or_none(program: str, text: str, fn_name: str | None) -> str | None:
    """The answer of a variation to an input that was not drawn for it, which it may not accept."""
    try:
        return run_reference(program, text, fn_name)
    except Exception:
        return None


def most_varied(
    drawn: Sequence[str], answers: Mapping[str, str], *, taken: Sequence[str], count: int
) -> list[str]:
    """Inputs whose answers are rarest among those already taken, so that yes/no problems get both."""
    seen = Counter(answers[text] for text in taken)
    left = [text for text in drawn if text not in taken]
    chosen: list[str] = []
    for _ in range(count):
        best = min(left, key=lambda text: seen[answers[text]])
        left.remove(best)
        seen[answers[best]] += 1
        chosen.append(best)
    return chosen
