"""Arena offsets: buffers that are needed at the same time must not overlap.

Several greedy orders first; where none reaches the lower bound, branch and bound. Both depend
on the buffers alone, so the same graph gets the same plan on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinyflow.codegen.schedule.lifetimes import Buffer

SEARCH_WORK = 400_000
"""Buffers that the search looks at, about a second's work, before it settles for the best plan
found so far. Graphs of about a dozen buffers are searched to the end."""

SEARCH_DEPTH = 400
"""The search goes one call deeper with each buffer; of more than these, the greedy plan stays."""

_ORDERS: tuple[Callable[[Buffer], tuple[int, ...]], ...] = (
    lambda b: (-b.nbytes, b.first),
    lambda b: (-b.nbytes * (b.last - b.first + 1), b.first),
    lambda b: (b.first - b.last, -b.nbytes),
    lambda b: (b.first, -b.nbytes),
    lambda b: (-b.last, -b.nbytes),
)


@dataclass(frozen=True)
class Plan:
    """Byte offsets in the order of the buffers, and the bytes up to the end of the highest."""

    offsets: tuple[int, ...]
    nbytes: int


def lower_bound(buffers: Sequence[Buffer]) -> int:
    """The most bytes that are needed in any one step."""
    steps = {b.first for b in buffers}
    return max(
        (sum(b.nbytes for b in buffers if b.first <= step <= b.last) for step in steps), default=0
    )


def plan_arena(buffers: Sequence[Buffer]) -> Plan:
    """The smallest plan found; one that reaches `lower_bound` is returned at once."""
    bound = lower_bound(buffers)
    conflicts = [
        [j for j, other in enumerate(buffers) if j != i and buffer.overlaps(other)]
        for i, buffer in enumerate(buffers)
    ]
    plans = []
    for key in _ORDERS:
        order = sorted(range(len(buffers)), key=lambda i: (key(buffers[i]), i))
        plans.append(_place_in_order(buffers, conflicts, order))
    best = min(plans, key=lambda plan: plan.nbytes)
    if best.nbytes == bound or len(buffers) > SEARCH_DEPTH:
        return best
    return _Search(buffers, conflicts, bound, best).run()


def _place_in_order(
    buffers: Sequence[Buffer], conflicts: Sequence[Sequence[int]], order: Sequence[int]
) -> Plan:
    """Each buffer in turn at the lowest offset that is free for its whole life."""
    offsets: dict[int, int] = {}
    for i in order:
        taken = [(offsets[j], offsets[j] + buffers[j].nbytes) for j in conflicts[i] if j in offsets]
        offsets[i] = lowest_gap(sorted(taken), buffers[i].nbytes)
    top = max((offsets[i] + b.nbytes for i, b in enumerate(buffers)), default=0)
    return Plan(tuple(offsets[i] for i in range(len(buffers))), top)


def lowest_gap(taken: Sequence[tuple[int, int]], nbytes: int) -> int:
    """The lowest offset where ``nbytes`` fit between the sorted intervals ``taken``."""
    offset = 0
    for start, end in taken:
        if start - offset >= nbytes:
            break
        offset = max(offset, end)
    return offset


class _Search:
    """Branch and bound over plans in which buffers are placed by rising offset.

    Any plan can be pushed down into one where each buffer stands on the floor or on one that it
    conflicts with, and those are the plans that arise from placing buffers by rising offset,
    each at the lowest offset above its placed neighbours. So the search, run to its end, is
    exact.
    """

    def __init__(
        self,
        buffers: Sequence[Buffer],
        conflicts: Sequence[Sequence[int]],
        bound: int,
        start: Plan,
    ) -> None:
        self.sizes = [b.nbytes for b in buffers]
        self.conflicts = conflicts
        self.bound = bound
        self.best = start
        self.left = SEARCH_WORK // len(buffers)
        self.offsets: dict[int, int] = {}
        steps = sorted({b.first for b in buffers})
        self.live = [
            [i for i, b in enumerate(buffers) if b.first <= step <= b.last] for step in steps
        ]

    def run(self) -> Plan:
        self._extend([0] * len(self.sizes), 0)
        return self.best

    def _extend(self, floors: list[int], level: int) -> None:
        """Places one more buffer; ``floors`` holds the lowest offset left for each one, and
        ``level`` the highest offset in use."""
        if self.best.nbytes == self.bound or self.left <= 0:
            return
        waiting = [i for i in range(len(self.sizes)) if i not in self.offsets]
        if not waiting:
            top = max(self.offsets[i] + size for i, size in enumerate(self.sizes))
            if top < self.best.nbytes:
                ordered = tuple(self.offsets[i] for i in range(len(self.sizes)))
                self.best = Plan(ordered, top)
            return
        if self._least(floors, level) >= self.best.nbytes:
            return
        for i in sorted(waiting, key=lambda i: (max(floors[i], level), -self.sizes[i], i)):
            offset = floors[i]
            if offset < level:
                continue
            self.left -= 1
            self.offsets[i] = offset
            raised = list(floors)
            for j in self.conflicts[i]:
                raised[j] = max(raised[j], offset + self.sizes[i])
            self._extend(raised, offset)
            del self.offsets[i]

    def _least(self, floors: Sequence[int], level: int) -> int:
        """No completion of the plan ends below this."""
        worst = 0
        for step in self.live:
            waiting = [i for i in step if i not in self.offsets]
            if waiting:
                base = min(max(floors[i], level) for i in waiting)
                worst = max(worst, base + sum(self.sizes[i] for i in waiting))
        return worst
