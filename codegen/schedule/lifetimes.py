"""Which tensors share memory, and in which steps each is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tinyflow.codegen.schedule.alignment import align
from tinyflow.codegen.schedule.demand import Demand, Demands
from tinyflow.codegen.schedule.overlap import Overlap
from tinyflow.ir import OPS, Graph, Node, Op


@dataclass
class Lifetime:
    """The steps, both included, in which a tensor holds something that is still needed."""

    tensor: str
    first: int
    last: int
    nbytes: int
    alias_of: str | None = None


@dataclass(frozen=True)
class Meeting:
    """A buffer that begins to be written while an operand, in ``buffer`` (its index), ends."""

    buffer: int
    operand: str
    overlap: Overlap


@dataclass
class Buffer:
    """Memory of one or more tensors that follow each other in the same place."""

    tensors: list[Lifetime] = field(default_factory=list)
    scratch_of: str | None = None
    """The node whose working memory this is; then ``tensors`` has one entry of that name."""
    meets: Meeting | None = None

    @property
    def nbytes(self) -> int:
        """A multiple of the alignment, as are all sizes here."""
        return max(align(t.nbytes) for t in self.tensors)

    @property
    def first(self) -> int:
        return min(t.first for t in self.tensors)

    @property
    def last(self) -> int:
        return max(t.last for t in self.tensors)

    def bytes_at(self, step: int) -> int:
        """Bytes that are needed in a step."""
        return max((align(t.nbytes) for t in self.tensors if t.first <= step <= t.last), default=0)

    def bytes_beside(self, other: Buffer) -> int:
        """The most bytes that are needed in a step in which ``other`` is needed too; 0 where
        there is none."""
        return max(
            (
                align(mine.nbytes)
                for mine in self.tensors
                if any(mine.first <= t.last and t.first <= mine.last for t in other.tensors)
            ),
            default=0,
        )


_NO_DEMAND = Demand()


def find_buffers(graph: Graph, order: Sequence[Node], demands: Demands) -> list[Buffer]:
    """Buffers for every tensor that is not a constant and for the kernels' working memory, in
    the order of their first use."""
    end = max(len(order) - 1, 0)
    last_use = {name: step for step, node in enumerate(order) for name in node.inputs}
    last_use.update(dict.fromkeys(graph.outputs, end))
    home: dict[str, int] = {}
    buffers: list[Buffer] = []

    def place(
        name: str, first: int, operand: str | None = None, meets: Meeting | None = None
    ) -> None:
        last = max(last_use.get(name, first), first)
        if operand is None:
            home[name] = len(buffers)
            buffers.append(Buffer(meets=meets))
        else:
            home[name] = home[operand]
        life = Lifetime(name, first, last, graph.tensors[name].nbytes, operand)
        buffers[home[name]].tensors.append(life)

    def dies(name: str, step: int) -> bool:
        """Whether nothing that the tensor's buffer holds is needed after ``step``."""
        if name not in home:
            return False
        tensors = buffers[home[name]].tensors
        return all(t.last <= step and t.tensor not in graph.outputs for t in tensors)

    for name in dict.fromkeys(graph.inputs):
        place(name, 0)
    for step, node in enumerate(order):
        demand = demands.get(node.name, _NO_DEMAND)
        dying = frozenset(name for name in node.inputs if dies(name, step))
        for name in node.outputs:
            operand = _operand_to_take_over(graph, node, home, dying, demand)
            place(name, step, operand, _find_meeting(node, home, dying, demand))
        if demand.scratch_bytes:
            life = Lifetime(node.name, step, step, demand.scratch_bytes)
            buffers.append(Buffer([life], scratch_of=node.name))
    return buffers


def _find_meeting(
    node: Node, home: dict[str, int], dying: frozenset[str], demand: Demand
) -> Meeting | None:
    """The first operand, if the result may overlap it and no other operand lies there too."""
    name = node.inputs[0] if node.inputs else ""
    if demand.overlap is None or name not in dying:
        return None
    if any(home.get(other) == home[name] for other in node.inputs[1:]):
        return None
    return Meeting(home[name], name, demand.overlap)


def _operand_to_take_over(
    graph: Graph, node: Node, home: dict[str, int], dying: frozenset[str], demand: Demand
) -> str | None:
    """The operand whose memory the node's result takes over, if there is one."""
    if node.op is Op.RESHAPE:
        return node.inputs[0] if node.inputs[0] in home else None
    if demand.overlap is not None:
        return None
    return next((name for name in _overwritable(graph, node, demand) if name in dying), None)


def _overwritable(graph: Graph, node: Node, demand: Demand) -> list[str]:
    """Operands over which the node's kernel can write its result."""
    result = graph.result(node)
    if demand.replaces is not None:
        return [n for n in demand.replaces if graph.tensors[n].nbytes >= result.nbytes]
    if demand.overwrites:
        first = graph.tensors[node.inputs[0]]
        return [first.name] if result.nbytes <= first.nbytes else []
    if not OPS[node.op].in_place:
        return []

    def same_elements(name: str) -> bool:
        # Elements of another size would move, and a kernel would overrun what it has yet to read.
        tensor = graph.tensors[name]
        return (tensor.elements, tensor.dtype.itemsize) == (result.elements, result.dtype.itemsize)

    return [name for name in node.inputs if same_elements(name)]
