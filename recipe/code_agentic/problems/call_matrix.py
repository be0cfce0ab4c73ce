"""Call problems on matrices and grids of cells, medium and hard."""

from __future__ import annotations

from functools import partial
from random import Random

from recipe.code_agentic.problems.template import ProblemTemplate

_medium = partial(ProblemTemplate, difficulty="medium")
_hard = partial(ProblemTemplate, difficulty="hard")


def _grid(rng: Random, cells: str) -> list[str]:
    width = rng.randint(2, 6)
    return ["".join(rng.choices(cells, k=width)) for _ in range(rng.randint(2, 5))]


def _matrix(rng: Random, low: int, high: int, *, square: bool = False) -> list[list[int]]:
    height = rng.randint(2, 4)
    width = height if square else rng.randint(2, 4)
    return [[rng.randint(low, high) for _ in range(width)] for _ in range(height)]


TEMPLATES: tuple[ProblemTemplate, ...] = (
    _medium(
        name="call_rotate_matrix",
        family="matrix",
        wordings=(
            "Write rotate(matrix) that returns the matrix (a list of equally long lists of ints) turned by "
            "$angle degrees clockwise as a new list of lists.",
        ),
        reference="""\
def rotate(matrix):
    for _ in range($angle // 90):
        matrix = [list(column) for column in zip(*matrix[::-1])]
    return matrix
""",
        make_input=lambda rng, params: [_matrix(rng, 0, 9)],
        examples=(([[[1, 2], [3, 4]]], [[3, 1], [4, 2]]), ([[[5]]], [[5]]), ([[[1, 2, 3]]], [[1], [2], [3]])),
        params={"angle": (90, 180, 270)},
        fn_name="rotate",
        edge_inputs=([[[7]]], [[[1, 2, 3]]]),
    ),
    _hard(
        name="call_spiral",
        family="matrix",
        wordings=(
            "Write spiral(matrix) that returns the numbers of the matrix (a list of equally long lists of "
            "ints) in spiral order (from the top left to the right along the first row, then clockwise "
            "inwards), leaving out every $skip.",
        ),
        reference="""\
def spiral(matrix):
    order = []
    while matrix:
        order += matrix[0]
        matrix = [list(column) for column in zip(*matrix[1:])][::-1]
    return [x for x in order if x != $skip]
""",
        make_input=lambda rng, params: [_matrix(rng, 0, 9)],
        examples=(
            ([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]], [1, 2, 3, 6, 9, 8, 7, 4, 5]),
            ([[]], []),
            ([[[0, 1]]], [1]),
            ([[[1], [0], [2]]], [1, 2]),
        ),
        params={"skip": (0, 1, 5, 9)},
        fn_name="spiral",
        edge_inputs=([[]], [[[3], [4]]]),
    ),
    _medium(
        name="call_diagonal_sums",
        family="matrix",
        wordings=(
            "Write diagonal_sum(matrix) for a square matrix (a list of lists of ints). Return the sum of "
            "the numbers on both diagonals, the middle number of an odd-sized matrix counted $times.",
        ),
        reference="""\
def diagonal_sum(matrix):
    n = len(matrix)
    total = sum(matrix[i][i] + matrix[i][n - 1 - i] for i in range(n))
    if n % 2 and '$times' == 'once':
        total -= matrix[n // 2][n // 2]
    return total
""",
        make_input=lambda rng, params: [_matrix(rng, -5, 20, square=True)],
        examples=(([[[1, 2], [3, 4]]], 10), ([[[5]]], 5), ([[[1, 0, 1], [0, 1, 0], [1, 0, 1]]], 5)),
        params={"times": ("once", "twice")},
        fn_name="diagonal_sum",
        edge_inputs=([[[4]]], [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]),
    ),
    _hard(
        name="call_matrix_product",
        family="matrix",
        wordings=(
            "Write product(a, b) that returns the matrix product of a and b (lists of equally long lists of "
            "ints, a row of a is as long as b has rows) with every number taken modulo $m.",
        ),
        reference="""\
def product(a, b):
    columns = list(zip(*b))
    return [[sum(x * y for x, y in zip(row, column)) % $m for column in columns] for row in a]
""",
        make_input=lambda rng, params: [
            [[rng.randint(-5, 9) for _ in range(3)] for _ in range(rng.randint(1, 3))],
            [[rng.randint(-5, 9) for _ in range(rows)] for rows in [rng.randint(1, 3)] for _ in range(3)],
        ],
        examples=(
            ([[[1, 2]], [[3], [4]]], [[1]]),
            ([[[2]], [[-3]]], [[4]]),
            ([[[1, 0], [0, 1]], [[5, 6], [7, 8]]], [[5, 6], [7, 8]]),
        ),
        params={"m": (10, 7, 100, 13)},
        fn_name="product",
        edge_inputs=([[[0]], [[9]]],),
    ),
    _hard(
        name="call_life_step",
        family="matrix",
        wordings=(
            "Write life_step(grid) for a list of equally long strings of '#' (alive) and '.' (dead). Return "
            "the grid after one step: a living cell stays alive with 2 or 3 living neighbours, a dead cell "
            "becomes alive with exactly $birth, all others are dead. Neighbours are the up to 8 cells "
            "around; outside is dead.",
        ),
        reference="""\
def life_step(grid):
    alive = {(i, j) for i, row in enumerate(grid) for j, c in enumerate(row) if c == '#'}

    def next_cell(i, j):
        around = sum(
            (i + di, j + dj) in alive for di in (-1, 0, 1) for dj in (-1, 0, 1) if (di, dj) != (0, 0)
        )
        if (i, j) in alive:
            return '#' if around in (2, 3) else '.'
        return '#' if around == $birth else '.'

    return [''.join(next_cell(i, j) for j in range(len(row))) for i, row in enumerate(grid)]
""",
        make_input=lambda rng, params: [_grid(rng, "..#")],
        examples=(
            ([["...", "###", "..."]], [".#.", ".#.", ".#."]),
            ([["##", "##"]], ["##", "##"]),
            ([["#"]], ["."]),
        ),
        params={"birth": (3, 2, 4)},
        fn_name="life_step",
        edge_inputs=([["#"]], [["...", "..."]]),
    ),
)
