"""From trajectory records to rates with confidence intervals: pure arithmetic on dicts, numpy at most.

Owns what the evaluation counts and how sure it is. Reads no file, runs no model, draws no chart. A record is
what ``verl_ext.agent_loop.trajectory.trajectory_record`` makes; evaluation adds ``decoding``. Void episodes
count in no rate and in no mean; they are only reported.

Intervals are 95 %: Wilson where every problem has one episode, else a bootstrap that resamples problems,
since episodes of one problem are not independent.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

Record = Mapping[str, Any]
# The value of one episode, or None when the measure does not apply to it (then it is left out).
Measure = Callable[[Record], float | None]

MAX_WITHIN = 5
NO_PROGRAM = "no_program"
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over episodes with its 95 % interval.

    Attributes:
        value: The mean; for a rate between 0 and 1.
        low: Lower end of the interval.
        high: Upper end of the interval.
        num_problems: Problems with at least one counted episode.
        num_episodes: Counted episodes.
    """

    value: float
    low: float
    high: float
    num_problems: int
    num_episodes: int


def solved_within(k: int) -> Measure:
    """1 when one of the first ``k`` attempts passes every hidden case."""

    def measure(record: Record) -> float:
        first = record["facts"]["first_solved_attempt"]
        return float(first is not None and first <= k)

    return measure


def solved(record: Record) -> float:
    """1 when the final program, the one that counts, passes every hidden case."""
    return float(record["facts"]["solved"])


def recovered(record: Record) -> float | None:
    """Of the episodes whose first attempt fails the hidden cases: 1 when the final program passes them."""
    facts = record["facts"]
    if facts["num_attempts"] == 0 or facts["first_solved_attempt"] == 1:
        return None
    return float(facts["solved"])


def _fact(name: str) -> Measure:
    return lambda record: float(record["facts"][name])


def _score(record: Record) -> float | None:
    score = record["reward"].get("score")
    return None if score is None else float(score)


RATES: Mapping[str, Measure] = {
    **{f"solved_within_{k}": solved_within(k) for k in range(1, MAX_WITHIN + 1)},
    "solved": solved,
    "error_recovery": recovered,
    "used_tool": lambda record: float(record["facts"]["num_tool_calls"] > 0),
}
MEANS: Mapping[str, Measure] = {
    "reward": _score,
    **{name: _fact(name) for name in ("num_attempts", "num_tool_calls", "num_turns", "num_response_tokens")},
}


