"""Which tensors share memory, and in which steps each is needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from tinyflow.codegen.schedule.alignment import align, align_down
from tinyflow.codegen.schedule.demand import Demand, Demands
from tinyflow.codegen.schedule.overlap import Overlap
from tinyflow.codegen.schedule.views import find_pieces, find_view
from tinyflow.ir import OPS, Graph, Node, Op


@dataclass
class Lifetime:
    """The steps, both included, in which a tensor holds something that is still needed. It
    begins ``shift`` bytes after the start of its buffer."""

    tensor: str
    first: int
    last: int
    nbytes: int
    alias_of: str | None = None
    shift: int = 0

    @property
    def span(self) -> tuple[int, int]:
        """The bytes [begin, end) of the buffer that the tensor takes, multiples of the
        alignment."""
        return align_down(self.shift), align(self.shift + self.nbytes)

    def meets(self, other: Lifetime) -> bool:
        """Whether both are needed in one step."""
        return self.first <= other.last and other.first <= self.last

    def touches(self, other: Lifetime) -> bool:
        """Whether there are bytes that belong to both."""
        mine, others = self.shift + self.nbytes, other.shift + other.nbytes
        return self.shift < others and other.shift < mine


@dataclass(frozen=True)
class Meeting:
    """A buffer that begins to be written while an operand, in ``buffer`` (its index), ends."""

    buffer: int
    operand: str
    overlap: Overlap


@dataclass
class Buffer:
    """Memory of one or more tensors that follow each other in the same place, or are pieces of
    one another."""

    tensors: list[Lifetime] = field(default_factory=list)
    scratch_of: str | None = None
    """The node whose working memory this is; then ``tensors`` has one entry of that name."""
    meets: Meeting | None = None

    @property
    def nbytes(self) -> int:
        """A multiple of the alignment, as are all sizes here."""
        return max(t.span[1] for t in self.tensors)

    @property
    def first(self) -> int:
        return min(t.first for t in self.tensors)

    @property
    def last(self) -> int:
        return max(t.last for t in self.tensors)

    def life_of(self, tensor: str) -> Lifetime:
        return next(life for life in self.tensors if life.tensor == tensor)

    def bytes_at(self, step: int) -> int:
        """Bytes that are needed in a step."""
        return _covered([t.span for t in self.tensors if t.first <= step <= t.last])

    def bytes_by_step(self) -> dict[int, int]:
        """`bytes_at` of every step in which any are needed."""
        spans: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for tensor in self.tensors:
            span = tensor.span
            for step in range(tensor.first, tensor.last + 1):
                spans[step].append(span)
        return {step: _covered(found) for step, found in spans.items()}

    def gap_to(self, other: Buffer) -> int | None:
        """How many bytes after this buffer ``other`` starts at least, if it is the higher one;
        None where no step needs both."""
        return max(
            (
                max(mine.span[1] - theirs.span[0], 0)
                for mine in self.tensors
                for theirs in other.tensors
                if mine.meets(theirs)
            ),
            default=None,
        )


def _covered(spans: list[tuple[int, int]]) -> int:
    """Bytes that lie in any of the spans."""
    total = reached = 0
    for begin, end in sorted(spans):
        total += max(end - max(begin, reached), 0)
        reached = max(reached, end)
    return total


_NO_DEMAND = Demand()


def find_buffers(
    graph: Graph, order: Sequence[Node], demands: Demands, copied: Collection[str] = ()
) -> list[Buffer]:
    """Buffers for every tensor that is not a constant and for the kernels' working memory, in
    the order of their first use. The nodes named in ``copied`` write all of their results, though
    they may be views or joined of pieces."""
    return _Finder(graph, order, demands, copied).run()


class _Finder:
    def __init__(
        self, graph: Graph, order: Sequence[Node], demands: Demands, copied: Collection[str]
    ) -> None:
        self.graph = graph
        self.order = order
        self.demands = demands
        self.copied = copied
        self.producer = {name: node for node in order for name in node.outputs}
        self.home: dict[str, int] = {}
        """By tensor, the index of its buffer."""
        self.lives: dict[str, Lifetime] = {}
        self.buffers: list[Buffer] = []
        self.joined: dict[str, tuple[str, int]] = {}
        """By tensor that is computed as a piece of a result, that result and the byte of it."""
        for node in order:
            self.join(node)
        self.results = {result for result, _ in self.joined.values()}
        self.homes_of_results: dict[str, int] = {}
        end = max(len(order) - 1, 0)
        self.last_use = {name: step for step, node in enumerate(order) for name in node.inputs}
        self.last_use.update(dict.fromkeys(graph.outputs, end))

    def run(self) -> list[Buffer]:
        for name in dict.fromkeys(self.graph.inputs):
            self.place(name, 0)
        for step, node in enumerate(self.order):
            self.place_result(step, node, self.demands.get(node.name, _NO_DEMAND))
        return self.buffers

    def demand_of(self, node: Node) -> Demand:
        return self.demands.get(node.name, _NO_DEMAND)

    def view(self, node: Node) -> int | None:
        """`find_place` of a node that is not copied and whose operand has a place."""
        if node.name in self.copied or self.graph.operands(node)[0].is_constant:
            return None
        return find_place(self.graph, node, self.demand_of(node))

    def join(self, node: Node) -> None:
        """Lets operands of a node be pieces of its result: those that are computed, and that
        are neither views nor pieces of another result."""
        if node.name in self.copied or self.demand_of(node).replaces is not None:
            return
        for operand, begin in zip(node.inputs, find_pieces(self.graph, node), strict=True):
            name = self.computed(operand)
            if begin is not None and name is not None and name not in self.joined:
                self.joined[name] = (node.output, begin)

    def computed(self, name: str) -> str | None:
        """The tensor of which this one is at most another shape; None where nothing computes it
        for itself."""
        producer = self.producer.get(name)
        while producer is not None and self.view(producer) is not None:
            if producer.op is not Op.RESHAPE:
                return None
            name = producer.inputs[0]
            producer = self.producer.get(name)
        return name if producer is not None else None

    def place_result(self, step: int, node: Node, demand: Demand) -> None:
        shift = self.view(node)
        if shift is not None:
            self.place(node.output, step, node.inputs[0], shift)
        elif any(name in self.joined or name in self.results for name in node.outputs):
            for name in node.outputs:
                self.place(name, step)
        else:
            replaced = [
                name for name in self.replaceable(node, demand) if self.dies(name, node, step)
            ]
            meeting = self.meeting(node, step, demand)
            for name in node.outputs:
                self.place(name, step, replaced[0] if replaced else None, meets=meeting)
        if demand.scratch_bytes:
            life = Lifetime(node.name, step, step, demand.scratch_bytes)
            self.buffers.append(Buffer([life], scratch_of=node.name))

    def place(
        self,
        name: str,
        first: int,
        operand: str | None = None,
        shift: int = 0,
        meets: Meeting | None = None,
    ) -> None:
        """``shift`` bytes after the start of an operand, or as a piece of a result, or else in a
        buffer of its own."""
        last = max(self.last_use.get(name, first), first)
        if operand is not None:
            home = self.home[operand]
            shift += self.lives[operand].shift
        else:
            whole, shift = self.whole(name)
            home = self.homes_of_results.setdefault(whole, len(self.buffers))
            if home == len(self.buffers):
                self.buffers.append(Buffer(meets=meets))
            operand = self.joined[name][0] if name in self.joined else None
        self.home[name] = home
        nbytes = self.graph.tensors[name].nbytes
        life = self.lives[name] = Lifetime(name, first, last, nbytes, operand, shift)
        self.buffers[home].tensors.append(life)

    def whole(self, name: str) -> tuple[str, int]:
        """The result of which a tensor is a piece, of a piece; itself where it is none. And the
        byte at which it lies there."""
        begin = 0
        while name in self.joined:
            name, more = self.joined[name]
            begin += more
        return name, begin

    def is_needed_after(self, life: Lifetime, step: int) -> bool:
        return life.last > step or life.tensor in self.graph.outputs

    def dies(self, name: str, node: Node, step: int) -> bool:
        """Whether the node's result may take an operand's place: no byte of it is needed after
        the step, nor read by the node from elsewhere than from this place."""
        if name not in self.home:
            return False
        mine = self.lives[name]
        others = [t for t in self.buffers[self.home[name]].tensors if t.touches(mine)]
        read = [self.lives[n] for n in node.inputs if self.home.get(n) == self.home[name]]
        return not any(self.is_needed_after(t, step) for t in others) and all(
            (t.shift, t.nbytes) == (mine.shift, mine.nbytes) for t in read if t.touches(mine)
        )

    def meeting(self, node: Node, step: int, demand: Demand) -> Meeting | None:
        """The first operand, if the result may overlap it and nothing else that is needed lies in
        its buffer."""
        name = node.inputs[0] if node.inputs else ""
        if demand.overlap is None or name not in self.home:
            return None
        home = self.home[name]
        if any(self.home.get(other) == home for other in node.inputs[1:]):
            return None
        if any(self.is_needed_after(t, step) for t in self.buffers[home].tensors):
            return None
        return Meeting(home, name, demand.overlap)

    def replaceable(self, node: Node, demand: Demand) -> list[str]:
        """Operands over which the node's kernel can write its result, whatever else lies there."""
        return [] if demand.overlap is not None else _overwritable(self.graph, node, demand)


def find_place(graph: Graph, node: Node, demand: Demand) -> int | None:
    """As `find_view`. A demand that says what the result replaces is that of a fused step, which
    computes whatever its last operation is."""
    return find_view(graph, node) if demand.replaces is None else None


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
