"""Grading: extract the program, run it on the cases, compare outside the sandbox, one verdict per case.

The public face, importable without torch, verl and Ray::

    from verl_ext.grading import Case, grade

    grade("print(2 * int(input()))", [Case("1", "2"), Case("2", "5")]).results[1].verdict  # wrong_answer
"""

from verl_ext.grading.case_choice import accept_unwrapped, sample_cases
from verl_ext.grading.compare import compare_stdout, compare_values
from verl_ext.grading.extract import extract_program
from verl_ext.grading.grader import Grader
from verl_ext.grading.harness import Limits, check_case
from verl_ext.grading.problem import Case, Problem
from verl_ext.grading.service import grade, grade_async
from verl_ext.grading.verdict import CaseResult, Grade, ProgramError, Verdict

__all__ = [
    "Case",
    "CaseResult",
    "Grade",
    "Grader",
    "Limits",
    "Problem",
    "ProgramError",
    "Verdict",
    "accept_unwrapped",
    "check_case",
    "compare_stdout",
    "compare_values",
    "extract_program",
    "grade",
    "grade_async",
    "sample_cases",
]