def wilson(num_hits: float, num: int) -> tuple[float, float]:
    """Wilson score interval of a proportion, 95 %.

    Source: Wilson 1927, JASA 22(158); centre (p + z^2/2n) / (1 + z^2/n), half width
    z / (1 + z^2/n) * sqrt(p(1-p)/n + z^2/4n^2).

    Raises:
        ValueError: When ``num`` is not positive.
    """
    if num <= 0:
        raise ValueError("a proportion of nothing has no interval")
    p = num_hits / num
    shrink = 1 + _Z95**2 / num
    centre = (p + _Z95**2 / (2 * num)) / shrink
    half = _Z95 / shrink * math.sqrt(p * (1 - p) / num + _Z95**2 / (4 * num**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def estimate(
    records: Iterable[Record], measure: Measure, *, is_rate: bool, seed: int, resamples: int = 1000
) -> Estimate | None:
    """Mean of ``measure`` over episodes that are not void; None when it applies to none of them."""
    by_problem = _values_by_problem(records, measure)
    if not by_problem:
        return None
    sums = np.array([sum(values) for values in by_problem.values()])
    counts = np.array([len(values) for values in by_problem.values()])
    num_problems, num_episodes = len(sums), int(counts.sum())
    value = float(sums.sum() / num_episodes)
    # Problems that all agree would give the bootstrap no spread at all, which claims too much: Wilson with
    # the problem as the unit stays honest there.
    if is_rate and (num_problems == num_episodes or np.ptp(sums / counts) == 0):
        low, high = wilson(value * num_problems, num_problems)
    else:
        low, high = _bootstrap(sums, counts, seed, resamples)
    return Estimate(value, low, high, num_problems, num_episodes)


def paired_difference(
    before: Iterable[Record], after: Iterable[Record], measure: Measure, *, seed: int, resamples: int = 1000
) -> Estimate | None:
    """Mean over shared problems of (mean of ``after`` - mean of ``before``), problems resampled in pairs.

    Returns:
        None when the two share no problem to which the measure applies.
    """
    old, new = _values_by_problem(before, measure), _values_by_problem(after, measure)
    shared = [query_id for query_id in old if query_id in new]
    if not shared:
        return None
    differences = np.array([np.mean(new[query_id]) - np.mean(old[query_id]) for query_id in shared])
    if np.ptp(differences) > 0:
        low, high = _bootstrap(differences, np.ones(len(shared)), seed, resamples)
    else:  # no spread to resample
        low, high = _adjusted_wald(differences)
    num_episodes = sum(len(old[query_id]) + len(new[query_id]) for query_id in shared)
    return Estimate(float(differences.mean()), low, high, len(shared), num_episodes)


def pass_at_k(num_samples: int, num_solved: int, k: int) -> float:
    """Chance that at least one of ``k`` samples drawn without replacement from ``num_samples`` is solved.

    Source: Chen et al. 2021 (arXiv 2107.03374), eq. 1: 1 - C(n - c, k) / C(n, k).

    Raises:
        ValueError: When ``k`` is not within 1 .. ``num_samples``.
    """
    if not 1 <= k <= num_samples:
        raise ValueError(f"pass@{k} needs at least {k} samples, there are {num_samples}")
    return 1.0 - math.comb(num_samples - num_solved, k) / math.comb(num_samples, k)


def pass_at(records: Iterable[Record], *, seed: int, resamples: int = 1000) -> dict[str, dict[str, Any]]:
    """Unbiased pass@k of final programs, k = 1, 2, 4, ... up to the samples that every problem has."""
    by_problem = _values_by_problem(records, solved)
    most = min((len(values) for values in by_problem.values()), default=0)
    result = {}
    for k in (2**power for power in range(most.bit_length()) if most > 1):
        values = np.array([pass_at_k(len(hits), int(sum(hits)), k) for hits in by_problem.values()])
        low, high = _bootstrap(values, np.ones(len(values)), seed, resamples)
        num_episodes = sum(len(hits) for hits in by_problem.values())
        result[str(k)] = asdict(Estimate(float(values.mean()), low, high, len(values), num_episodes))
    return result


def rates(records: Sequence[Record], *, seed: int) -> dict[str, Any]:
    """Counts and every rate of ``RATES``; a rate that applies to no episode is None."""
    counted = [record for record in records if not record["facts"]["void"]]
    return {
        "num_problems": len({record["query_id"] for record in counted}),
        "num_episodes": len(counted),
        "num_void": len(records) - len(counted),
        "rates": _estimates(counted, RATES, is_rate=True, seed=seed),
    }


def summarise(records: Sequence[Record], *, seed: int) -> dict[str, Any]:
    """Everything about one set of episodes: ``rates`` plus means, latency, pass@k, mixes and call counts."""
    counted = [record for record in records if not record["facts"]["void"]]
    latencies = [record["generate_s"] + record["tool_s"] for record in counted]
    return {
        **rates(records, seed=seed),
        "means": _estimates(counted, MEANS, is_rate=False, seed=seed),
        "latency_s": {
            "mean": float(np.mean(latencies)),
            "p50": float(np.percentile(latencies, 50)),
            "p95": float(np.percentile(latencies, 95)),
        }
        if latencies
        else None,
        "pass_at": pass_at(counted, seed=seed),
        "final_verdicts": _mix(final_verdict(record) for record in counted),
        "tool_verdicts": _mix(
            first_failing(attempt["verdicts"])
            for record in counted
            for attempt in record["attempts"]
            if attempt["verdicts"]
        ),
        "errors": _mix(
            attempt["error"] for record in counted for attempt in record["attempts"] if attempt["error"]
        ),
        "stop_reasons": _mix(record["facts"]["stop_reason"] for record in records),
        "calls": {
            name: sum(record["facts"][f"num_{name}_calls"] for record in counted)
            for name in ("tool", "refused", "malformed", "surplus")
        },
    }


def summarise_model(records: Sequence[Record], *, seed: int) -> dict[str, Any]:
    """One model's records, decodings and splits apart.

    Returns:
        ``{decoding: {split: {"all": summary, "verdict_only": rates | None, "question_suffices": rates | None,
        "difficulty": {name: rates}, "family": {name: rates}}}}``.
    """
    result: dict[str, Any] = {}
    for decoding, of_decoding in group(records, "decoding").items():
        result[decoding] = {}
        for split, of_split in group(of_decoding, "split").items():
            vague = group(of_split, "verdict_only")
            result[decoding][split] = {
                "all": summarise(of_split, seed=seed),
                "verdict_only": rates(vague["True"], seed=seed) if "True" in vague else None,
                "question_suffices": rates(vague["False"], seed=seed) if "False" in vague else None,
                **{
                    key: {name: rates(of_group, seed=seed) for name, of_group in group(of_split, key).items()}
                    for key in ("difficulty", "family")
                },
            }
    return result


def compare_models(
    before: Sequence[Record], after: Sequence[Record], *, seed: int
) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """Paired differences where both models have episodes.

    Returns:
        ``{decoding: {split: {"all" | "verdict_only": {rate: estimate | None}}}}``.
    """
    result: dict[str, Any] = {}
    old = group(before, "decoding", "split")
    new = group(after, "decoding", "split")
    for key in (key for key in old if key in new):
        decoding, split = key.split("\t")
        subsets = {
            "all": (old[key], new[key]),
            "verdict_only": (_verdict_only(old[key]), _verdict_only(new[key])),
        }
        result.setdefault(decoding, {})[split] = {
            subset: {
                name: asdict(difference) if difference else None
                for name, measure in RATES.items()
                for difference in [paired_difference(left, right, measure, seed=_seed(seed, name))]
            }
            for subset, (left, right) in subsets.items()
        }
    return result


def group(records: Iterable[Record], *keys: str) -> dict[str, list[Record]]:
    """Records by the text of their ``keys`` joined with tabs, in order of first appearance."""
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups["\t".join(str(record[key]) for key in keys)].append(record)
    return dict(groups)


def first_failing(verdicts: Sequence[str]) -> str:
    """The first verdict that is not ``passed``, else ``passed``; ``no_program`` when there is none at all."""
    if not verdicts:
        return NO_PROGRAM
    return next((verdict for verdict in verdicts if verdict != "passed"), "passed")


def final_verdict(record: Record) -> str:
    """What became of the final program on the hidden cases: its first failing verdict."""
    return first_failing(record["final_verdicts"])


def _estimates(
    records: Sequence[Record], measures: Mapping[str, Measure], *, is_rate: bool, seed: int
) -> dict[str, dict[str, Any] | None]:
    result: dict[str, dict[str, Any] | None] = {}
    for name, measure in measures.items():
        found = estimate(records, measure, is_rate=is_rate, seed=_seed(seed, name))
        result[name] = asdict(found) if found else None
    return result


def _values_by_problem(records: Iterable[Record], measure: Measure) -> dict[str, list[float]]:
    values: dict[str, list[float]] = defaultdict(list)
    for record in records:
        value = None if record["facts"]["void"] else measure(record)
        if value is not None:
            values[record["query_id"]].append(value)
    return values


def _bootstrap(sums: np.ndarray, counts: np.ndarray, seed: int, resamples: int) -> tuple[float, float]:
    """Percentile interval of sum(sums) / sum(counts) when whole problems are drawn with replacement."""
    num_problems = len(sums)
    weights = np.random.default_rng(seed).multinomial(
        num_problems, np.full(num_problems, 1 / num_problems), size=resamples
    )
    means = (weights @ sums) / (weights @ counts)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def _adjusted_wald(differences: np.ndarray) -> tuple[float, float]:
    """Interval of a mean of differences between -1 and 1 that stays honest when all of them agree.

    Source: Agresti and Min 2005, Statistics in Medicine 24: half a pair is added to each of the four cells of
    the matched table, which adds 2 pairs, their sum 0 and their sum of squares 1.
    """
    num = len(differences) + 2
    mean = differences.sum() / num
    half = _Z95 * math.sqrt(((differences**2).sum() + 1) / num - mean**2) / math.sqrt(num)
    return max(-1.0, float(mean - half)), min(1.0, float(mean + half))


def _verdict_only(records: Iterable[Record]) -> list[Record]:
    return [record for record in records if record["verdict_only"]]


def _mix(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())


def _seed(seed: int, name: str) -> int:
    """A seed of its own per measure, the same in every process (``hash`` is not)."""
    return zlib.crc32(f"{seed}:{name}".encode())
