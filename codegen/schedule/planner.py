"""Arena offsets: buffers that are needed at the same time must stay apart.

Several greedy orders first, each mended as long as that helps; where none reaches the lower
bound, branch and bound. All of it depends on the buffers alone, so the same graph gets the same
plan on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinyflow.codegen.schedule.conflicts import Gaps, StepNeed, find_gaps, find_needs
from tinyflow.codegen.schedule.lifetimes import Buffer

REPAIRS = 64
"""Times that an order is mended."""

SEARCH_WORK = 200_000
"""Buffers that the search looks at, about half a second's work, before it settles for the best plan
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


def plan_arena(buffers: Sequence[Buffer]) -> Plan:
    """The smallest plan found; one that reaches `lower_bound` is returned at once.

    Rows fall only in plans that are smaller than what was found without.
    """
    needs = list(find_needs(buffers).values())
    bound = max((need.total for need in needs), default=0)
    rising = _plan(buffers, find_gaps(buffers, falling=False), needs, bound)
    if rising.nbytes == bound or all(b.meets is None for b in buffers):
        return rising
    either = _plan(buffers, find_gaps(buffers), needs, bound)
    return either if either.nbytes < rising.nbytes else rising


def _plan(buffers: Sequence[Buffer], gaps: Gaps, needs: Sequence[StepNeed], bound: int) -> Plan:
    sizes = [b.nbytes for b in buffers]
    plans = []
    for key in _ORDERS:
        order = sorted(range(len(buffers)), key=lambda i: (key(buffers[i]), i))
        plans.append(_mend(sizes, gaps, order, bound))
    best = min(plans, key=lambda plan: plan.nbytes)
    if best.nbytes == bound or len(buffers) > SEARCH_DEPTH:
        return best
    return _Search(sizes, gaps, needs, bound, best).run()


def _mend(sizes: Sequence[int], gaps: Gaps, order: list[int], bound: int) -> Plan:
    """The best plan that comes of placing first, time after time, what reached highest."""
    plan = best = place_in_order(sizes, gaps, order)
    seen = {tuple(order)}
    while best.nbytes > bound and len(seen) <= REPAIRS:
        highest = [i for i in order if plan.offsets[i] + sizes[i] == plan.nbytes]
        order = highest + [i for i in order if i not in highest]
        if tuple(order) in seen:
            break
        seen.add(tuple(order))
        plan = place_in_order(sizes, gaps, order)
        best = min(best, plan, key=lambda plan: plan.nbytes)
    return best


def place_in_order(sizes: Sequence[int], gaps: Gaps, order: Sequence[int]) -> Plan:
    """Each buffer in turn at the lowest offset that is free for its whole life."""
    offsets: dict[int, int] = {}
    for i in order:
        taken = [
            (offsets[j] - gap, offsets[j] + gaps[j][i])
            for j, gap in gaps[i].items()
            if j in offsets
        ]
        offsets[i] = lowest_offset(sorted(taken))
    top = max((offsets[i] + size for i, size in enumerate(sizes)), default=0)
    return Plan(tuple(offsets[i] for i in range(len(sizes))), top)


def lowest_offset(taken: Sequence[tuple[int, int]]) -> int:
    """The lowest offset that lies between the ends of none of the sorted intervals ``taken``."""
    offset = 0
    for start, end in taken:
        if offset <= start:
            break
        offset = max(offset, end)
    return offset


class _Search:
    """Branch and bound over plans in which buffers are placed by rising offset.

    Any plan can be pushed down into one where each buffer stands on the floor or on one that it
    conflicts with. Gaps are not negative, and where they are zero they do not go in circles; so
    those are the plans that arise from placing buffers by rising offset, each at the lowest
    offset that its placed neighbours leave above them. The search, run to its end, is exact.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        gaps: Gaps,
        needs: Sequence[StepNeed],
        bound: int,
        start: Plan,
    ) -> None:
        self.sizes = sizes
        self.gaps = gaps
        self.needs = needs
        self.bound = bound
        self.best = start
        self.left = SEARCH_WORK // len(sizes)
        self.offsets: dict[int, int] = {}

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
        if self._is_hopeless(floors, level):
            return
        for i in sorted(waiting, key=lambda i: (max(floors[i], level), -self.sizes[i], i)):
            offset = floors[i]
            if offset < level:
                continue
            self.left -= 1
            self.offsets[i] = offset
            raised = list(floors)
            for j, gap in self.gaps[i].items():
                raised[j] = max(raised[j], offset + gap)
            self._extend(raised, offset)
            del self.offsets[i]

    def _is_hopeless(self, floors: Sequence[int], level: int) -> bool:
        """Whether no completion of the plan ends below the best plan."""
        for need in self.needs:
            total, lowest = 0, -1
            for i, nbytes in need.nbytes.items():
                if i not in self.offsets:
                    total += nbytes
                    if lowest < 0 or floors[i] < lowest:
                        lowest = floors[i]
            if lowest < 0:
                continue
            if need.pair is not None and not self.offsets.keys() & need.pair:
                total -= need.saved
            if max(lowest, level) + total >= self.best.nbytes:
                return True
        return False
