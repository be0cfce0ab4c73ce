"""How many wrong attempts a conversation has, which ones, and which of them are learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from data_preprocess.bugs import GROUPS, Bug
from data_preprocess.error_kinds import ERROR_KINDS
from data_preprocess.wrong_programs import BugSupply
from recipe.code_agentic.conversations import WrongAttempt

LEARN = ("slips", "all", "none")
# How often the attempt after a two-slip program mends just one of the two, where it may also mend both and
# make another mistake.
_HALF_MENDED = 0.7
# Mistakes that are tried as the one behind the first.
_JOIN_TRIES = 3


@dataclass(frozen=True, slots=True)
class AttemptMix:
    """The distribution that conversations are drawn from.

    Attributes:
        wrong_attempt_probs: Probability that attempt 1, 2, ... is wrong, given that all before it were.
        bug_shares: Group of ``bugs.GROUPS`` -> its share of the wrong attempts.
        learn_wrong_attempts: ``slips`` (all but programs of other problems), ``all`` or ``none``.
        wrong_fix_share: Probability that the attempt after a single mutation changes the right line and is
            still wrong (from 0 to 1).
        error_shares: Error kind of ``ERROR_KINDS`` -> its share of the wrong attempts, 0 for none; None takes
            them as the bugs have them.

    Raises:
        ValueError: When a probability is out of range or a name is unknown.
    """

    wrong_attempt_probs: tuple[float, ...]
    bug_shares: Mapping[str, float]
    learn_wrong_attempts: str
    wrong_fix_share: float
    error_shares: Mapping[str, float] | None

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
        if not 0 <= self.wrong_fix_share <= 1:
            raise ValueError(f"sft.wrong_fix_share must be from 0 to 1, got {self.wrong_fix_share}")
        if self.error_shares is not None:
            unknown = ", ".join(sorted(set(self.error_shares) - set(ERROR_KINDS)))
            if unknown:
                raise ValueError(f"sft.error_shares: unknown {unknown}; there are {', '.join(ERROR_KINDS)}")
            if min(self.error_shares.values(), default=0) < 0 or not sum(self.error_shares.values()):
                raise ValueError("sft.error_shares must be shares of at least 0 and not all 0")

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


class ErrorSteering:
    """Brings the error kinds that conversations show near the shares that are asked for.

    What a problem can fail with is known only when it runs, so what is drawn next makes up for what came out
    so far.
    """

    def __init__(self, shares: Mapping[str, float]) -> None:
        total = sum(shares.values())
        self.asked = {kind: share / total for kind, share in shares.items() if share > 0}
        self.got: Counter[str] = Counter()

    def weights(self, num_next: int) -> dict[str, float]:
        """Weight of each error kind among the next ``num_next`` wrong attempts; every one is above 0."""
        total = self.got.total() + num_next
        return {
            kind: max(share * total - self.got[kind], 0.02 * share * num_next)
            for kind, share in self.asked.items()
        }


async def draw_attempts(
    supply: BugSupply,
    reference: str,
    mix: AttemptMix,
    rng: Random,
    error_weights: Mapping[str, float] | None = None,
) -> AttemptPlan:
    """Draws a conversation: no program twice, all made from one right program, fewer when bugs run out.

    Args:
        supply: Wrong programs of the problem.
        reference: Its right program.
        mix: What to draw from.
        rng: Draws.
        error_weights: Error kind -> weight; None takes the bugs as they come.

    Raises:
        SandboxError: When our side failed.
    """
    drawn: list[Bug] = []
    half: Bug | None = None
    last: Bug | None = None
    for prob in mix.wrong_attempt_probs:
        if rng.random() >= prob:
            break
        used = {bug.program for bug in drawn}
        half_mended = _HALF_MENDED if error_weights is None else 1.0
        if half is not None and half.program not in used and rng.random() < half_mended:
            drawn.append(half)
            last, half = half, None
            continue
        if last is not None and mix.wrong_fix_share and rng.random() < mix.wrong_fix_share:
            fix = await supply.draw_wrong_fix(last, used, rng)
            if fix is not None:
                drawn.append(fix)
                continue
        base = drawn[0].base if drawn else None
        if not drawn or error_weights is None:
            last = await _draw_bug(supply, mix, used, base, rng, error_weights)
        else:
            # A mistake that shows only now was there before: the first attempt gets both.
            both, last = await _draw_hidden(supply, mix, drawn, rng, error_weights)
            drawn = [both] if both is not None else drawn
        if last is None:
            break
        drawn.append(last)
        half = last.halves[0] if last.halves else None
    wrong = tuple(WrongAttempt(bug.program, bug.kind, mix.learns(bug.group)) for bug in drawn)
    return AttemptPlan(wrong, drawn[0].base if drawn else reference)


async def _draw_hidden(
    supply: BugSupply, mix: AttemptMix, drawn: Sequence[Bug], rng: Random, error_weights: Mapping[str, float]
) -> tuple[Bug, Bug] | tuple[None, None]:
    """The first attempt with one more mistake, and the attempt where only that is left; or nothing."""
    if len(drawn) == 1:
        for _ in range(_JOIN_TRIES):
            other = await _draw_bug(supply, mix, (drawn[0].program,), drawn[0].base, rng, error_weights)
            both = None if other is None else await supply.joined(drawn[0], other)
            if other is not None and both is not None:
                return both, other
    return None, None


async def _draw_bug(
    supply: BugSupply,
    mix: AttemptMix,
    used: Collection[str],
    base: str | None,
    rng: Random,
    error_weights: Mapping[str, float] | None,
) -> Bug | None:
    shares = {group: mix.bug_shares[group] for group in GROUPS}
    if error_weights is None:
        for group in _shuffled(shares, rng):
            found = await supply.draw(group, used, rng, base=base)
            if found is not None:
                return found.bug
        return None
    for error in _shuffled(error_weights, rng):
        for group in _shuffled(shares, rng):
            found = await supply.draw_error(group, error, used, rng, base=base)
            if found is not None:
                return found.bug
    return None


def _shuffled(shares: Mapping[str, float], rng: Random) -> Iterator[str]:
    """All names that have a share, those with a large one mostly first; drawn only when asked for."""
    names = [name for name, share in shares.items() if share > 0]
    while names:
        (name,) = rng.choices(names, [shares[name] for name in names])
        yield name
        names.remove(name)
