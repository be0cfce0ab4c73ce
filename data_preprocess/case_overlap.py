"""What overlaps that should not: hidden cases with public ones or the question, problems across splits.

A case whose input another case of the problem has, with the same answer, tests nothing new, and if the other
one is public its input is no secret: such duplicates are taken out. Everything else is reported and left to
whoever reads the manifest. Owns neither the choice of public cases (``case_policy``) nor the splits.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace

from data_preprocess.seen_ids import SeenIds
from verl_ext.grading.compare import compare_stdout, parse_json, parse_value
from verl_ext.grading.problem import Case, Problem
from verl_ext.grading.values import value_text
from verl_ext.grading.views import same_in_view

# Problems named per finding; the count is always of all.
_NAMED = 20
# Compact characters of an input with its answer; fewer are in a question by chance.
_MIN_TELLING_CHARS = 6
_SPACE = re.compile(r"\s+")
_BLANKS = b"\t\n\v\f\r\x1c\x1d\x1e\x1f "
_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789\0"))
_COMPACT = bytes(range(128)).lower().replace(b"'", b'"') + bytes(range(128, 256))


def input_key(case: Case) -> str:
    """The same text for inputs that no program can tell apart by what they mean.

    stdin: line ends and blank ends do not count. call: neither do spaces in the JSON nor the order of keys.
    """
    text = case.input
    if case.fn_name is None:
        if _may_have_blank_ends(text):
            text = "\n".join(line.rstrip() for line in text.split("\n"))
        return text.rstrip().lstrip("\n")
    if '"' not in text and "{" not in text and "'" not in text:
        return _SPACE.sub("", text)  # without texts and keys there is nothing else to even out
    try:
        return json.dumps(parse_json(text), sort_keys=True, default=str)
    except ValueError:  # arguments that JSON can't hold
        return value_text(parse_value(text))


def _may_have_blank_ends(text: str) -> bool:
    return "\r" in text or "\t" in text or " \n" in text


def _input_keys(cases: Sequence[Case]) -> list[str]:
    """``input_key`` of all cases of a problem, at once where none has blank ends."""
    if cases[0].fn_name is None:
        texts = [case.input for case in cases]
        if not _may_have_blank_ends("\0".join(texts)):
            return [text.rstrip().lstrip("\n") for text in texts]
    return [input_key(case) for case in cases]


def same_answer(left: Case, right: Case) -> bool:
    """Whether the expected outputs of two cases of one kind are the same to the grader."""
    if left.fn_name is None:
        return compare_stdout(left.expected, right.expected)
    return same_in_view(parse_value(left.expected), parse_value(right.expected), left.compare_as)


@dataclass(slots=True)
class Finding:
    """How many problems something was found in, the first of them by name."""

    count: int = 0
    named: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Counts one."""
        self.count += 1
        if len(self.named) < _NAMED:
            self.named.append(name)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"count": self.count, "first": list(self.named)}


