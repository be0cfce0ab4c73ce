"""Call problems on graphs and on grids as graphs, medium and hard."""

from __future__ import annotations

from functools import partial
from random import Random

from recipe.code_agentic.problems.template import Params, ProblemTemplate

_medium = partial(ProblemTemplate, difficulty="medium")
_hard = partial(ProblemTemplate, difficulty="hard")


def _edges(rng: Random, num_nodes: int) -> list[list[int]]:
    pairs = [[a, b] for a in range(num_nodes) for b in range(num_nodes) if a < b]
    chosen = rng.sample(pairs, min(len(pairs), rng.randint(1, num_nodes + 1)))
    return [pair[:: rng.choice((1, -1))] for pair in chosen]


def _graph(rng: Random, params: Params) -> list[int | list[list[int]]]:
    num_nodes = rng.randint(3, 7)
    return [num_nodes, _edges(rng, num_nodes)]


def _route(rng: Random, params: Params) -> list[object]:
    num_nodes = rng.randint(3, 7)
    return [num_nodes, _edges(rng, num_nodes), *rng.sample(range(num_nodes), 2)]


def _roads(rng: Random, params: Params) -> list[object]:
    num_nodes = rng.randint(3, 6)
    return [
        num_nodes,
        [[*pair, rng.randint(1, 9)] for pair in _edges(rng, num_nodes)],
        rng.randrange(num_nodes),
    ]


def _grid(rng: Random, cells: str) -> list[str]:
    width = rng.randint(2, 6)
    return ["".join(rng.choices(cells, k=width)) for _ in range(rng.randint(2, 5))]


