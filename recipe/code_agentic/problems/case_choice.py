"""Which of the drawn inputs become public cases and which become hidden ones.

A public case has to be informative, as it is all that the model sees of a failing program; the hidden cases
have to catch programs that are nearly right. Owns only the choice; inputs and answers come from ``generate``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from random import Random

from recipe.code_agentic.problems.reference_run import run_reference
from recipe.code_agentic.problems.template import Params, ProblemTemplate
from recipe.code_agentic.problems.variations import questions_of, reference_of

# How many other variations of the template an input is judged against.
_MAX_SIBLINGS = 12


def siblings_told_apart(
    template: ProblemTemplate, params: Params, answers: Mapping[str, str], rng: Random
) -> dict[str, set[int]]:
    """Which sibling variations each input tells from this one, siblings numbered from 0.

    Args:
        template: The authored problem.
        params: This variation.
        answers: Input -> right answer of this variation.
        rng: Chooses among the siblings where there are many.
    """
    siblings = list(enumerate(_sibling_programs(template, params, rng)))
    return {
        text: {
            number
            for number, program in siblings
            if _answer_or_none(program, text, template.fn_name) != answer
        }
        for text, answer in answers.items()
    }


def most_telling(
    candidates: Iterable[str],
    count: int,
    *,
    taken: Collection[str],
    answers: Mapping[str, str],
    told_apart: Mapping[str, set[int]],
) -> list[str]:
    """Greedy choice of inputs that tell apart what no earlier one does, then of those with rare answers.

    Args:
        candidates: Inputs to choose from.
        count: How many; there must be as many candidates that are not taken.
        taken: Inputs that are cases already.
        answers: Input -> right answer.
        told_apart: What ``siblings_told_apart`` returned.
    """
    seen = Counter(answers[text] for text in taken)
    caught = {number for text in taken for number in told_apart[text]}
    left = [text for text in candidates if text not in taken]
    chosen: list[str] = []
    for _ in range(count):
        best = max(
            left,
            key=lambda text: (
                len(told_apart[text] - caught),
                -seen[answers[text]],
                len(told_apart[text]),
                answers[text] != "",
            ),
        )
        left.remove(best)
        chosen.append(best)
        seen[answers[best]] += 1
        caught |= told_apart[best]
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
