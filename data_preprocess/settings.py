"""The configuration of one run as frozen dataclasses; defaults live in ``configs/preprocess.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, ListConfig, OmegaConf

from data_preprocess.attempt_plan import AttemptMix
from data_preprocess.bugs import ALL_KINDS, GROUPS
from data_preprocess.formats import ReadOptions
from recipe.code_agentic.prompts import STYLES
from verl_ext.grading.grader import Limits


@dataclass(frozen=True, slots=True)
class ProblemSetSettings:
    """Which of the project's own problems are made; fields as in ``configs/preprocess.yaml``."""

    num_problems: int | None
    variations_per_template: int | None
    num_cases: int
    difficulties: tuple[str, ...] | None
    families: tuple[str, ...] | None
    max_reference_chars: int | None


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
    debugbench: Path | None
    problem_set: ProblemSetSettings
    splits: SplitSettings
    output_dir: Path
    seed: int
    strict: bool
    style: str
    tools: Path
    verify: bool
    drop_unverified: bool
    bugs: BugSettings
    num_conversations: int
    num_val_conversations: int
    mix: AttemptMix
    limits: Limits
    endpoint: str | None
    num_workers: int | None
    max_concurrency: int
    num_parallel: int

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ValueError(f"style={self.style} is not one of {', '.join(STYLES)}")
        if self.drop_unverified and not self.verify:
            raise ValueError("drop_unverified=true needs verify=true")
        if min(self.num_conversations, self.num_val_conversations) < 0:
            raise ValueError("sft.num_conversations and sft.num_val_conversations must not be negative")
        if self.num_parallel < 1:
            raise ValueError(f"num_parallel must be at least 1, got {self.num_parallel}")

    @property
    def needs_sandbox(self) -> bool:
        """Whether any program has to be run."""
        return self.verify or self.num_conversations + self.num_val_conversations > 0


def read_settings(config: DictConfig) -> Settings:
    """Builds the settings of a composed config.

    Raises:
        ValueError: When a value is out of range.
        OmegaConfBaseException: When a required value is not set.
    """
    chosen = config.input
    inputs = tuple(chosen) if isinstance(chosen, ListConfig) else () if chosen is None else (chosen,)
    own, sft, sandbox = config.problem_set, config.sft, config.code_agentic.sandbox
    return Settings(
        inputs=tuple(Path(str(path)) for path in inputs),
        read=ReadOptions(config.format, config.public_cases.first_k, _path(config.remote_root)),
        debugbench=_path(config.debugbench),
        problem_set=ProblemSetSettings(
            num_problems=own.num_problems,
            variations_per_template=own.variations_per_template,
            num_cases=own.num_cases,
            difficulties=_names(own.difficulties),
            families=_names(own.families),
            max_reference_chars=own.max_reference_chars,
        ),
        splits=SplitSettings(
            val_share=config.splits.val_share,
            test_share=config.splits.test_share,
            held_out_family_share=config.splits.held_out_family_share,
            held_out_families=_names(config.splits.held_out_families),
        ),
        output_dir=Path(config.output_dir),
        seed=config.seed,
        strict=config.strict,
        style=config.style,
        tools=Path(config.tools),
        verify=config.verify,
        drop_unverified=config.drop_unverified,
        bugs=BugSettings(
            kinds=_names(config.bugs.kinds) or ALL_KINDS,
            per_problem={str(group): int(number) for group, number in config.bugs.per_problem.items()},
            time_limit_s=config.bugs.time_limit_s,
        ),
        num_conversations=sft.num_conversations,
        num_val_conversations=sft.num_val_conversations,
        mix=AttemptMix(
            wrong_attempt_probs=tuple(sft.wrong_attempt_probs),
            bug_shares={str(group): float(share) for group, share in sft.bug_shares.items()},
            learn_wrong_attempts=sft.learn_wrong_attempts,
        ),
        limits=Limits(time_s=sandbox.time_limit_s, memory_limit_mb=sandbox.memory_limit_mb),
        endpoint=sandbox.endpoint,
        num_workers=sandbox.num_workers,
        max_concurrency=sandbox.max_concurrency,
        num_parallel=config.num_parallel,
    )


def plain_config(config: DictConfig) -> object:
    """The resolved config for the manifest."""
    return OmegaConf.to_container(config, resolve=True)


def _path(value: object) -> Path | None:
    return None if value is None else Path(str(value))


def _names(value: object) -> tuple[str, ...] | None:
    return tuple(str(name) for name in value) if isinstance(value, ListConfig) else None
