"""Inputs are read, described, changed and drawn: what comes out always has the shape of the examples."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_preprocess.input_forms import find_form
from data_preprocess.input_mutations import mutate_value
from data_preprocess.input_relations import is_tree_like
from data_preprocess.input_shapes import Fields, infer_fields
from data_preprocess.input_strategies import draw_values

ROOT = Path(__file__).resolve().parents[2]
SCALARS = st.one_of(
    st.integers(-50, 50),
    st.floats(-9, 9).map(lambda x: round(x, 2)),
    st.text("abcXY01 -()", max_size=8),
    st.booleans(),
    st.none(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)
LINES = st.lists(st.lists(st.sampled_from(["1", "-7", "2.50", "ab", "#.", "007"]), max_size=4), max_size=5)


def _made(inputs: list[str], *, is_call: bool, number: int = 60) -> tuple[list[str], Fields]:
    """New inputs by mutations and draws, and the shape they have."""
    form = find_form(inputs, is_call=is_call)
    assert form is not None
    values = [form.read(text) for text in inputs]
    shape = infer_fields(values, are_lines=not is_call)
    rng = Random(0)
    made = [mutate_value(rng.choice(values), shape, rng) for _ in range(number)]
    made = [value for value in made if value is not None] + draw_values(shape, number, seed_number=1)
    assert all(map(shape.fits, made))
    return [form.write(value) for value in made], shape


@given(
    st.integers(1, 3).flatmap(
        lambda n: st.lists(st.lists(VALUES, min_size=n, max_size=n), min_size=1, max_size=4)
    )
)
@settings(max_examples=50, deadline=None)
def test_the_examples_have_the_shape_that_is_inferred_from_them(values: list[list[Any]]) -> None:
    texts = [json.dumps(value) for value in values]
    form = find_form(texts, is_call=True)
    assert form is not None
    shape = infer_fields([form.read(text) for text in texts])
    for text in texts:
        assert shape.fits(form.read(text))
        assert form.read(form.write(form.read(text))) == form.read(text)


@given(st.lists(VALUES.map(lambda value: [value]), min_size=1, max_size=3), st.integers(0, 99))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.nested_given])
def test_what_is_mutated_or_drawn_fits_and_leaves_the_examples_alone(
    values: list[list[Any]], seed: int
) -> None:
    shape, before = infer_fields(values), json.dumps(values)
    made = [mutate_value(values[0], shape, Random(seed)), *draw_values(shape, 8, seed_number=seed)]
    assert all(shape.fits(value) for value in made if value is not None)
    assert made[0] is None or made[0] != values[0]
    assert json.dumps(values) == before


@given(st.lists(LINES, min_size=1, max_size=4))
@settings(max_examples=50, deadline=None)
def test_lines_are_read_and_written_without_loss(inputs: list[list[list[str]]]) -> None:
    texts = ["\n".join(" ".join(line) for line in lines) for lines in inputs]
    form = find_form(texts, is_call=False)
    for text in texts if form else ():
        assert form is not None
        assert form.write(form.read(text)).split() == [
            f"{float(t):.2f}" if t == "2.50" else t for t in text.split()
        ]


def test_a_leading_count_counts_what_follows() -> None:
    made, _ = _made(["3\n5 1 9", "2\n4 4", "5\n1 2 3 4 0", "1\n8"], is_call=False)
    assert len(set(made)) > 20
    for text in made:
        count, items = text.split("\n")
        assert int(count) == len(items.split())


def test_a_count_of_lines_and_the_width_of_a_grid_are_kept() -> None:
    made, _ = _made(
        ["2 3\n#.#\n..#", "1 2\n##", "3 1\n#\n.\n#", "4 4\n####\n#..#\n#..#\n####"], is_call=False
    )
    assert len(set(made)) > 15
    for text in made:
        head, *rows = text.split("\n")
        assert [int(number) for number in head.split()] == [len(rows), len(rows[0])]
        assert len(set(map(len, rows))) == 1 and set("".join(rows)) <= {"#", "."}


def test_groups_of_lines_repeat_as_often_as_the_first_line_says() -> None:
    made, _ = _made(
        ["1\nann\n3 4", "2\nbob\n1 2\ncid\n5 5", "3\neva\n1 1\nfay\n0 2\ngus\n2 9"], is_call=False
    )
    for text in made:
        count, *lines = text.split("\n")
        assert len(lines) == 2 * int(count)
        assert all(line.isalpha() for line in lines[::2])
        assert all(int(line.split()[0]) <= int(line.split()[1]) for line in lines[1::2])


def test_order_bounds_and_equal_lengths_of_the_examples_are_kept() -> None:
    inputs = [
        [[1, 4, 9], [5, 5, 5], 2, "abc"],
        [[2, 3], [7, 1], 0, "b"],
        [[-5, 0, 2, 8, 9], [1, 1, 2, 2, 3], 4, "cab"],
    ]
    made, _ = _made([json.dumps(item) for item in inputs], is_call=True)
    assert len(set(made)) > 30
    for text in made:
        rising, other, index, word = json.loads(text)
        assert rising == sorted(set(rising)) and len(rising) == len(other)
        assert 0 <= index < len(rising) and set(word) <= set("abc") and 1 <= len(word) <= 3


def test_text_with_a_structure_of_its_own_is_only_taken_from_the_examples() -> None:
    examples = ["(a+b)", "((x))", "3[a2[c]]"]
    made, _ = _made([json.dumps([text, number]) for number, text in enumerate(examples)], is_call=True)
    assert {json.loads(text)[0] for text in made} == set(examples)


def test_edges_of_a_tree_are_recognised() -> None:
    assert is_tree_like([[3, [[0, 1], [1, 2]]], [2, [[0, 1]]], [1, []]])
    assert not is_tree_like([[3, [[0, 1], [1, 2], [0, 2]]], [2, [[0, 1]]]])


@pytest.mark.parametrize(
    "loaded", ["", "import recipe.code_agentic.problems.catalogue, data_preprocess.bugs\n"]
)
def test_draws_depend_on_the_seed_alone_and_leave_no_files(tmp_path: Path, loaded: str) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{loaded}"
        "from data_preprocess.input_shapes import infer_fields\n"
        "from data_preprocess.input_strategies import draw_values\n"
        "shape = infer_fields([[10**6, 'abcdefghij', [1, 5000]], [-4, 'klm', []]])\n"
        "print(draw_values(shape, 60, seed_number=7))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    shape = infer_fields([[10**6, "abcdefghij", [1, 5000]], [-4, "klm", []]])
    assert done.stdout.strip() == str(draw_values(shape, 60, seed_number=7))
    assert draw_values(shape, 60, seed_number=7) != draw_values(shape, 60, seed_number=8)
    assert not list(tmp_path.iterdir())
