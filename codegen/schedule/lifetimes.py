"""Which tensors share memory, and in which steps each is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tinyflow.codegen.schedule.schedule import Demand, Demands, align
from tinyflow.ir import OPS, Graph, Node, Op


@dataclass
class Lifetime:
    """The steps, both included, in which a tensor holds something that is still needed."""

    tensor: str
    first: int
    last: int
    alias_of: str | None = None


@dataclass
class Buffer:
    """Memory of one or more tensors that follow each other in the same place."""

    nbytes: int
    tensors: list[Lifetime] = field(default_factory=list)
    scratch_of: str | None = None
    """The node whose working memory this is; then ``tensors`` has one entry of that name."""

    @property
    def first(self) -> int:
        return min(t.first for t in self.tensors)

    @property
    def last(self) -> int:
        return max(t.last for t in self.tensors)

    def overlaps(self, other: Buffer) -> bool:
        """Whether both are needed in some step."""
        return self.first <= other.last and other.first <= self.last


_NO_DEMAND = Demand()


def find_buffers(graph: Graph, order: Sequence[Node], demands: Demands) -> list[Buffer]:
    """Buffers for every tensor that is not a constant and for the kernels' working memory, in
    the order of their first use."""
    end = max(len(order) - 1, 0)
    last_use = {name: step for step, node in enumerate(order) for name in node.inputs}
    last_use.update(dict.fromkeys(graph.outputs, end))
    home: dict[str, Buffer] = {}
    buffers: list[Buffer] = []

    def place(name: str, first: int, operand: str | None) -> None:
        lifetime = Lifetime(name, first, max(last_use.get(name, first), first), operand)
        if operand is None:
            home[name] = Buffer(align(graph.tensors[name].nbytes))
            buffers.append(home[name])
        else:
            home[name] = home[operand]
        home[name].tensors.append(lifetime)

    for name in dict.fromkeys(graph.inputs):
        place(name, 0, None)
    for step, node in enumerate(order):
        demand = demands.get(node.name, _NO_DEMAND)
        for name in node.outputs:
            place(name, step, _operand_to_take_over(graph, node, step, home, demand))
        if demand.scratch_bytes:
            life = Lifetime(node.name, step, step)
            buffers.append(Buffer(align(demand.scratch_bytes), [life], scratch_of=node.name))
    return buffers


def _operand_to_take_over(
    graph: Graph, node: Node, step: int, home: dict[str, Buffer], demand: Demand
) -> str | None:
    """The operand whose memory the node's result takes over, if there is one."""
    if node.op is Op.RESHAPE:
        return node.inputs[0] if node.inputs[0] in home else None
    for name in _overwritable(graph, node, demand):
        if name in home and _dies(graph, home[name], step):
            return name
    return None


def _overwritable(graph: Graph, node: Node, demand: Demand) -> list[str]:
    """Operands over which the node's kernel can write its result."""
    result = graph.result(node)
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


def _dies(graph: Graph, buffer: Buffer, step: int) -> bool:
    """Whether nothing that the buffer holds is needed after ``step``."""
    return all(t.last <= step and t.tensor not in graph.outputs for t in buffer.tensors)
