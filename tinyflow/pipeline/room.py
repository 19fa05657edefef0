"""What a model asks of a target's memory, and which boards have that much."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinyflow.codegen.schedule import make_schedule
from tinyflow.ir import OPS, DType, Graph
from tinyflow.quantize.weights import CHANNEL_AXIS
from tinyflow.targets import Target, list_targets

CODE_BYTES = 96 * 1024
"""An allowance for the code of a network and of the application around it."""
STACK_BYTES = 4096
"""What the linker scripts keep free for the stack."""

_TABLE_BYTES_PER_CHANNEL = 12
_TABLE_BYTES_PER_FUNCTION = 256


@dataclass(frozen=True)
class Need:
    """Bytes. ``weight_bytes`` is exact: one for each weight, as the model has them; kernels may
    round rows up, and removing dead channels may save some. ``table_bytes`` is about what biases,
    multipliers, shifts and tables of functions take. ``arena_bytes`` is an estimate until kernels
    have been chosen."""

    arena_bytes: int
    weight_bytes: int
    table_bytes: int

    @property
    def constant_bytes(self) -> int:
        return self.weight_bytes + self.table_bytes


def need_of(graph: Graph, arena_bytes: int | None = None) -> Need:
    """``graph`` is canonical, before or after quantization."""
    if arena_bytes is None:
        arena_bytes = estimate_arena(graph)
    return Need(arena_bytes, weight_bytes(graph), table_bytes(graph))


def weight_bytes(graph: Graph) -> int:
    """The weights of all layers that accumulate products, a byte each, shared ones once."""
    names = {node.inputs[1] for node in graph.nodes if node.op in CHANNEL_AXIS}
    return sum(graph.tensors[name].elements for name in names)


def table_bytes(graph: Graph) -> int:
    total = 0
    for node in graph.nodes:
        if node.op in CHANNEL_AXIS:
            total += _TABLE_BYTES_PER_CHANNEL * graph.result(node).shape[-1]
        elif OPS[node.op].unary:
            total += _TABLE_BYTES_PER_FUNCTION
    return total


def estimate_arena(graph: Graph) -> int:
    """The arena with int8 activations, layer by layer: without the working memory of kernels, and
    without what overlapping and fusing layers saves."""
    tensors = {
        name: tensor if tensor.is_constant else replace(tensor, dtype=DType.INT8, quant=None)
        for name, tensor in graph.tensors.items()
    }
    return make_schedule(replace(graph, tensors=tensors)).arena_bytes


def boards_with_room(need: Need) -> tuple[str, ...]:
    """The names of the boards whose memories hold all of it, and code and stack beside it."""
    return tuple(target.name for target in list_targets() if _has_room(target, need))


def _has_room(target: Target, need: Need) -> bool:
    board = target.board
    if board is None or board.machine is not None:
        return False
    flash = board.storage.nbytes - (0 if board.constants else CODE_BYTES)
    return need.constant_bytes <= flash and need.arena_bytes <= board.ram.nbytes - STACK_BYTES
