"""Messages in which the program has to be found first."""

from __future__ import annotations

from verl_ext.grading.conformance.row import FENCE, Group, Row
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import Verdict

_RIGHT, _WRONG = "print(7)", "print(8)"


def _block(program: str, language: str = "python") -> str:
    return f"{FENCE}{language}\n{program}\n{FENCE}"


def _message(name: str, message: str, verdict: Verdict | None = Verdict.PASSED) -> Row:
    group: Group = "must pass" if verdict is Verdict.PASSED else "must fail"
    return Row(name, group, _RIGHT, (Case("", "7"),), verdict, message)


ROWS = (
    _message("prose around the program", f"Here it is:\n\n{_block(_RIGHT)}\n\nIt prints 7."),
    _message("the last of two programs", f"{_block(_WRONG)}\nBetter:\n{_block(_RIGHT)}"),
    _message(
        "the last of two programs is wrong",
        f"{_block(_RIGHT)}\nBetter:\n{_block(_WRONG)}",
        Verdict.WRONG_ANSWER,
    ),
    _message("a sample output after the program", f"{_block(_RIGHT)}\nOutput:\n{_block('7', '')}"),
    _message("a fence without a language", _block(_RIGHT, "")),
    _message("the tag py", _block(_RIGHT, "py")),
    _message("the tag Python", _block(_RIGHT, "Python")),
    _message("a program within the thought", f"<think>\n{_block(_WRONG)}\n</think>\n{_block(_RIGHT)}"),
    _message("a program within the thought only", f"<think>\n{_block(_RIGHT)}\n</think>\nThat is all.", None),
    _message("a thought that never ends", f"<think>\n{_block(_RIGHT)}\nBut wait", None),
    _message("a message cut within the program", f"{FENCE}python\n{_RIGHT}\nprint(", None),
    _message(
        "a program in a list item",
        f"1. Solution:\n\n   {FENCE}python\n   if True:\n       print(7)\n   {FENCE}\n",
    ),
    _message("CRLF", _block("x = 3\ny = 4\nprint(x + y)").replace("\n", "\r\n")),
    _message("another language", _block("console.log(7)", "javascript"), None),
    _message("no program", "The answer is 7.", None),
    _message("an empty block", _block(""), None),
    _message("nothing", " ", None),
)
