"""One walk over a graph that keeps TRANSPOSE and RESHAPE as views until somebody needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tinyflow.ir import Attrs, Graph, GraphEditor, Node, Op, Shape, Tensor
from tinyflow.ir.ops.reshape import ReshapeAttrs
from tinyflow.passes.views import View, moves
from tinyflow.passes.views.source import is_move, seen_through


@dataclass(frozen=True, eq=False)
class Held:
    """A tensor of the source graph: a stored tensor of the new one, seen as ``view``.

    ``chain`` are the nodes between the two in the source graph; ``owner`` is the node whose name
    new nodes take where there are none.
    """

    name: str
    stored: Shape
    view: View
    chain: tuple[Node, ...] = ()
    owner: Node | None = None


@dataclass(frozen=True, eq=False)
class Sunk:
    """A node moved above the moves of its operands: it reads ``inputs``, stored tensors, computes
    one of shape ``stored``, and its result is that one seen as ``view``."""

    inputs: tuple[str, ...]
    attrs: Attrs
    stored: Shape
    view: View


Rule = Callable[["Sweep", Node], Sunk | None]
"""How a node computes on its operands as they are stored; None where it cannot."""


class Sweep:
    """Builds the new graph; `run` once."""

    def __init__(self, graph: Graph, rules: Mapping[Op, Rule]) -> None:
        self.graph = graph
        self.editor = GraphEditor(graph)
        self.editor.nodes = []
        self._rules = rules
        self._held: dict[str, Held] = {}
        self._placed: dict[tuple[str, View], str] = {}
        self._names = {node.name for node in graph.nodes}
        self._renamed: dict[str, str] = {}

    def run(self) -> tuple[Graph, bool]:
        for node in self.graph.nodes:
            self._visit(node)
            for name in node.outputs:
                if name in self.graph.outputs:
                    self._finish_output(name)
        if self._renamed:
            self._rename()
        old = {node.name: _content(node) for node in self.graph.nodes}
        if old == {node.name: _content(node) for node in self.editor.nodes}:
            return self.graph, False
        return self.editor.build(), True

    # What rules ask.

    def held(self, name: str) -> Held:
        """How a tensor of the source graph, not a constant, is held."""
        if name in self._held:
            return self._held[name]
        shape = self.graph.tensors[name].shape
        return Held(name, shape, View.of(shape), owner=self.graph.producer(name))

    def place(self, tensor: str, view: View) -> str:
        """The stored tensor of ``tensor`` (of the source graph) in the form of ``view``."""
        return self._place(self.held(tensor), view, tensor)

    def add_constant(self, name: str, tensor: Tensor, reader: Node) -> str:
        """A constant of the source graph with another value; it keeps its name where nothing
        else reads it."""
        if self.graph.sole_consumer(name) is not None and reader.inputs.count(name) == 1:
            self.editor.tensors[name] = replace(tensor, name=name)
            return name
        return self.editor.add_tensor(replace(tensor, name=name))

    # The walk.

    def _visit(self, node: Node) -> None:
        if is_move(self.graph, node):
            self._see(node)
            return
        rule = self._rules.get(node.op)
        sunk = rule(self, node) if rule is not None else None
        if sunk is not None:
            self._emit(node, sunk)
            return
        inputs = tuple(
            self.place(name, self._held[name].view) if name in self._held else name
            for name in node.inputs
        )
        self.editor.nodes.append(replace(node, inputs=inputs))

    def _see(self, node: Node) -> None:
        above = self.held(node.inputs[0])
        view = seen_through(above.view, node)
        if view is None:
            shape = above.view.shape
            name = self.place(node.inputs[0], above.view)
            above = Held(name, shape, View.of(shape))
            view = seen_through(above.view, node)
            assert view is not None
        chain = (*above.chain, node)
        self._held[node.output] = replace(above, view=view, chain=chain, owner=None)

    def _emit(self, node: Node, sunk: Sunk) -> None:
        result = self.graph.result(node)
        same = sunk.view == View.of(sunk.stored)
        name = node.output
        if not same and name in self.graph.outputs:
            name = self.editor.unique_tensor(f"{name}/moved")
        self.editor.tensors[name] = replace(result, name=name, shape=sunk.stored)
        self.editor.nodes.append(
            replace(node, inputs=sunk.inputs, outputs=(name,), attrs=sunk.attrs)
        )
        self._held[node.output] = Held(name, sunk.stored, sunk.view, owner=node)

    def _place(self, held: Held, view: View, tensor: str) -> str:
        """Appends the moves from a stored tensor to a view of it, those that are not there yet."""
        seen, name = View.of(held.stored), held.name
        for op, attrs in moves(view, held.stored).steps(held.stored):
            step = Node("", op, (name,), ("",), attrs)
            result = seen_through(seen, step)
            assert result is not None
            seen = result
            known = self._placed.get((held.name, seen))
            name = known if known is not None else self._append(held, seen, step, tensor)
        return name

    def _append(self, held: Held, seen: View, step: Node, tensor: str) -> str:
        """One move, under the name of the source's node that does the same where there is one."""
        original = next((n for n in held.chain if self._held[n.output].view == seen), None)
        last = original is None and seen == self.held(tensor).view
        if last and held.chain:
            original = held.chain[-1]
        if original is not None:
            name, output = original.name, original.output
            sources = _sources(held.chain[: held.chain.index(original) + 1])
            shape_of = self.graph.tensors[output]
        else:
            owner = held.chain[-1] if held.chain else held.owner
            suffix = "moved" if step.op is Op.TRANSPOSE else "reshaped"
            stem = owner.name if owner is not None else tensor
            name = self._unique_node(f"{stem}/{suffix}")
            is_end = last and tensor in self.graph.outputs
            output = tensor if is_end else self.editor.unique_tensor(f"{tensor}/{suffix}")
            sources = owner.sources if owner is not None else ()
            shape_of = self.graph.tensors[tensor]
        self.editor.tensors[output] = replace(shape_of, name=output, shape=seen.shape)
        node = replace(step, name=name, outputs=(output,), sources=sources)
        self.editor.nodes.append(node)
        self._placed[held.name, seen] = output
        return output

    def _finish_output(self, name: str) -> None:
        """Lets the tensor that is this output of the graph bear its name."""
        held = self._held.get(name)
        if held is None:
            return
        placed = self._place(held, held.view, name)
        if placed == name:
            return
        ends = {*self.graph.inputs, *self.graph.outputs}
        if placed not in ends and placed not in self._renamed:
            self._renamed[placed] = name
            return
        original = held.chain[-1]
        attrs = ReshapeAttrs(held.view.shape)
        copy = replace(original, op=Op.RESHAPE, inputs=(placed,), attrs=attrs)
        self.editor.nodes.append(copy)

    def _rename(self) -> None:
        names = self._renamed
        for old, new in names.items():
            self.editor.tensors[new] = replace(self.editor.tensors[old], name=new)
        self.editor.nodes = [
            replace(
                node,
                inputs=tuple(names.get(i, i) for i in node.inputs),
                outputs=tuple(names.get(o, o) for o in node.outputs),
            )
            for node in self.editor.nodes
        ]

    def _unique_node(self, stem: str) -> str:
        name, number = stem, 0
        while name in self._names:
            number += 1
            name = f"{stem}_{number}"
        self._names.add(name)
        return name


def _sources(chain: tuple[Node, ...]) -> tuple[str, ...]:
    """Of a merged chain: a layer of the source, not one that an importer put around another,
    stays on record."""
    inherited = [name for node in chain[:-1] if node.name in node.sources for name in node.sources]
    return tuple(dict.fromkeys((*inherited, *chain[-1].sources)))


def _content(node: Node) -> tuple[object, ...]:
    return (node.op, node.inputs, node.outputs, node.attrs, node.sources)
