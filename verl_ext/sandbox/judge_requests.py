"""What the online judge is asked: submissions, and the endpoints that list problems and prompts.

Source: SandboxFusion's ``CommonOJDataset``. This service keeps no data set of its own: everything comes in
``config.provided_data``, one problem or a list of them. ``judge`` runs what is read here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from verl_ext.sandbox.errors import ToolchainMissing
from verl_ext.sandbox.fields import (
    BadRequest,
    as_object,
    language_field,
    object_field,
    optional_text_field,
    seconds_field,
    text_field,
)
from verl_ext.sandbox.languages import LANGUAGES

DATASETS: list[str] = []
"""The data sets this service keeps."""

_DATASET_TYPE = "CommonOJDataset"
_MAX_CASES = 10_000
_PROMPT = (
    "Write a complete {language} program that reads standard input and writes its answer to standard output."
)
_CALLED = {
    "cpp": "C++",
    "csharp": "C#",
    "go": "Go",
    "java": "Java (public class Main)",
    "nodejs": "Node.js",
    "php": "PHP",
    "python": "Python",
}


@dataclass(frozen=True, slots=True)
class Submission:
    """A completion and the cases that judge it.

    Attributes:
        problem_id: Given back in the reply.
        completion: What the model wrote.
        language: What the program is to be written in.
        cases: (standard input, expected standard output), at least one.
        compile_timeout_s: Wall-clock seconds.
        run_timeout_s: Wall-clock seconds of each case.
        extract_logic: Python that finds the program; None for the usual rule.
        run_all: Go on after the first case that fails.
        whole_cases: Give long inputs and outputs back whole, also of cases that passed.
    """

    problem_id: int | str
    completion: str
    language: str
    cases: tuple[tuple[str, str], ...]
    compile_timeout_s: float
    run_timeout_s: float
    extract_logic: str | None
    run_all: bool
    whole_cases: bool


def submission_from_json(body: Mapping[str, Any], missing: Mapping[str, str]) -> Submission:
    """Reads and checks a submission.

    Args:
        body: The parsed JSON.
        missing: Language -> what of its toolchain is not installed.

    Raises:
        BadRequest: With one line that names the field and what is wrong with it.
        ToolchainMissing: When its language can't be run here.
    """
    config = _config(body)
    language = language_field(config, LANGUAGES, "config.language")
    if part := missing.get(language):
        raise ToolchainMissing(part)
    compiled = LANGUAGES[language].compile is not None
    extra = object_field(config, "config.extra")
    return Submission(
        problem_id=_problem_id(body.get("id"), "id"),
        completion=text_field(body, "completion"),
        language=language,
        cases=_cases(_problem(config).get("test")),
        compile_timeout_s=seconds_field(config, "config.compile_timeout", 10.0),
        run_timeout_s=seconds_field(config, "config.run_timeout", 10.0 if compiled else 20.0),
        extract_logic=optional_text_field(config, "config.custom_extract_logic"),
        run_all=bool(extra.get("run_all_cases")),
        whole_cases=bool(extra.get("return_full_case")),
    )


def list_ids(body: Mapping[str, Any]) -> list[int | str]:
    """The ids of the problems in ``config.provided_data``."""
    return [prompt["id"] for prompt in get_prompts(body)]


def get_prompts(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The prompts of the problems in ``config.provided_data``, from ``offset``, at most ``limit``."""
    config = _config(body)
    rows = config.get("provided_data")
    if not isinstance(rows, list):
        raise BadRequest("config.provided_data: required, a list of problems")
    offset, limit = _count(body, "offset", 0), _count(body, "limit", 1_000_000)
    return [
        _prompt(as_object(row, f"config.provided_data[{index}]"), config)
        for index, row in list(enumerate(rows))[offset : offset + limit]
    ]


def get_prompt_by_id(body: Mapping[str, Any]) -> dict[str, Any]:
    """The prompt of the problem in ``config.provided_data``."""
    config = _config(body)
    _problem_id(body.get("id"), "id")
    return _prompt(_problem(config), config)


def get_metrics(body: Mapping[str, Any]) -> dict[str, Any]:
    """Data sets of this type have no metrics of their own."""
    _config(body)
    if not isinstance(body.get("results"), list):
        raise BadRequest("results: required, a list")
    return {}


def get_metrics_function(body: Mapping[str, Any]) -> dict[str, Any]:
    """Data sets of this type have no function that computes metrics."""
    _config(body)
    return {"function": None}


def _config(body: Mapping[str, Any]) -> dict[str, Any]:
    dataset = text_field(body, "dataset")
    config = object_field(body, "config")
    kind = optional_text_field(config, "config.dataset_type")
    if kind != _DATASET_TYPE:
        raise BadRequest(
            f"config.dataset_type: {kind!r:.80} for data set {dataset!r:.80}; only {_DATASET_TYPE} is offered"
        )
    return config


def _problem(config: Mapping[str, Any]) -> dict[str, Any]:
    problem = config.get("provided_data")
    if not isinstance(problem, dict):
        raise BadRequest("config.provided_data: required, the problem as an object")
    return problem


def _problem_id(value: object, name: str) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise BadRequest(f"{name}: required, a string or an integer")
    return value


def _count(body: Mapping[str, Any], name: str, default: int) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadRequest(f"{name}: must be an integer of at least 0")
    return value


def _prompt(problem: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    language = optional_text_field(config, "config.language") or "python"
    request = _PROMPT.format(language=_CALLED.get(language, language))
    labels = _parsed(problem.get("labels"), "config.provided_data.labels")
    return {
        "id": _problem_id(problem.get("id"), "config.provided_data.id"),
        "prompt": f"{text_field(problem, 'config.provided_data.content')}\n\n{request}",
        "labels": {} if labels is None else as_object(labels, "config.provided_data.labels"),
    }


def _cases(value: object) -> tuple[tuple[str, str], ...]:
    name = "config.provided_data.test"
    cases = _parsed(value, name)
    if not isinstance(cases, list) or not cases:
        raise BadRequest(f"{name}: required, a list of at least one case")
    if len(cases) > _MAX_CASES:
        raise BadRequest(f"{name}: {len(cases)} cases, at most {_MAX_CASES} are taken")
    return tuple(_case(case, f"{name}[{index}]") for index, case in enumerate(cases))


def _case(value: object, name: str) -> tuple[str, str]:
    case = as_object(value, name)
    sides = []
    for side, stream in (("input", "stdin"), ("output", "stdout")):
        streams = as_object(case.get(side), f"{name}.{side}")
        text = streams.get(stream)
        if not isinstance(text, str) or len(streams) > 1:
            raise BadRequest(f"{name}.{side}: must be {{{stream!r}: text}} and nothing else")
        sides.append(text)
    return sides[0], sides[1]


def _parsed(value: object, name: str) -> object:
    """The value, which may come as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{name}: not JSON: {error}") from None
