"""The conformance table: programs, cases and the verdicts that are right, for our grader and for any other.

    python -m verl_ext.grading.conformance --grader ours

``ROWS`` is the table; ``run_suite`` puts the rows to a judge; ``graders`` has the adapters.
"""

from verl_ext.grading.conformance.row import Row
from verl_ext.grading.conformance.suite import Judge, Outcome, run_suite
from verl_ext.grading.conformance.table import ROWS

__all__ = ["ROWS", "Judge", "Outcome", "Row", "run_suite"]
