"""The configuration of one run as frozen dataclasses; defaults live in ``configs/preprocess.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, ListConfig, OmegaConf

from data_preprocess.attempt_plan import AttemptMix
from data_preprocess.bugs import ALL_KINDS, GROUPS
from data_preprocess.case_generation import GenerateSettings
from data_preprocess.case_policy import PublicPolicy
from data_preprocess.reading import ReadOptions
from data_preprocess.tasks import TASKS, Task
from recipe.code_agentic.prompts import STYLES
from verl_ext.config_values import FLAG, TEXT, list_of, number, one_of, or_else, value_of, whole
from verl_ext.grading.grader import Limits
from verl_ext.sandbox.backends import ENDPOINTS, HEDGE_AFTER, configured_endpoints
from verl_ext.sandbox.languages import LANGUAGES

_SANDBOX = "code_agentic.sandbox"


@dataclass(frozen=True, slots=True)
class ProblemSetSettings:
    """Which of the project's own problems are made; fields as in ``configs/preprocess.yaml``."""

    num_problems: int | None
    variations_per_template: int | None
    num_cases: int
    difficulties: tuple[str, ...] | None
    families: tuple[str, ...] | None
    max_reference_chars: int | None
    verdict_only: bool


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """Which problems go where; shares from 0 to 1."""

    val_share: float
    test_share: float
    held_out_family_share: float
    held_out_families: tuple[str, ...] | None

    def __post_init__(self) -> None:
        for name in ("val_share", "test_share", "held_out_family_share"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"splits.{name} must be at least 0 and below 1, got {getattr(self, name)}")
        if self.val_share + self.test_share >= 1:
            raise ValueError(
                "splits.val_share + splits.test_share must stay below 1: nothing is left to train on"
            )


@dataclass(frozen=True, slots=True)
class BugSettings:
    """Which bugs are made and how many are kept per problem."""

    kinds: tuple[str, ...]
    per_problem: dict[str, int]
    time_limit_s: float

    def __post_init__(self) -> None:
        unknown = set(self.kinds) - set(ALL_KINDS)
        if unknown:
            raise ValueError(
                f"bugs.kinds: unknown {', '.join(sorted(unknown))}; there are {', '.join(ALL_KINDS)}"
            )
        if set(self.per_problem) != set(GROUPS) or min(self.per_problem.values()) < 0:
            raise ValueError(f"bugs.per_problem must give a number for each of {', '.join(GROUPS)}")


@dataclass(frozen=True, slots=True)
class Settings:
    """One preprocessing run; see ``configs/preprocess.yaml`` for every field."""

    inputs: tuple[Path, ...]
    read: ReadOptions
    failed_programs: tuple[Path, ...]
    problem_set: ProblemSetSettings
    splits: SplitSettings
    output_dir: Path
    seed: int
    strict: bool
    task: Task
    max_graded_cases: int | None
    style: str
    tools_file: Path
    verify: bool
    verify_solutions: int
    drop_unverified: bool
    generate: GenerateSettings
    max_mutants: int
    bugs: BugSettings
    num_conversations: int
    num_val_conversations: int
    mix: AttemptMix
    limits: Limits
    endpoint: tuple[str, ...] | None
    hedge_after: float | str | None
    num_workers: int | None
    max_concurrency: int
    cache_size: int
    num_parallel: int
    num_read_processes: int | None

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ValueError(f"style={self.style} is not one of {', '.join(STYLES)}")
        if self.drop_unverified and not self.verify:
            raise ValueError("drop_unverified=true needs verify=true")
        if self.inputs and not self.verify:
            for key, wanted in (
                ("generate.max_cases", self.generate.max_cases),
                ("mutation_score.max_mutants", self.max_mutants),
            ):
                if wanted:
                    raise ValueError(f"{key}={wanted} needs verify=true: only a right reference can tell")


