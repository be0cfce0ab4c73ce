"""Longer stdin problems about grids and matrices: paths, regions, neighbours, turning, walks."""

from __future__ import annotations

from functools import partial
from random import Random

from recipe.code_agentic.problems.input_draws import counted, grid, grid_text, letters, spaced
from recipe.code_agentic.problems.short_form import JOINERS
from recipe.code_agentic.problems.template import Choice, Params, ProblemTemplate

_medium = partial(ProblemTemplate, difficulty="medium")
_hard = partial(ProblemTemplate, difficulty="hard")

_READ_GRID = "g = [input() for _ in range(int(input()))]\n"
_READ_MATRIX = "m = [list(map(int, input().split())) for _ in range(int(input()))]\n"
_FOUR = "[(0, 1), (1, 0), (0, -1), (-1, 0)]"
_EIGHT = "[(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b]"
_SIDES = (Choice("above, below, left or right", _FOUR), Choice("on any side or corner", _EIGHT))


def _maze(rng: Random, params: Params) -> str:
    cells = grid(rng, f"..{params['c']}{params['c']}", 2, 5)
    places = [(i, j) for i in range(len(cells)) for j in range(len(cells[0]))]
    (a, b), (c, d) = rng.sample(places, 2)
    cells[a][b], cells[c][d] = "S", "E"
    return grid_text(cells)


def _patches(rng: Random, params: Params) -> str:
    return grid_text(grid(rng, f".{params['c']}", 2, 5))


def _sparse(rng: Random, params: Params) -> str:
    return grid_text(grid(rng, f"...{params['c']}", 2, 5))


def _matrix(rng: Random, params: Params) -> str:
    columns = rng.randint(2, 4)
    return counted([spaced([rng.randint(0, 9) for _ in range(columns)]) for _ in range(rng.randint(2, 4))])


def _square(rng: Random, params: Params) -> str:
    size = rng.randint(2, 3)
    return counted([spaced([rng.randint(0, 9) for _ in range(size)]) for _ in range(size)])


