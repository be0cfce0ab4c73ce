"""The table of formats: their names (``format=NAME``) and the order in which a record is tried on them.

To add a format, write a module with a ``FORMAT`` and add a line here; one whose columns are a subset of
another's comes after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_preprocess.formats import (
    apps,
    areal,
    codecontests,
    codeforces,
    deepcoder,
    kodcode,
    leetcode,
    livecodebench,
    mbpp,
    mbxp,
    no_tests,
    reward_kit,
    stored,
    synthetic1,
    user,
    verl_rows,
)
from data_preprocess.formats.format import Format

FORMATS: dict[str, Format] = {
    "leetcode": leetcode.FORMAT,
    "mbxp": mbxp.FORMAT,
    "mbpp": mbpp.MBPP,
    "acecode": mbpp.ACECODE,
    "problems": stored.FORMAT,
    "user": user.FORMAT,
    "verl": verl_rows.FORMAT,
    "livecodebench": livecodebench.FORMAT,
    "synthetic1": synthetic1.FORMAT,
    "apps": apps.FORMAT,
    "areal": areal.FORMAT,
    "reward_kit": reward_kit.FORMAT,
    "deepcoder": deepcoder.FORMAT,
    "codecontests": codecontests.FORMAT,
    "codeforces": codeforces.FORMAT,
    "kodcode": kodcode.FORMAT,
    "opencodereasoning": no_tests.OPEN_CODE_REASONING,
}


def format_of(values: Mapping[str, Any]) -> str | None:
    """The name of the first format that a record looks like."""
    return next((name for name, known in FORMATS.items() if known.matches(values)), None)
