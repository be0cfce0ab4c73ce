"""What a config value may be, as data: a rule per key, and one line that names the key that breaks it.

Knows no key of its own, and nothing of how values depend on each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value may be.

    Attributes:
        wanted: Completes "KEY=VALUE must be ...".
        holds: Whether a value is that.
    """

    wanted: str
    holds: Callable[[Any], bool]


# bool is an int to isinstance, and seed=true is a mistake: types are compared, here and below
FLAG = Rule("true or false", lambda value: type(value) is bool)
TEXT = Rule("text", lambda value: type(value) is str and bool(value))


def whole(low: int | None = None) -> Rule:
    """A whole number, of at least ``low``."""
    bound = "" if low is None else f" of at least {low}"
    return Rule(f"a whole number{bound}", lambda value: type(value) is int and (low is None or value >= low))


def number(*, above: float | None = None, low: float | None = None, high: float | None = None) -> Rule:
    """A finite number within the bounds; ``above`` itself is outside, the others inside."""
    bounds = {"above": above, "at least": low, "at most": high}
    said = " and ".join(f"{name} {bound:g}" for name, bound in bounds.items() if bound is not None)
    return Rule(
        f"a number {said}".strip(),
        lambda value: (
            type(value) in (int, float)
            and math.isfinite(value)
            and (above is None or value > above)
            and (low is None or value >= low)
            and (high is None or value <= high)
        ),
    )


def one_of(*names: str) -> Rule:
    """One of some words."""
    return Rule(f"one of {', '.join(names)}", lambda value: value in names)


def list_of(rule: Rule, items: str) -> Rule:
    """A list whose items follow ``rule``; ``items`` names them in the plural."""
    return Rule(
        f"a list of {items}", lambda value: isinstance(value, ListConfig) and all(map(rule.holds, value))
    )


def one_or_more(rule: Rule, items: str) -> Rule:
    """A single value that follows ``rule``, or a list of at least one; ``items`` names them in the plural."""
    return Rule(
        f"{rule.wanted}, or a list of {items}",
        lambda value: (
            rule.holds(value)
            or (isinstance(value, ListConfig) and len(value) > 0 and all(map(rule.holds, value)))
        ),
    )


def or_else(rule: Rule, other: Any, meaning: str = "") -> Rule:
    """What ``rule`` says, or one other value; ``meaning`` explains it."""
    said = f"{_shown(other)} ({meaning})" if meaning else _shown(other)
    return Rule(f"{rule.wanted}, or {said}", lambda value: value == other or rule.holds(value))


def value_of(config: DictConfig, key: str, rule: Rule) -> Any:
    """The value of a dotted key.

    Raises:
        ValueError: When it breaks the rule.
        OmegaConfBaseException: When an interpolation can't be resolved.
    """
    value = OmegaConf.select(config, key)
    if not rule.holds(value):
        raise ValueError(f"{key}={_shown(value)} must be {rule.wanted}")
    return value


def check_values(config: DictConfig, rules: Mapping[str, Rule]) -> None:
    """Checks the keys in the order of the rules.

    Raises:
        ValueError: For the first value that breaks its rule.
        OmegaConfBaseException: When an interpolation can't be resolved.
    """
    for key, rule in rules.items():
        value_of(config, key, rule)


def _shown(value: Any) -> str:
    return "null" if value is None else str(value)