class Duplicates(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was taken out of one problem: findings and counters by name, for ``OverlapReport``."""

    findings: tuple[str, ...] = ()
    taken_out: tuple[str, ...] = ()


class Look(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one problem shows by itself.

    Attributes:
        num_public: Public cases.
        num_hidden: Hidden cases.
        findings: Names of findings.
        question_key: Hash of the question; None for a vague one, which has an answer per problem on purpose.
        cases_key: Hash of the cases. Both are the same only in this process and those forked from it.
    """

    num_public: int
    num_hidden: int
    findings: tuple[str, ...]
    question_key: int | None
    cases_key: int


def without_duplicates(problem: Problem) -> tuple[Problem, Duplicates, list[str] | None]:
    """The problem with no case twice: what is public stays, and what is hidden is really hidden.

    A hidden case with the input of an earlier case and another answer stays too, because it is not for us
    to say which of the two is right; no program passes both, and the report names the problem.

    Returns:
        The problem, what was taken out, and ``input_key`` of its cases where nothing was.
    """
    keys = _input_keys(problem.cases)
    if len(set(keys)) == len(keys):
        return problem, Duplicates(), keys
    kept: dict[tuple[str, str], list[Case]] = {}
    for key, case in zip(keys, problem.cases, strict=True):
        # Two views of one returned value are two tests.
        kept.setdefault((case.compare_as, key), []).append(case)
    if len(kept) == len(problem.cases):
        return problem, Duplicates(), keys
    found: set[str] = set()
    taken_out: list[str] = []
    for place, alike in kept.items():
        kept[place] = different = alike[:1]
        for case in alike[1:]:
            twin = next((other for other in different if same_answer(other, case)), None)
            if twin is None:
                found.add("one_input_two_answers")
                different.append(case)
            elif case.public:
                taken_out.append("duplicate_public_taken_out")
            else:
                name = "hidden_case_was_public" if twin.public else "duplicate_hidden_cases"
                found.add(name)
                taken_out.append(f"{name}_taken_out")
    cases = [case for alike in kept.values() for case in alike]
    duplicates = Duplicates(tuple(sorted(found)), tuple(taken_out))
    if not taken_out:
        return problem, duplicates, keys
    return replace(problem, cases=tuple(sorted(cases, key=lambda case: not case.public))), duplicates, None


def look_at(problem: Problem, keys: Sequence[str] | None = None) -> Look:
    """Looks at one problem as it will be written.

    Args:
        problem: Without duplicates.
        keys: ``input_key`` of its cases, where they are known.
    """
    cases = problem.cases
    keys = keys or _input_keys(cases)
    num_public = [case.public for case in cases].count(True)
    findings = ["no_hidden_case"] if num_public == len(cases) else []
    question = _compact(problem.question)
    expected = [case.expected.strip() for case in cases]
    shown = set()
    if _may_have_an_answer(question, expected):
        shown = {case.public for case in cases if _is_told(case, question)}
    for public, name in ((True, "public_case_in_question"), (False, "hidden_case_in_question")):
        if public in shown:
            findings.append(name)
    return Look(
        num_public,
        len(cases) - num_public,
        tuple(findings),
        None if problem.verdict_only else hash(question),
        hash((problem.fn_name, frozenset(zip(keys, expected, strict=True)))),
    )


class OverlapReport:
    """What was found in the problems of one run."""

    def __init__(self) -> None:
        self._problems = 0
        self._cases: Counter[str] = Counter()
        self._findings = {
            name: Finding()
            for name in (
                "hidden_case_was_public",
                "duplicate_hidden_cases",
                "one_input_two_answers",
                "no_hidden_case",
                "public_case_in_question",
                "hidden_case_in_question",
            )
        }
        self._shared: dict[str, dict[str, Finding]] = {"same_question": {}, "same_cases": {}}
        self._seen = SeenIds()

    def distinct(self, problem: Problem) -> Problem:
        """The problem without duplicate cases, which are counted."""
        distinct, duplicates, _ = without_duplicates(problem)
        self.count(problem.query_id, duplicates)
        return distinct

    def count(self, query_id: str, duplicates: Duplicates) -> None:
        """Counts what was taken out of a problem."""
        for name in duplicates.taken_out:
            self._cases[name] += 1
        for name in duplicates.findings:
            self._findings[name].add(query_id)

    def add(self, query_id: str, look: Look, split: str) -> None:
        """Counts one problem as it is written to its split."""
        self._problems += 1
        self._cases["public"] += look.num_public
        self._cases["hidden"] += look.num_hidden
        for name in look.findings:
            self._findings[name].add(query_id)
        place = f"{split}\n{query_id}"
        if look.question_key is not None:
            self._compare("same_question", look.question_key, place)
        self._compare("same_cases", look.cases_key, place)

    def close(self) -> None:
        """Lets go of what was only needed to compare with later problems."""
        self._seen.close()

    def to_dict(self) -> dict[str, Any]:
        """What the manifest says."""
        return {
            "problems": self._problems,
            "cases": dict(sorted(self._cases.items())),
            **{name: finding.to_dict() for name, finding in self._findings.items()},
            "across_splits": {
                name: {splits: shared[splits].to_dict() for splits in sorted(shared)}
                for name, shared in self._shared.items()
            },
        }

    def warnings(self) -> list[str]:
        """One line for each finding that makes a reward or an evaluation less worth."""
        lines = []
        for name, meaning in (
            ("no_hidden_case", "have no hidden case: the reward grades what the tool shows"),
            ("hidden_case_in_question", "tell a hidden case in their question"),
            ("one_input_two_answers", "expect two answers to one input: no program passes"),
        ):
            finding = self._findings[name]
            if finding.count:
                lines.append(f"{finding.count} of {self._problems} problems {meaning} ({_some(finding)})")
        for name, what in (("same_question", "question"), ("same_cases", "cases")):
            for splits, finding in sorted(self._shared[name].items()):
                if splits.partition("/")[0] != splits.partition("/")[2]:
                    lines.append(
                        f"{finding.count} problems have the same {what} in {splits} ({_some(finding)})"
                    )
        return lines

    def _compare(self, name: str, key: int, place: str) -> None:
        """Compares with the first problem of any split that has the same text."""
        owner = self._seen.first_place(f"{name}:{key}", place)
        if owner is not None:
            split, _, query_id = place.partition("\n")
            other_split, _, other = owner.partition("\n")
            splits = "/".join(sorted((split, other_split)))
            self._shared[name].setdefault(splits, Finding()).add(f"{query_id} = {other}")


def _some(finding: Finding) -> str:
    more = ", ..." if finding.count > 3 else ""
    return ", ".join(finding.named[:3]) + more


def _compact(text: str) -> str:
    """The text without blanks, capitals and kinds of quotes."""
    if text.isascii():  # as below, in a sixth of the time
        return text.encode().translate(_COMPACT, _BLANKS).decode()
    return "".join(text.split()).casefold().replace("'", '"')


def _may_have_an_answer(question: str, expected: Sequence[str]) -> bool:
    """False where no answer can be in the question (compact): nearly always, by a pass or two over all."""
    answers = "\0".join(expected)
    # If one text is in another, so are its digits in the other's digits, which are few.
    digits = _digits(question)
    if not any(map(digits.__contains__, _digits(answers).split("\0"))):
        return False
    compact = _compact(answers).split("\0")
    return "\0" in question or len(compact) != len(expected) or any(map(question.__contains__, compact))


def _digits(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").translate(None, _NO_DIGITS).decode()


def _is_told(case: Case, question: str) -> bool:
    """Whether the question (compact) spells out a case: its input in order, and its answer."""
    expected = _compact(case.expected)
    if not expected or expected not in question:  # which settles nearly all, before the input is looked at
        return False
    compact = [_compact(part) for part in _spelled_parts(case)]
    if sum(map(len, compact)) + len(expected) < _MIN_TELLING_CHARS:
        return False
    at = 0
    for part in compact:
        found = question.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return expected in question[at:]


def _spelled_parts(case: Case) -> Sequence[str]:
    """What of an input a question would spell out: the whole of it, or each argument."""
    if case.fn_name is None:
        return [case.input]
    return [value_text(item) for item in parse_value(case.input)]