TEMPLATES: tuple[ProblemTemplate, ...] = (
    _medium(
        name="call_fewest_edges",
        family="graph",
        wordings=(
            "Write fewest_edges(n, edges, start, goal). An undirected graph has nodes 0 to n-1 and the "
            "given edges, each a list of two nodes. Return the number of edges on the shortest way from "
            "start to goal, or $none if there is no way.",
        ),
        reference="""\
def fewest_edges(n, edges, start, goal):
    steps = {start: 0}
    queue = [start]
    for node in queue:
        for a, b in edges:
            for here, there in ((a, b), (b, a)):
                if here == node and there not in steps:
                    steps[there] = steps[node] + 1
                    queue.append(there)
    return steps.get(goal, $none)
""",
        make_input=_route,
        examples=(
            ([4, [[0, 1], [1, 2], [2, 3]], 0, 3], 3),
            ([3, [[0, 1]], 0, 2], -1),
            ([2, [], 1, 1], 0),
            ([4, [[0, 1], [1, 3], [3, 0]], 3, 0], 1),
        ),
        params={"none": (-1, "None", "'no way'")},
        fn_name="fewest_edges",
        edge_inputs=([1, [], 0, 0], [2, [], 0, 1]),
    ),
    _medium(
        name="call_group_sizes",
        family="graph",
        wordings=(
            "Write group_sizes(n, edges). An undirected graph has nodes 0 to n-1 and the given edges, each "
            "a list of two nodes. Return the sizes of its connected groups of nodes in $order order.",
        ),
        reference="""\
def group_sizes(n, edges):
    group = list(range(n))
    for a, b in edges:
        old, new = group[a], group[b]
        group = [new if g == old else g for g in group]
    return sorted((group.count(g) for g in set(group)), reverse='$order' == 'descending')
""",
        make_input=_graph,
        examples=(([3, [[0, 1]]], [1, 2]), ([1, []], [1]), ([4, [[0, 2], [3, 1]]], [2, 2])),
        params={"order": ("ascending", "descending")},
        fn_name="group_sizes",
        edge_inputs=([1, []], [4, []]),
    ),
    _hard(
        name="call_first_order",
        family="graph",
        wordings=(
            "Write task_order(n, rules). Tasks are numbered 0 to n-1; a rule [a, b] says that task a must "
            "be done before task b. Return the list of all tasks in an allowed order, always doing the "
            "$pick numbered task that is possible, or an empty list if no order is allowed.",
        ),
        reference="""\
def task_order(n, rules):
    order = []
    while len(order) < n:
        possible = [
            task
            for task in range(n)
            if task not in order and all(a in order for a, b in rules if b == task)
        ]
        if not possible:
            return []
        order.append(possible[0 if '$pick' == 'lowest' else -1])
    return order
""",
        make_input=lambda rng, params: (
            lambda n: [n, [p if rng.random() < 0.12 else sorted(p) for p in _edges(rng, n)]]
        )(rng.randint(3, 6)),
        examples=(
            ([3, [[2, 0]]], [1, 2, 0]),
            ([2, [[0, 1], [1, 0]]], []),
            ([2, []], [0, 1]),
            ([4, [[3, 1], [1, 0]]], [2, 3, 1, 0]),
        ),
        params={"pick": ("lowest", "highest")},
        fn_name="task_order",
        edge_inputs=([1, []], [2, [[0, 1], [1, 0]]]),
    ),
    _hard(
        name="call_road_lengths",
        family="graph",
        wordings=(
            "Write road_lengths(n, roads, start). Towns are numbered 0 to n-1; a road [a, b, length] can be "
            "used in both directions and each town that is left costs $toll on top, including start. Return "
            "the list of the lowest costs from start to every town, -1 where there is no way, 0 for start.",
        ),
        reference="""\
def road_lengths(n, roads, start):
    costs = [-1] * n
    costs[start] = 0
    for _ in range(n):
        for a, b, length in roads:
            for here, there in ((a, b), (b, a)):
                if costs[here] >= 0:
                    cost = costs[here] + length + $toll
                    if costs[there] < 0 or cost < costs[there]:
                        costs[there] = cost
    return costs
""",
        make_input=_roads,
        examples=(
            ([3, [[0, 1, 4], [1, 2, 1], [0, 2, 7]], 0], [0, 4, 5]),
            ([2, [], 1], [-1, 0]),
            ([2, [[1, 0, 3]], 0], [0, 3]),
        ),
        params={"toll": (0, 1, 2, 5)},
        fn_name="road_lengths",
        edge_inputs=([1, [], 0], [3, [], 2]),
    ),
    _hard(
        name="call_two_teams",
        family="graph",
        wordings=(
            "Write two_teams(n, edges). An undirected graph has nodes 0 to n-1 and the given edges, each a "
            "list of two nodes. Return True if the nodes can be painted in two colours so that no edge "
            "joins two nodes of one colour, else False.",
        ),
        reference="""\
def two_teams(n, edges):
    colour = [0] * n
    for first in range(n):
        if colour[first]:
            continue
        colour[first] = 1
        stack = [first]
        while stack:
            node = stack.pop()
            for a, b in edges:
                if node in (a, b):
                    other = a + b - node
                    if colour[other] == colour[node]:
                        return False
                    if colour[other] == 0:
                        colour[other] = -colour[node]
                        stack.append(other)
    return True
""",
        make_input=_graph,
        examples=(
            ([3, [[0, 1], [1, 2]]], True),
            ([3, [[0, 1], [1, 2], [2, 0]]], False),
            ([2, []], True),
        ),
        fn_name="two_teams",
        edge_inputs=([1, []], [3, [[0, 1], [1, 2], [0, 2]]]),
    ),
    _medium(
        name="call_largest_island",
        family="graph",
        wordings=(
            "Write largest_island(grid) that returns the size of the largest area of '$land' cells in grid, "
            "a list of equally long strings; cells that share a side belong together. Return 0 if there is "
            "none.",
        ),
        reference="""\
def largest_island(grid):
    land = {(i, j) for i, row in enumerate(grid) for j, c in enumerate(row) if c == '$land'}
    best = 0
    while land:
        stack = [land.pop()]
        size = 0
        while stack:
            i, j = stack.pop()
            size += 1
            for cell in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
                if cell in land:
                    land.remove(cell)
                    stack.append(cell)
        best = max(best, size)
    return best
""",
        make_input=lambda rng, params: [_grid(rng, "." + params["land"])],
        examples=(([["##.", "..#"]], 2), ([["..."]], 0), ([["#.#", "###"]], 5), ([[]], 0)),
        params={"land": ("#", "x", "1")},
        fn_name="largest_island",
        edge_inputs=([["."]], [[]]),
    ),
)