def read_settings(config: DictConfig) -> Settings:
    """Builds the settings of a composed config.

    Raises:
        ValueError: When a value has the wrong type or is out of range.
        OmegaConfBaseException: When a required value is not set.
    """
    return Settings(
        inputs=_paths(config.input),
        read=ReadOptions(
            _text(config, "format"),
            PublicPolicy(
                policy=_text(config, "public_cases.policy"),
                fallback=_text(config, "public_cases.fallback"),
                first_k=_int(config, "public_cases.first_k"),
                share=_float(config, "public_cases.share"),
            ),
            _path(config.remote_root),
            # A service by URL may run more languages than ours.
            frozenset(LANGUAGES) if config.code_agentic.sandbox.endpoint is None else None,
        ),
        failed_programs=_paths(config.failed_programs),
        problem_set=ProblemSetSettings(
            num_problems=_int_or_none(config, "problem_set.num_problems", 1),
            variations_per_template=_int_or_none(config, "problem_set.variations_per_template", 1),
            num_cases=_int(config, "problem_set.num_cases"),
            difficulties=_names(config, "problem_set.difficulties"),
            families=_names(config, "problem_set.families"),
            max_reference_chars=_int_or_none(config, "problem_set.max_reference_chars", 1),
            verdict_only=_bool(config, "problem_set.verdict_only"),
        ),
        splits=SplitSettings(
            val_share=_float(config, "splits.val_share"),
            test_share=_float(config, "splits.test_share"),
            held_out_family_share=_float(config, "splits.held_out_family_share"),
            held_out_families=_names(config, "splits.held_out_families"),
        ),
        output_dir=Path(_text(config, "output_dir")),
        seed=_int(config, "seed"),
        strict=_bool(config, "strict"),
        task=TASKS[value_of(config, "rows_for", one_of(*TASKS))],
        max_graded_cases=_int_or_none(config, "max_graded_cases", 1),
        style=_text(config, "style"),
        tools_file=Path(_text(config, "tools_file")),
        verify=_bool(config, "verify"),
        verify_solutions=_int(config, "verify_solutions", 0),
        drop_unverified=_bool(config, "drop_unverified"),
        generate=GenerateSettings(
            max_cases=_int(config, "generate.max_cases", 0),
            max_tries=_int(config, "generate.max_tries", 1),
            max_input_chars=_int(config, "generate.max_input_chars", 1),
        ),
        max_mutants=_int(config, "mutation_score.max_mutants", 0),
        bugs=BugSettings(
            kinds=_names(config, "bugs.kinds") or ALL_KINDS,
            per_problem={
                str(group): _int(config, f"bugs.per_problem.{group}") for group in config.bugs.per_problem
            },
            time_limit_s=_float(config, "bugs.time_limit_s", above=0),
        ),
        num_conversations=_int(config, "sft.num_conversations", 0),
        num_val_conversations=_int(config, "sft.num_val_conversations", 0),
        mix=AttemptMix(
            wrong_attempt_probs=_floats(config, "sft.wrong_attempt_probs"),
            bug_shares={
                str(group): _float(config, f"sft.bug_shares.{group}") for group in config.sft.bug_shares
            },
            learn_wrong_attempts=_text(config, "sft.learn_wrong_attempts"),
            wrong_fix_share=_float(config, "sft.wrong_fix_share"),
            error_shares=None
            if config.sft.error_shares is None
            else {str(kind): _float(config, f"sft.error_shares.{kind}") for kind in config.sft.error_shares},
        ),
        limits=Limits(
            time_s=_float(config, f"{_SANDBOX}.time_limit_s", above=0),
            memory_limit_mb=_int(config, f"{_SANDBOX}.memory_limit_mb", 1),
        ),
        endpoint=None
        if config.code_agentic.sandbox.endpoint is None
        else tuple(configured_endpoints(value_of(config, f"{_SANDBOX}.endpoint", ENDPOINTS))),
        hedge_after=value_of(config, f"{_SANDBOX}.hedge_after", or_else(HEDGE_AFTER, None)),
        num_workers=_int_or_none(config, f"{_SANDBOX}.num_workers", 1),
        max_concurrency=_int(config, f"{_SANDBOX}.max_concurrency", 1),
        cache_size=_int(config, f"{_SANDBOX}.cache_size", 0),
        num_parallel=_int(config, "num_parallel", 1),
        num_read_processes=_int_or_none(config, "num_read_processes", 1),
    )


def plain_config(config: DictConfig) -> object:
    """The resolved config for the manifest."""
    return OmegaConf.to_container(config, resolve=True)


def _path(value: object) -> Path | None:
    return None if value is None else Path(str(value))


def _paths(value: object) -> tuple[Path, ...]:
    """One file, a list of files, or none."""
    chosen = value if isinstance(value, ListConfig) else [] if value is None else [value]
    return tuple(Path(str(path)) for path in chosen)


def _int(config: DictConfig, key: str, low: int | None = None) -> int:
    return value_of(config, key, whole(low))


def _int_or_none(config: DictConfig, key: str, low: int) -> int | None:
    return value_of(config, key, or_else(whole(low), None))


def _float(config: DictConfig, key: str, above: float | None = None) -> float:
    return float(value_of(config, key, number(above=above)))


def _floats(config: DictConfig, key: str) -> tuple[float, ...]:
    return tuple(map(float, value_of(config, key, list_of(number(), "numbers"))))


def _bool(config: DictConfig, key: str) -> bool:
    return value_of(config, key, FLAG)


def _text(config: DictConfig, key: str) -> str:
    return value_of(config, key, TEXT)


def _names(config: DictConfig, key: str) -> tuple[str, ...] | None:
    names = value_of(config, key, or_else(list_of(TEXT, "names"), None))
    return None if names is None else tuple(names)
