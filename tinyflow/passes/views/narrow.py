"""A permutation of many axes as several of three."""

from __future__ import annotations

from functools import lru_cache

Order = tuple[int, ...]

_REARRANGED: tuple[Order, ...] = ((1, 0, 2), (0, 2, 1), (2, 1, 0), (1, 2, 0), (2, 0, 1))
"""Of three blocks."""


@lru_cache(maxsize=256)
def block_moves(goal: Order) -> tuple[tuple[tuple[int, int], Order], ...]:
    """The fewest rearrangements of three blocks that bring axes 0, 1, 2, ... into the order
    ``goal``: for each one, where the second and the third block begin, and the blocks' new order.

    A search by breadth: axes that stay together are to be one axis here, so that few are left.
    """
    start = tuple(range(len(goal)))
    found: dict[Order, tuple[tuple[tuple[int, int], Order], ...]] = {start: ()}
    frontier = [start]
    while goal not in found:
        reached = []
        for order in frontier:
            for cuts, blocks, result in _next_orders(order):
                if result not in found:
                    found[result] = (*found[order], (cuts, blocks))
                    reached.append(result)
        frontier = reached
    return found[goal]


def _next_orders(order: Order) -> list[tuple[tuple[int, int], Order, Order]]:
    results = []
    for first in range(1, len(order)):
        for second in range(first + 1, len(order) + 1):
            parts = (order[:first], order[first:second], order[second:])
            for blocks in _REARRANGED:
                result = sum((parts[block] for block in blocks), ())
                results.append(((first, second), blocks, result))
    return results
