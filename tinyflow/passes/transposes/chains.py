"""Merges TRANSPOSE and RESHAPE nodes that follow one another, and drops those that do nothing."""

from __future__ import annotations

from dataclasses import replace

from tinyflow.ir import Graph, GraphEditor, Node, Op
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.ir.ops.transpose import TransposeAttrs
from tinyflow.passes.transposes.axes import (
    MOST_AXES,
    Perm,
    compose,
    is_identity,
    moves_nothing,
    only_units_differ,
    wide,
)

MOVES = (Op.TRANSPOSE, Op.RESHAPE)


def perm_of(node: Node) -> Perm:
    """The permutation of a TRANSPOSE."""
    assert isinstance(node.attrs, TransposeAttrs)
    return node.attrs.perm


def merge_chains(graph: Graph) -> tuple[Graph, bool]:
    """Afterwards every chain of TRANSPOSE and RESHAPE nodes (the latter with only axes of 1 to
    add or drop) is one TRANSPOSE at most, then one RESHAPE at most; equal ones are one node."""
    sweep = _Sweep(graph)
    for node in graph.nodes:
        sweep.visit(node)
    return sweep.finish()


class _Sweep:
    """One walk over the nodes in order, with the simplified nodes so far."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.editor = GraphEditor(graph)
        self.editor.nodes = []
        self.changed = False
        self._alias: dict[str, str] = {}
        self._producers: dict[str, Node] = {}
        self._same: dict[tuple[Op, str, str], str] = {}
        self._names = {node.name for node in graph.nodes}

    def visit(self, node: Node) -> None:
        inputs = tuple(self._alias.get(name, name) for name in node.inputs)
        node = replace(node, inputs=inputs) if inputs != node.inputs else node
        if node.op in MOVES and not self.editor.tensors[inputs[0]].is_constant:
            self._place(node)
        else:
            self._keep(node)

    def finish(self) -> tuple[Graph, bool]:
        needed = set(self.graph.outputs)
        kept = []
        for node in reversed(self.editor.nodes):
            if node.op not in MOVES or needed.intersection(node.outputs):
                kept.append(node)
                needed.update(node.inputs)
        self.changed |= len(kept) != len(self.graph.nodes)
        if not self.changed:
            return self.graph, False
        self.editor.nodes = kept[::-1]
        return self.editor.build(), True

    def _keep(self, node: Node) -> None:
        self.editor.nodes.append(node)
        for name in node.outputs:
            self._producers[name] = node

    def _place(self, node: Node) -> None:
        above = self._producers.get(node.inputs[0])
        if above is not None and above.op in MOVES:
            if above.op is node.op:
                self._merge(node, above)
                return
            if node.op is Op.TRANSPOSE and self._reshape_below(node, above):
                return
        shape = self.editor.tensors[node.inputs[0]].shape
        if node.op is Op.TRANSPOSE and not is_identity(perm_of(node)):
            if moves_nothing(shape, perm_of(node)):
                self.changed = True
                attrs = ReshapeAttrs(self.editor.tensors[node.output].shape)
                self._place(replace(node, op=Op.RESHAPE, attrs=attrs))
                return
        elif shape == self.editor.tensors[node.output].shape and self._drop(node):
            return
        key = (node.op, node.inputs[0], str(node.attrs))
        if key in self._same and node.output not in self.graph.outputs:
            self.changed = True
            self._alias[node.output] = self._same[key]
            return
        self._same.setdefault(key, node.output)
        self._keep(node)

    def _merge(self, node: Node, above: Node) -> None:
        self.changed = True
        attrs = node.attrs
        if node.op is Op.TRANSPOSE:
            attrs = TransposeAttrs(compose(perm_of(above), perm_of(node)))
        # A layer of the source, not one that an importer put around another, stays on record.
        inherited = above.sources if above.name in above.sources else ()
        sources = tuple(dict.fromkeys((*inherited, *node.sources)))
        self._place(replace(node, inputs=above.inputs, attrs=attrs, sources=sources))

    def _reshape_below(self, node: Node, above: Node) -> bool:
        """RESHAPE, TRANSPOSE becomes TRANSPOSE, RESHAPE, where that is the same."""
        source, middle = (self.editor.tensors[n] for n in (above.inputs[0], node.inputs[0]))
        # A RESHAPE that lowers the rank to what kernels see stays above.
        grows = len(source.shape) > max(len(middle.shape), MOST_AXES)
        if grows or not only_units_differ(source.shape, middle.shape):
            return False
        self.changed = True
        result = self.editor.tensors[node.output]
        axis_in_source = dict(zip(wide(middle.shape), wide(source.shape), strict=True))
        order = iter([axis_in_source[a] for a in perm_of(node) if middle.shape[a] > 1])
        perm = tuple(next(order) if d > 1 else a for a, d in enumerate(source.shape))
        reshape = replace(node, op=Op.RESHAPE, attrs=ReshapeAttrs(result.shape))
        if is_identity(perm):
            self._place(replace(reshape, inputs=above.inputs))
            return True
        shape = tuple(source.shape[axis] for axis in perm)
        moved = self.editor.add_tensor(replace(source, name=f"{node.output}/moved", shape=shape))
        name = self.editor.unique_node(f"{node.name}/moved")
        self.editor._node_names.add(name)
        self._place(
            Node(name, Op.TRANSPOSE, above.inputs, (moved,), TransposeAttrs(perm), node.sources)
        )
        self._place(replace(reshape, inputs=(self._alias.get(moved, moved),)))
        return True

    def _unique_node(self, stem: str) -> str:
        name, number = stem, 0
        while name in self._names:
            number += 1
            name = f"{stem}_{number}"
        self._names.add(name)
        return name

    def _drop(self, node: Node) -> bool:
        """Lets the readers of a node that does nothing read its input."""
        source = node.inputs[0]
        if node.output not in self.graph.outputs:
            self.changed = True
            self._alias[node.output] = source
            return True
        producer = self._producers.get(source)
        if producer is None or source in self.graph.outputs:
            return False
        # A graph output keeps its name, so the input takes it.
        self.changed = True
        self.editor.tensors[node.output] = replace(self.editor.tensors[source], name=node.output)
        self.editor.nodes = [
            replace(
                n,
                inputs=tuple(node.output if i == source else i for i in n.inputs),
                outputs=tuple(node.output if o == source else o for o in n.outputs),
            )
            for n in self.editor.nodes
        ]
        self._producers = {o: n for n in self.editor.nodes for o in n.outputs}
        self._alias = {k: node.output if v == source else v for k, v in self._alias.items()}
        self._alias[source] = node.output
        self._same = {
            k: node.output if v == source else v for k, v in self._same.items() if k[1] != source
        }
        return True
