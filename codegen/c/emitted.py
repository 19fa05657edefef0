"""What the template of a model's source needs to know of its layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tinyflow.codegen.c.comments import layer_comment, layer_title
from tinyflow.codegen.c.constants import Kind
from tinyflow.codegen.c.layer import KernelCall, Layer, Rows, pointer_of
from tinyflow.codegen.c.names import identifier, join_identifiers
from tinyflow.codegen.c.sources import LayerInfo
from tinyflow.codegen.c.variants import Variant
from tinyflow.codegen.schedule import Axis, Step
from tinyflow.ir import Node, as_nhwc


@dataclass(frozen=True, eq=False)
class EmittedLayer:
    """One layer's function. ``tile`` is None where it runs whole; ``falling`` where its rows are
    computed one by one from the last.

    ``place`` is the C expression of where the result lies.

    A layer of a fused step is ``handed`` the rows of its operands and of its result: by role, the
    type of each pointer. With ``counted``, it is told how many rows there are.
    """

    number: int
    function: str
    title: str
    comment: str
    calls: list[KernelCall]
    tile: int | None
    falling: bool
    rows: int
    row_bytes: int
    place: str
    info: LayerInfo
    handed: Mapping[str, str] = field(default_factory=dict)
    counted: bool = False

    @property
    def inputs(self) -> list[Rows]:
        return [rows for call in self.calls for rows in call.inputs]

    @property
    def takes_rows(self) -> bool:
        return all(call.takes_rows for call in self.calls)

    @property
    def output(self) -> Rows:
        return self.calls[0].output

    def variable(self, call: int) -> str:
        """The name of a call's parameter struct."""
        return "layer" if len(self.calls) == 1 else f"layer_{call}"

    @property
    def needs_arena(self) -> bool:
        """Whether it reads or writes at places of the arena that it knows by itself."""
        if not self.handed:
            return True
        copies = [copy.target for call in self.calls for copy in call.copies]
        scratch = [call.scratch or "" for call in self.calls]
        rows = [rows.data for rows in (*self.inputs, self.output)]
        return any(text.startswith("arena") for text in (*copies, *scratch, *rows))

    @property
    def parameters(self) -> str:
        handed = [f"{kind} *{pointer_of(role)}" for role, kind in self.handed.items()]
        arena = ["int8_t *arena"] if self.needs_arena else []
        return ", ".join([*arena, *handed, *(["int32_t rows"] if self.counted else [])])

    def call_with(self, pointers: Mapping[str, str], rows: str) -> str:
        """The call of a layer of a fused step; ``pointers`` by role."""
        arena = ["arena"] if self.needs_arena else []
        count = [rows] if self.counted else []
        arguments = [*arena, *(pointers[role] for role in self.handed), *count]
        return f"{self.function}({', '.join(arguments)});"


def emit_layer(layer: Layer, variant: Variant, counted: bool = False) -> EmittedLayer:
    """Binds a layer to its kernel. The layer's step has the layer's number for an index."""
    step, node, pool = layer.step, layer.node, layer.pool
    first = len(pool.arrays)
    calls = variant.bind(layer)
    _, height, width, channels = as_nhwc(layer.result.shape)
    row_bytes = width * channels * layer.result.dtype.itemsize
    if layer.handed and step.axis is Axis.TOKENS:
        row_bytes = channels * layer.result.dtype.itemsize
    function = join_identifiers(layer_stem(node, step), identifier(node.name))
    return EmittedLayer(
        number=step.index,
        function=function,
        title=layer_title(layer),
        comment=layer_comment(layer),
        calls=calls,
        tile=None if step.axis is Axis.WHOLE or step.tile >= height else step.tile,
        falling=step.falling,
        rows=height,
        row_bytes=row_bytes,
        place=layer.output_rows().data,
        info=LayerInfo(
            step=step.index,
            name=node.name,
            op=node.op,
            variant=variant.name,
            function=function if calls else None,
            tensor=node.output,
            row_bytes=row_bytes,
            weight_bytes=pool.nbytes(Kind.WEIGHT, first),
            table_bytes=pool.nbytes(Kind.TABLE, first),
        ),
        handed=_handed(layer),
        counted=counted,
    )


def layer_stem(node: Node, step: Step) -> str:
    return f"{node.op.value.lower()}_{step.index}"


def _handed(layer: Layer) -> dict[str, str]:
    if not layer.handed:
        return {}
    pointers = {
        role: "const int8_t"
        for role, tensor in zip(layer.roles, layer.operands, strict=True)
        if tensor.name in layer.handed
    }
    return {**pointers, "out": "int8_t"}