TEMPLATES: tuple[ProblemTemplate, ...] = (
    _hard(
        name="shortest_way",
        family="grid_paths",
        wordings=(
            "The first line holds a count of rows, then the rows of a map follow: S is the start, E the "
            "end, '$c' a wall, '.' free. One step goes to a cell $sides. Print the smallest number of "
            "steps from S to E, or '$none' if there is no way.",
        ),
        reference=_READ_GRID
        + """steps = $sides
todo = [(i, row.index('S')) for i, row in enumerate(g) if 'S' in row]
far = {todo[0]: 0}
answer = '$none'
for i, j in todo:
    if g[i][j] == 'E':
        answer = far[i, j]
    for a, b in steps:
        x, y = i + a, j + b
        if 0 <= x < len(g) and 0 <= y < len(g[0]) and g[x][y] != '$c' and (x, y) not in far:
            far[x, y] = far[i, j] + 1
            todo.append((x, y))
print(answer)""",
        make_input=_maze,
        examples=[("2\nS#E\n...", "4"), ("2\nS#\n#E", "-1"), ("1\nSE", "1")],
        params={"c": ("#", "X", "*", "o"), "sides": _SIDES, "none": ("-1", "none", "no way")},
    ),
    _hard(
        name="count_ways",
        family="grid_paths",
        wordings=(
            "The first line holds a count of rows, then the rows of a map follow, in which '$c' is a wall"
            " and '.' is free. Print the number of ways from the top left to the bottom right cell that "
            "go only $moves through free cells. Both cells may be walls; then there is no way.",
        ),
        reference=_READ_GRID
        + """ways = {(0, 0): 1}
for i, row in enumerate(g):
    for j, cell in enumerate(row):
        if cell == '$c':
            ways[i, j] = 0
        elif i or j:
            ways[i, j] = sum(ways.get(p, 0) for p in $moves)
print(ways[len(g) - 1, len(g[0]) - 1])""",
        make_input=_sparse,
        examples=[("2\n..\n..", "2"), ("2\n.#\n..", "1"), ("1\n#", "0")],
        params={
            "c": ("#", "X", "*", "o"),
            "moves": (
                Choice("right or down", "[(i - 1, j), (i, j - 1)]"),
                Choice("right, down or right and down at once", "[(i - 1, j), (i, j - 1), (i - 1, j - 1)]"),
            ),
        },
    ),
    _medium(
        name="largest_patch",
        family="grid_regions",
        wordings=(
            "The first line holds a count of rows, then the rows of a map follow. Cells with '$c' belong "
            "to the same patch if one is $sides of the other. Print the number of patches and the size of"
            " the largest one (0 if there is none), joined by '$s'.",
        ),
        reference=_READ_GRID
        + """steps = $sides
left = {(i, j) for i, row in enumerate(g) for j, cell in enumerate(row) if cell == '$c'}
sizes = [0]
while left:
    todo = [left.pop()]
    for i, j in todo:
        for a, b in steps:
            if (i + a, j + b) in left:
                left.remove((i + a, j + b))
                todo.append((i + a, j + b))
    sizes.append(len(todo))
print(len(sizes) - 1, max(sizes), sep='$s')""",
        make_input=_patches,
        examples=[("2\n##.\n..#", "2-2"), ("1\n..", "0-0"), ("2\n#.\n#.", "1-2")],
        params={
            "sides": (Choice("above, below, left or right", _FOUR), Choice("at a side or corner", _EIGHT)),
            "c": ("#", "X", "*", "o"),
            "s": JOINERS[:4],
        },
    ),
    _medium(
        name="neighbour_counts",
        family="grid_neighbours",
        wordings=(
            "The first line holds a count of rows, then the rows of a map of '$c' and '.' follow. Print "
            "the map with every '.' replaced by the number of '$c' $sides of it.",
        ),
        reference=_READ_GRID
        + """steps = $sides
for i, row in enumerate(g):
    out = ''
    for j, cell in enumerate(row):
        near = [(i + a, j + b) for a, b in steps]
        count = sum(0 <= x < len(g) and 0 <= y < len(row) and g[x][y] == '$c' for x, y in near)
        out += cell if cell == '$c' else str(count)
    print(out)""",
        make_input=_sparse,
        examples=[("2\n.*\n..", "1*\n01"), ("1\n.", "0")],
        params={
            "sides": (
                Choice("directly above, below, left or right", _FOUR),
                Choice("on any side or corner", _EIGHT),
            ),
            "c": ("*", "#", "X", "o"),
        },
    ),
    _hard(
        name="game_of_life",
        family="grid_neighbours",
        wordings=(
            "The first line holds a count of rows, then the rows of a board of '#' (alive) and '.' (dead)"
            " follow. In one step a dead cell with exactly 3 living cells around it (8 neighbours, none "
            "beyond the edge) comes to life, and a living cell stays alive if it has $stay of them; all "
            "others are dead. Print the board after $k steps.",
        ),
        reference=_READ_GRID
        + """for _ in range($k):
    new = []
    for i in range(len(g)):
        row = ''
        for j in range(len(g[0])):
            near = ''.join(r[max(j - 1, 0) : j + 2] for r in g[max(i - 1, 0) : i + 2])
            n = near.count('#') - (g[i][j] == '#')
            row += '#' if n == 3 or g[i][j] == '#' and n in $stay else '.'
        new.append(row)
    g = new
print('\\n'.join(g))""",
        make_input=lambda rng, params: grid_text(grid(rng, ".##", 3, 5)),
        examples=[("3\n...\n###\n...", ".#.\n.#.\n.#."), ("2\n##\n##", "##\n##")],
        params={
            "k": (1, 2, 3),
            "stay": (
                Choice("2 or 3", "(2, 3)"),
                Choice("3 or 4", "(3, 4)"),
                Choice("2, 3 or 4", "(2, 3, 4)"),
            ),
        },
        edge_inputs=["1\n#", "2\n..\n.."],
    ),
    _medium(
        name="turn_matrix",
        family="matrix_turning",
        wordings=(
            "The first line holds a count of rows, then the rows of a matrix of integers follow. Print "
            "the matrix $turned, one row per line, the integers joined by '$s'.",
        ),
        reference=_READ_MATRIX
        + """for row in $turned:
    print(*row, sep='$s')""",
        make_input=_matrix,
        examples=[("2\n1 2\n3 4", "3-1\n4-2"), ("1\n5 6", "5\n6")],
        params={
            "turned": (
                Choice("turned clockwise by a quarter", "zip(*m[::-1])"),
                Choice("turned against the clock by a quarter", "list(zip(*m))[::-1]"),
                Choice("turned by a half", "[r[::-1] for r in m[::-1]]"),
                Choice("with rows and columns swapped", "zip(*m)"),
            ),
            "s": JOINERS,
        },
    ),
    _hard(
        name="spiral",
        family="matrix_turning",
        wordings=(
            "The first line holds a count of rows, then the rows of a matrix of integers follow. Print "
            "its integers on one line, joined by '$s', in the order of a spiral that begins at the top "
            "left, goes $way first and turns inwards.",
        ),
        reference=_READ_MATRIX
        + """m = $way
out = []
while m:
    out += m[0]
    m = [list(row) for row in zip(*m[1:])][::-1]
print(*out, sep='$s')""",
        make_input=_matrix,
        examples=[("2\n1 2\n3 4", "1-2-4-3"), ("3\n1 2 3\n4 5 6\n7 8 9", "1-2-3-6-9-8-7-4-5")],
        params={
            "way": (Choice("right", "m"), Choice("down", "[list(row) for row in zip(*m)]")),
            "s": JOINERS,
        },
    ),
    _medium(
        name="matrix_square",
        family="matrix_arithmetic",
        wordings=(
            "The first line holds n, then the n rows of a square matrix of integers follow. Print the "
            "matrix multiplied by itself, every entry modulo $m, one row per line.",
        ),
        reference="""n = int(input())
m = [list(map(int, input().split())) for _ in range(n)]
for row in m:
    print(*[sum(row[k] * m[k][j] for k in range(n)) % $m for j in range(n)])""",
        make_input=_square,
        examples=[("2\n1 2\n3 4", "7 0\n5 2"), ("1\n6", "6")],
        params={"m": (10, 7, 9, 11, 13, 50)},
        edge_inputs=["2\n1 0\n0 1", "1\n0"],
    ),
    _medium(
        name="best_line",
        family="matrix_arithmetic",
        wordings=(
            "The first line holds a count of rows, then the rows of a matrix of integers follow. Print "
            "the place, counted from $base, of the first $line with the $what sum, and that sum, joined "
            "by '$s'.",
        ),
        reference=_READ_MATRIX
        + """sums = [sum(line) for line in $line]
print(sums.index($what(sums)) + $base, $what(sums), sep='$s')""",
        make_input=_matrix,
        examples=[("2\n1 2\n3 4", "2-7"), ("1\n5 6", "1-11")],
        params={
            "base": (1, 0),
            "line": (Choice("row", "m"), Choice("column", "zip(*m)")),
            "what": (Choice("largest", "max"), Choice("smallest", "min")),
            "s": JOINERS[:5],
        },
    ),
    _medium(
        name="robot_walk",
        family="grid_walks",
        wordings=(
            "A robot stands at (0, 0) and looks to the north. Read a line of commands: L and R turn it "
            "left and right by a quarter, F moves it $k forward, B moves it $j back. Print its x (to the "
            "east) and y (to the north) at the end, joined by '$s'.",
        ),
        reference="""x = y = 0
dx, dy = 0, 1
for c in input():
    if c == 'L':
        dx, dy = -dy, dx
    elif c == 'R':
        dx, dy = dy, -dx
    else:
        d = $k if c == 'F' else -$j
        x, y = x + d * dx, y + d * dy
print(x, y, sep='$s')""",
        make_input=lambda rng, params: letters(rng, "LRFFB", 3, 12),
        examples=[("FRF", "2,2"), ("LFFB", "-3,0"), ("B", "0,-1")],
        params={"k": (2, 3, 4, 5), "j": (1, 2, 3), "s": (",", ":", "/", ";")},
        edge_inputs=["L", "FFFF"],
    ),
    _medium(
        name="places_visited",
        family="grid_walks",
        wordings=(
            "A robot starts on a cell of a board. Read a line of letters U, D, L and R, each one step up,"
            " down, left or right$edge. Print on how many different cells it has been, the first one "
            "included.",
        ),
        reference="""x = y = 0
seen = {(x, y)}
for c in input():
    x, y = x + (c == 'R') - (c == 'L'), y + (c == 'U') - (c == 'D')
    x, y = $edge
    seen.add((x, y))
print(len(seen))""",
        make_input=lambda rng, params: letters(rng, "UDLR", 4, 16),
        examples=[("UUDR", "4"), ("LLLL", "5"), ("UD", "2")],
        params={
            "edge": (
                Choice("", "x, y"),
                Choice(
                    "; a step beyond the 3 by 3 cells around the start leaves it where it is",
                    "max(-1, min(1, x)), max(-1, min(1, y))",
                ),
                Choice(
                    "; the board has 3 by 3 cells, and beyond an edge it goes on at the opposite one",
                    "x % 3, y % 3",
                ),
            ),
        },
        edge_inputs=["U", "RRRRR"],
    ),
)
