"""Problems and their cases: the types that every other part passes around.

Owns the record that travels from preprocessing through training to the report. Does not know any file
format (``data_preprocess``), how a case is run (``verl_ext.grading.harness``) or what the model is told
(the recipes' prompts).
"""

from __future__ import annotations

import json
from typing import Any, Literal

import msgspec

CaseKind = Literal["stdin", "call"]
DIFFICULTIES = ("easy", "medium", "hard")
# Values that msgspec writes as they are; of others it makes null (NaN), text (bytes) or the like.
_EXACT = frozenset((str, bool, int, type(None)))


class Case(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """One input with its expected output.

    Attributes:
        input: ``stdin``: the whole standard input. ``call``: text of the *list of arguments*: JSON, or a
            Python literal where JSON can't hold them (tuples, sets, keys that are no text).
        expected: ``stdin``: the expected standard output. ``call``: text of the expected value, likewise.
        fn_name: Function (or method of ``class Solution``) to call; None for a stdin case.
        public: Whether the tool may show this case to the model. Hidden cases are only graded.
        compare_as: ``call``: what of the returned value is compared (``verl_ext.grading.views``); empty for
            the value itself.
        generated: True when the case did not come with the record: its expected output is the reference's.
        wrapped: ``call``: ``expected`` may be the value in a one-element list, as APPS and TACO write it; the
            value counts with and without (``case_choice.accept_unwrapped``).
    """

    input: str
    expected: str
    fn_name: str | None = None
    public: bool = False
    compare_as: str = ""
    generated: bool = False
    wrapped: bool = False

    @property
    def kind(self) -> CaseKind:
        """``call`` when a function is called, else ``stdin``."""
        return "stdin" if self.fn_name is None else "call"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A question with its test cases, identified by ``query_id``.

    Attributes:
        query_id: Unique within a data set.
        question: What the model is asked, without any instruction on how to answer.
        cases: At least one case, all of one kind, public ones first.
        language: Language the program is to be written in (SandboxFusion's name for it).
        system_prompt: The record's own system prompt; None means the recipe's.
        prelude: Source put before the program when it is run (imports that the record takes for granted).
        starter_code: Signature the program has to follow, shown to the model; empty when free.
        reference: Source of a program known (or claimed) to be right; None when the record has none.
        difficulty: One of ``DIFFICULTIES``, or None when unknown.
        family: Group of related problems, for reports and held-out splits; None when unknown.
        verdict_only: True when the question leaves out a detail that only a verdict reveals.
        time_limit_s: CPU seconds per case; None means the configured default.
        memory_limit_mb: Memory per case in MiB; None means the configured default.
        source: Data set the record came from (verl's ``data_source``).
        extra: The record's other columns, kept as they came.

    Raises:
        ValueError: When there is no case, none that expects any output, kinds are mixed, or ``query_id`` or
            ``question`` is empty.
    """

    query_id: str
    question: str
    cases: tuple[Case, ...]
    language: str = "python"
    system_prompt: str | None = None
    prelude: str = ""
    starter_code: str = ""
    reference: str | None = None
    difficulty: str | None = None
    family: str | None = None
    verdict_only: bool = False
    time_limit_s: float | None = None
    memory_limit_mb: int | None = None
    source: str = "code_agentic"
    extra: dict[str, Any] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.query_id:
            raise ValueError("query_id is empty")
        if not self.question.strip():
            raise ValueError("question is empty")
        if not self.cases:
            raise ValueError("no cases: a problem without tests can't earn a reward")
        if all(case.fn_name is None and not case.expected.strip() for case in self.cases):
            raise ValueError("no case expects any output: a program that does nothing would pass")
        if len({case.fn_name for case in self.cases}) > 1:
            raise ValueError("cases of different kinds or functions in one problem")
        if self.difficulty is not None and self.difficulty not in DIFFICULTIES:
            raise ValueError(f"difficulty {self.difficulty!r} is not one of {', '.join(DIFFICULTIES)}")

    @property
    def fn_name(self) -> str | None:
        """The function that every case calls; None for stdin problems."""
        return self.cases[0].fn_name

    @property
    def public_cases(self) -> tuple[Case, ...]:
        """What the tool may show the model."""
        return tuple(case for case in self.cases if case.public)

    @property
    def hidden_cases(self) -> tuple[Case, ...]:
        """What the reward grades: the cases that are not public, or all when every case is public."""
        hidden = tuple(case for case in self.cases if not case.public)
        return hidden or self.cases

    def to_json(self) -> str:
        """One JSON object without the fields that have their defaults; ``from_json`` reads it back unchanged.

        Raises:
            ValueError: When a text in it is no Unicode (half a surrogate pair), which no file can hold.
            TypeError: When ``extra`` holds what is no JSON.
        """
        try:
            if _EXACT.issuperset(map(type, self.extra.values())):
                return msgspec.json.encode(self).decode()
            rest = msgspec.json.encode(msgspec.structs.replace(self, extra={})).decode()
            extra = json.dumps(self.extra, ensure_ascii=False, separators=(",", ":"))
            extra.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"holds text that is no Unicode: {error.reason}") from error
        return f'{rest[:-1]},"extra":{extra}}}'

    @classmethod
    def from_json(cls, text: str | bytes) -> Problem:
        """Reads what ``to_json`` wrote, also with all fields.

        Raises:
            ValueError: When the text is not such an object or breaks a rule of this class.
        """
        try:
            return _DECODER.decode(text)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
            pass  # what only ``json`` reads: NaN, 1e400, half a surrogate pair; or it is wrong
        try:
            return msgspec.convert(json.loads(text), cls)
        except (msgspec.ValidationError, RecursionError) as error:
            raise ValueError(f"not a stored problem: {error}") from error


_DECODER = msgspec.json.Decoder(Problem)
