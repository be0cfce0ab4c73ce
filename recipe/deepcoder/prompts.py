"""All the words the model reads in the DeepCoder recipe: one system prompt and one instruction per kind.

Single-turn: the model answers once, with one fenced program. Two styles, one choice per run: ``full`` for
real models and ``brief`` for the tiny model, whose every token costs.
"""

from __future__ import annotations

from verl_ext.grading.problem import Problem

STYLES = ("full", "brief")

_SYSTEM = {
    "full": (
        "You are an expert programmer. Think the problem through, then answer with one complete program in "
        "a single ```{language} block. It is run on test cases that you do not see, and counts only when "
        "every one of them passes."
    ),
    "brief": "Write the program.",
}
_STDIN = {
    "full": "Read the input from standard input and print the answer to standard output, and nothing else.",
    "brief": "",
}
_CALL = {
    "full": (
        "Write only the function definition of `{fn_name}`, with the imports it needs. It is called "
        "directly: read no input, print nothing, and add no example calls."
    ),
    "brief": "Write {fn_name}.",
}
_STARTER = "Begin with this:\n```{language}\n{starter}\n```"


def build_messages(problem: Problem, style: str) -> list[dict[str, str]]:
    """System and user message for one problem; the record's own system prompt wins over the recipe's."""
    system = problem.system_prompt or _SYSTEM[style].format(language=problem.language)
    starter = _STARTER.format(language=problem.language, starter=problem.starter_code.rstrip())
    form = _STDIN[style] if problem.fn_name is None else _CALL[style].format(fn_name=problem.fn_name)
    parts = (problem.question.strip(), starter if problem.starter_code else "", form)
    user = "\n\n".join(part for part in parts if part)
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def answer_text(program: str, language: str) -> str:
    """The answer that the prompts ask for: one fenced program."""
    return f"```{language}\n{program.rstrip()}\n```"
