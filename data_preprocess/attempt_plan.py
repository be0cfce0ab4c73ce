"""How many wrong attempts a conversation has, which ones, and which of them are learned."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from random import Random

from data_preprocess.bugs import GROUPS, Bug
from data_preprocess.wrong_programs import BugSupply
from recipe.code_agentic.conversations import WrongAttempt

LEARN = ("slips", "all", "none")
# How often the attempt after a two-slip program mends just one of the two.
_HALF_MENDED = 0.7


@dataclass(frozen=True, slots=True)
class AttemptMix:
    """The distribution that conversations are drawn from.

    Attributes:
        wrong_attempt_probs: Probability that attempt 1, 2, ... is wrong, given that all before it were.
        bug_shares: Group of ``bugs.GROUPS`` -> its share of the wrong attempts.
        learn_wrong_attempts: ``slips`` (all but programs of other problems), ``all`` or ``none``.

    Raises:
        ValueError: When a probability is out of range or a name is unknown.
    """

    wrong_attempt_probs: tuple[float, ...]
    bug_shares: Mapping[str, float]
    learn_wrong_attempts: str

    def __post_init__(self) -> None:
        if not all(0 <= prob <= 1 for prob in self.wrong_attempt_probs):
            raise ValueError(
                f"sft.wrong_attempt_probs must be from 0 to 1, got {list(self.wrong_attempt_probs)}"
            )
        if set(self.bug_shares) != set(GROUPS) or min(self.bug_shares.values()) < 0:
            raise ValueError(
                f"sft.bug_shares must give a share of at least 0 for each of {', '.join(GROUPS)}"
            )
        if sum(self.bug_shares.values()) <= 0:
            raise ValueError("sft.bug_shares must not all be 0")
        if self.learn_wrong_attempts not in LEARN:
            raise ValueError(
                f"sft.learn_wrong_attempts={self.learn_wrong_attempts} is not one of {', '.join(LEARN)}"
            )

    def learns(self, group: str) -> bool:
        """Whether a wrong attempt of this group is trained on."""
        return self.learn_wrong_attempts == "all" or (
            self.learn_wrong_attempts == "slips" and group != "other_program"
        )


@dataclass(frozen=True, slots=True)
class AttemptPlan:
    """The wrong attempts of one conversation and the right program at which their repair arrives."""

    wrong: tuple[WrongAttempt, ...]
    right: str


async def draw_attempts(supply: BugSupply, reference: str, mix: AttemptMix, rng: Random) -> AttemptPlan:
    """Draws a conversation: no program twice, all made from one right program, fewer when bugs run out.

    Raises:
        SandboxError: When our side failed.
    """
    drawn: list[WrongAttempt] = []
    halfway: WrongAttempt | None = None
    base: str | None = None
    for prob in mix.wrong_attempt_probs:
        if rng.random() >= prob:
            break
        used = {attempt.program for attempt in drawn}
        if halfway is not None and halfway.program not in used and rng.random() < _HALF_MENDED:
            drawn.append(halfway)
            halfway = None
            continue
        bug = await _draw_bug(supply, mix, used, base, rng)
        if bug is None:
            break
        base = bug.base
        learn = mix.learns(bug.group)
        drawn.append(WrongAttempt(bug.program, bug.kind, learn))
        halfway = WrongAttempt(bug.halfway, bug.halfway_kind, learn) if bug.halfway else None
    return AttemptPlan(tuple(drawn), base or reference)


async def _draw_bug(
    supply: BugSupply, mix: AttemptMix, used: Collection[str], base: str | None, rng: Random
) -> Bug | None:
    groups = [group for group in GROUPS if mix.bug_shares[group] > 0]
    while groups:
        (group,) = rng.choices(groups, [mix.bug_shares[group] for group in groups])
        bug = await supply.draw(group, used, rng, base=base)
        if bug is not None:
            return bug
        groups.remove(group)
    return None
