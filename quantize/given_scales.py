"""Takes the scales that a model brings along off its FAKE_QUANT nodes and puts them on tensors.

Where one tensor would have to obey two of them, a QUANTIZE rescales between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyflow.ir import OPS, Attrs, Clamp, Graph, GraphEditor, Node, Op, QuantParams, Tensor
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.fake_quant import FakeQuantAttrs
from tinyflow.quantize.ranges import CODE_MAX, CODE_MIN, Range, union
from tinyflow.quantize.shared_scales import insert_quantize, scale_groups

_SHOWN = 5


@dataclass(frozen=True, eq=False)
class GivenScales:
    """``graph`` has no FAKE_QUANT; ``params`` are by activation, for those that were reached.

    Empty ``params``: the model brought none.
    """

    graph: Graph
    params: Mapping[str, QuantParams]

    @property
    def is_complete(self) -> bool:
        """Whether every tensor has a scale, so that no calibration data are needed."""
        return bool(self.params) and not self.layers_without

    @property
    def layers_without(self) -> tuple[str, ...]:
        """The layers, and inputs, whose results have no scale yet."""
        names = [
            name
            for group in scale_groups(self.graph, self.params)
            if group.fixed is None
            for name in group.members
        ]
        makers = ((name, self.graph.producer(name)) for name in names)
        return tuple(node.name if node is not None else name for name, node in makers)


def no_scales(taken: GivenScales) -> tuple[str, str]:
    """Why calibration data are needed, and what to do."""
    remedy = (
        "--calibration DATA with typical inputs; '--calibration random' only to measure size "
        "and speed"
    )
    if not taken.params:
        reason = "a float model needs calibration data to become int8, and none were given"
        return reason, remedy
    names = taken.layers_without
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    reason = f"the model brings no scale for the results of {shown}{more}, and no calibration data"
    return f"{reason} were given", f"{remedy}; or quantize these layers in the model too"


def take_given_scales(graph: Graph) -> GivenScales:
    """The graph without FAKE_QUANT, and the scales that those, and operations of a fixed scale,
    prescribe for its tensors and for all that must share one with them."""
    if not any(node.op is Op.FAKE_QUANT for node in graph.nodes):
        return GivenScales(graph, {})
    work = _Work(GraphEditor(graph), _fixed(graph))
    for node in graph.nodes:
        if node.op is Op.FAKE_QUANT:
            work.take(node.name)
    work.spread()
    work.separate()
    return GivenScales(work.editor.build(), work.given)


def _fixed(graph: Graph) -> dict[str, QuantParams]:
    """What the definitions of operations prescribe."""
    prescribed = ((node.output, OPS[node.op].output_params) for node in graph.nodes)
    return {name: params for name, params in prescribed if params is not None}


def range_of(params: QuantParams) -> Range:
    """The reals that int8 codes of these parameters reach."""
    lo, hi = (params.scale * (code - params.zero_point) for code in (CODE_MIN, CODE_MAX))
    return Range(lo, hi)


class _Work:
    def __init__(self, editor: GraphEditor, given: dict[str, QuantParams]) -> None:
        self.editor = editor
        self.given = given
        self.renamed: set[str] = set()

    def _node(self, name: str) -> Node:
        return next(node for node in self.editor.nodes if node.name == name)

    def _producer(self, tensor: str) -> Node | None:
        return next((n for n in self.editor.nodes if tensor in n.outputs), None)

    def take(self, name: str) -> None:
        """Gives the scale of one FAKE_QUANT to its operand, if that can have it."""
        node = self._node(name)
        attrs, x = _attrs(node), node.inputs[0]
        if x not in self.given:
            self.given[x] = self._widest(x)
        if self.given[x] != attrs.params:
            self._become(node, Op.QUANTIZE, Attrs())
        elif attrs.is_narrow and not self._clamped(x, attrs):
            self._become(node, Op.CLAMP, ClampAttrs(_reach(attrs)))
        elif not self._bypassed(node):
            self._become(node, Op.QUANTIZE, Attrs())

    def _widest(self, tensor: str) -> QuantParams:
        """Of the scales that a tensor's readers want: no other one would be cut off by it."""
        wanted = [
            _attrs(n) for n in self.editor.nodes if n.op is Op.FAKE_QUANT and n.inputs[0] == tensor
        ]
        return max(wanted, key=lambda attrs: attrs.scale).params

    def _become(self, node: Node, op: Op, attrs: Attrs) -> None:
        """A node of its own, whose result has the scale."""
        self.editor.replace_node(node, replace(node, op=op, attrs=attrs))
        self.given[node.output] = _attrs(node).params

    def _clamped(self, x: str, attrs: FakeQuantAttrs) -> bool:
        """Lets the layer that computes ``x`` clamp it, if it can."""
        producer = self._producer(x)
        own: Any = producer.attrs if producer is not None else None
        if producer is None or not hasattr(own, "clamp"):
            return False
        clamped = replace(own, clamp=own.clamp.then(_reach(attrs)))
        self.editor.replace_node(producer, replace(producer, attrs=clamped))
        return True

    def _bypassed(self, node: Node) -> bool:
        """Lets the operand stand for the result; not where two outputs would become one.

        The operand takes over the name: it holds the rounded values now.
        """
        x, y = node.inputs[0], node.output
        fixed = x in self.editor.outputs or x in self.editor.inputs
        if fixed and y in self.editor.outputs:
            return False
        self.editor.remove_node(node)
        self.editor.redirect(y, x)
        if fixed or (x in self.renamed and y not in self.editor.graph.outputs):
            return True
        self.editor.tensors.pop(y)
        self.editor.outputs = [y if name == x else name for name in self.editor.outputs]
        self.editor.rename_output(x, y)
        self.given[y] = self.given.pop(x)
        self.renamed.add(y)
        return True

    def spread(self) -> None:
        """To operands and results of operations that cannot rescale, until nothing is reached."""
        before = -1
        while before != len(self.given):
            before = len(self.given)
            for node in reversed(self.editor.nodes):
                self._spread_up(node)
            for node in self.editor.nodes:
                self._spread_down(node)

    def _activations(self, node: Node) -> list[str]:
        return [n for n in node.inputs if not self.editor.tensors[n].is_constant]

    def _spread_up(self, node: Node) -> None:
        if OPS[node.op].same_params and node.output in self.given:
            for name in self._activations(node):
                self.given.setdefault(name, self.given[node.output])

    def _spread_down(self, node: Node) -> None:
        names = self._activations(node)
        reached = [self.given[name] for name in names if name in self.given]
        if node.output in self.given or len(reached) < len(names):
            return
        if node.op is Op.CLAMP:
            self.given[node.output] = reached[0]
        elif node.op in _NO_LARGER:
            self.given[node.output] = _image(node, reached[0])
        elif OPS[node.op].same_params:
            constants = [t for t in map(self._tensor, node.inputs) if t.is_constant]
            self.given[node.output] = _common(reached, constants)

    def _tensor(self, name: str) -> Tensor:
        return self.editor.tensors[name]

    def separate(self) -> None:
        """Rescales around operations that cannot, where their tensors have different scales."""
        for name in [node.name for node in self.editor.nodes if OPS[node.op].same_params]:
            node = self._node(name)
            names = self._activations(node)
            wanted = self.given.get(node.output)
            others = [n for n in dict.fromkeys(names) if self.given.get(n, wanted) != wanted]
            if others and len(set(names)) == 1:
                self._rescale_result(node)
                continue
            for other in others:
                rescaled = insert_quantize(self.editor, other, [node.name])
                if rescaled is not None and wanted is not None:
                    self.given[rescaled] = wanted

    def _rescale_result(self, node: Node) -> None:
        tensor = self._tensor(node.output)
        inner = self.editor.add_tensor(replace(tensor, name=f"{node.output}_unscaled"))
        self.given[inner] = self.given[node.inputs[0]]
        rescale = Node(
            self.editor.claim_node(f"{node.name}_rescale"),
            Op.QUANTIZE,
            (inner,),
            node.outputs,
            sources=node.sources,
        )
        self.editor.replace_node(node, replace(node, outputs=(inner,)), rescale)


