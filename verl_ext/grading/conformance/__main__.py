"""Puts the conformance table to one grader or several.

    python -m verl_ext.grading.conformance --grader ours
    python -m verl_ext.grading.conformance --grader ours prime_code --update docs/grading.md
    python -m verl_ext.grading.conformance --grader my_module:my_judge
    python -m verl_ext.grading.conformance --export rows.jsonl

Exit code 0 when every grader is right about every row it reads, 1 when not, 2 for a mistake in the call.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from verl_ext.cli import HelpFormatter
from verl_ext.grading.conformance.graders import GRADERS, open_grader
from verl_ext.grading.conformance.suite import Outcome, results_table, run_suite
from verl_ext.grading.conformance.table import ROWS
from verl_ext.sandbox.errors import SandboxError

_BEGIN, _END = "<!-- conformance table: begin -->", "<!-- conformance table: end -->"


def update_page(page: Path, table: str) -> None:
    """Puts the table between the markers of a page.

    Raises:
        ValueError: When the page can't be read or has no such markers.
    """
    try:
        text = page.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{page}: can't be read: {error}") from error
    parts = re.split(f"({re.escape(_BEGIN)}|{re.escape(_END)})", text)
    if len(parts) != 5:
        raise ValueError(f"{page}: needs the lines {_BEGIN} and {_END} once")
    page.write_text("".join([*parts[:2], f"\n{table}\n", *parts[3:]]), encoding="utf-8")


async def _run(names: Sequence[str], endpoint: str | None, max_parallel: int) -> dict[str, list[Outcome]]:
    results = {}
    for name in names:
        num_done = 0

        def show(outcome: Outcome) -> None:
            nonlocal num_done
            num_done += 1
            if sys.stderr.isatty():
                print(f"\r{num_done} of {len(ROWS)} rows", end="", file=sys.stderr)

        async with open_grader(name, endpoint) as judge:
            outcomes = await run_suite(judge, ROWS, max_parallel=max_parallel, on_outcome=show)
        results[name] = outcomes
        wrong = [outcome for outcome in outcomes if not outcome.is_right]
        print(f"\n{name}: {len(wrong)} of {len(outcomes)} rows wrong")
        for outcome in wrong:
            print(f"  {outcome.line}")
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m verl_ext.grading.conformance",
        description="Puts the conformance table to graders and says which rows they get wrong.",
        formatter_class=HelpFormatter,
    )
    parser.add_argument(
        "--grader", nargs="+", default=["ours"], help=f"{', '.join(GRADERS)} or module:attribute"
    )
    parser.add_argument("--endpoint", help="sandbox service; without it the embedded one is started")
    parser.add_argument("--max-parallel", type=int, default=4, help="rows at a time")
    parser.add_argument("--update", type=Path, metavar="PAGE", help="put the table of results into this page")
    parser.add_argument("--export", type=Path, metavar="FILE", help="write the rows as JSON lines and end")
    options = parser.parse_args(arguments)
    if options.max_parallel < 1:
        parser.error("--max-parallel must be at least 1")
    try:
        if options.export:
            options.export.write_text("".join(f"{row.to_json()}\n" for row in ROWS), encoding="utf-8")
            return 0
        results = asyncio.run(_run(options.grader, options.endpoint, options.max_parallel))
        table = results_table(results)
        if options.update:
            update_page(options.update, table)
        print(f"\n{table}")
    except (ValueError, OSError, SandboxError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return int(any(not outcome.is_right for outcomes in results.values() for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
