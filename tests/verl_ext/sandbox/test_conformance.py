"""Our grader is right about the conformance table, in every tier, run by root and by an ordinary user."""

from __future__ import annotations

import json

from verl_ext.grading import Case, Grader
from verl_ext.grading.conformance import ROWS, run_suite
from verl_ext.grading.conformance.graders import LIMITS, open_ours
from verl_ext.sandbox.client import HttpSandbox

from .conftest import TierServer

# Looks through all of the process's memory that can be read.
SCAN = """
import re
def f(key):
    found = set()
    for line in open('/proc/self/maps'):
        part = line.split()
        start, end = (int(text, 16) for text in part[0].split('-'))
        if 'r' not in part[1] or line.rstrip().endswith(('[vvar]', '[vsyscall]', '[vvar_vclock]')):
            continue
        try:
            with open('/proc/self/mem', 'rb', 0) as memory:
                memory.seek(start)
                data = memory.read(end - start)
        except (OSError, OverflowError, ValueError):
            continue
        found |= {text.decode() for text in re.findall(b'MARK' + b'ED-[a-z]+-[0-9]', data)}
    return sorted(found)
"""


async def test_our_grader_is_right_about_every_row(tier_server: TierServer) -> None:
    # The grader is the same in both tiers; what a hostile program can do may differ.
    rows = [row for row in ROWS if tier_server.tier == "A" or row.group == "must not be gamed"]
    async with open_ours(tier_server.endpoint) as judge:
        outcomes = await run_suite(judge, rows)
    assert not [outcome.line for outcome in outcomes if not outcome.is_right]


async def test_a_program_finds_its_own_input_in_memory_and_nothing_else(jail: HttpSandbox) -> None:
    grader = Grader(jail, LIMITS)
    cases = [
        Case(json.dumps([f"MARKED-input-{number}"]), json.dumps(f"MARKED-secret-{number}"), "f")
        for number in range(3)
    ]
    await grader.grade("# MARKED-program-1\ndef f(key):\n    return key", cases)
    for result in (await grader.grade(SCAN, cases, time_limit_s=10)).results:
        assert result.actual == json.dumps([f"MARKED-input-{result.case_index}"]), result