_NO_LARGER = frozenset({Op.ABS, Op.GELU, Op.HARD_SWISH, Op.LEAKY_RELU})
"""Functions of one element whose results reach about as far as their operand does, so that the
scale for all codes of the operand is not much coarser than one for the values that occur."""


def _image(node: Node, params: QuantParams) -> QuantParams:
    """The scale for what a function makes of all codes."""
    reals = params.dequantize(np.arange(CODE_MIN, CODE_MAX + 1))
    values = OPS[node.op].evaluate(node.attrs, reals)
    return Range(float(values.min()), float(values.max())).params()


def _attrs(node: Node) -> FakeQuantAttrs:
    assert isinstance(node.attrs, FakeQuantAttrs)
    return node.attrs


def _reach(attrs: FakeQuantAttrs) -> Clamp:
    """The reals of the codes that occur."""
    lo, hi = (attrs.scale * (code - attrs.zero_point) for code in (attrs.lo, attrs.hi))
    return Clamp(lo, hi)


def _common(params: list[QuantParams], constants: Iterable[Tensor]) -> QuantParams:
    """The scale of what joins tensors of these scales: theirs, or one for the range of all."""
    ranges = [Range(float(t.value.min()), float(t.value.max())) for t in constants]
    if len(set(params)) == 1 and not ranges:
        return params[0]
    return union([*map(range_of, params), *ranges]).params()
