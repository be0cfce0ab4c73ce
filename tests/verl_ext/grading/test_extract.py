"""Which part of a message is the program."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verl_ext.grading.extract import extract_program

ROWS = [
    ("```python\nx = 1\n```", "x = 1"),
    ("```py\nx = 1\n```", "x = 1"),
    ("```Python3\nx = 1\n```", "x = 1"),
    ("first\n```python\na\n```\nthen\n```python\nb\n```\nend", "b"),
    ("```python\na\n```\n```json\n{}\n```", "a"),
    ("```python\na\n```\n```\noutput\n```", "a"),
    ("```\na\n```\n```\nb\n```", "b"),
    ("```json\n{}\n```", None),
    ("no fence at all", None),
    ("", None),
    ("<think>```python\nwrong\n```</think>\n```python\nright\n```", "right"),
    ("<think>```python\nwrong\n```</think>", None),
    ("thought begun in the prompt ```python\nwrong\n```\n</think>\n```python\nright\n```", "right"),
    ("<think>cut inside the thought\n```python\nwrong\n```\n", None),
    ("```python\ncut before its end", None),
    ("```python\nwhole\n```\n```python\ncut", "whole"),
    ("```python\n\n```\n", None),
    ("```python\nx = 1\n```\n```python\n```", "x = 1"),
    ("~~~python\nx = 1\n~~~", "x = 1"),
    ("````python\ntext = '''\n```\n'''\n````", "text = '''\n```\n'''"),
    ("1. List\n   ```python\n   if x:\n       y\n   ```", "if x:\n    y"),
    ("```python\r\nx = 1\r\ny = 2\r\n```", "x = 1\ny = 2"),
    ("```python\nprint(1)```", "print(1)"),
    ("``` python title='x'\nx = 1\n```", "x = 1"),
    ("use `x` and ```y``` inline", None),
]


@pytest.mark.parametrize(("text", "program"), ROWS)
def test_the_last_closed_block_of_the_language_wins(text: str, program: str | None) -> None:
    assert extract_program(text) == program


def test_another_language_takes_its_own_blocks() -> None:
    text = "```cpp\nint main() {}\n```\n```python\nx\n```"
    assert extract_program(text, "cpp") == "int main() {}"


def test_an_unfenced_program_counts_only_where_allowed() -> None:
    assert extract_program("print(1)") is None
    assert extract_program("print(1)\n", allow_unfenced=True) == "print(1)"
    assert extract_program("<think>hm</think>\nprint(1)", allow_unfenced=True) == "print(1)"
    assert extract_program("```json\n{}\n```", allow_unfenced=True) is None
    assert extract_program("```python\ncut", allow_unfenced=True) is None


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="abc =\n\t()'\"#", min_size=1).filter(str.strip), st.text(alphabet="xyz .\n"))
def test_a_fenced_program_comes_back_unchanged(program: str, around: str) -> None:
    assert extract_program(f"{around}\n```python\n{program}\n```\n{around}") == program


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="`~python<>/think\n x"))
def test_no_text_breaks_extraction(text: str) -> None:
    program = extract_program(text, allow_unfenced=True)
    assert program is None or program.strip()
