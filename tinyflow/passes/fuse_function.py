"""Joins layers that together compute a function of one element: in int8 a single table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tinyflow.ir import Attrs, Graph, GraphEditor, Node, Op
from tinyflow.ir.ops.function import FunctionAttrs
from tinyflow.passes.facts import sources_between
from tinyflow.passes.functions.chains import Chain, Chains
from tinyflow.passes.functions.known import recognize
from tinyflow.passes.functions.steps import function_of

_Choice = Callable[[Graph, Chain], "_Fusion | None"]


@dataclass(frozen=True)
class _Fusion:
    """What a chain becomes."""

    chain: Chain
    op: Op
    attrs: Attrs

    @property
    def nodes(self) -> list[Node]:
        return _nodes(self.chain)


def fuse_function(graph: Graph) -> tuple[Graph, bool]:
    """Nodes on the way from one tensor to another -> GELU, HARD_SWISH, SIGMOID and such, or
    FUNCTION.

    They work element by element, with constants of one element alone, and nothing else reads what
    lies between. What they compute decides, not how it is written. Scales, offsets and clamps at
    either end, which other layers can take up, stay apart unless a known operation includes them.
    """
    return _fuse(graph, _core)


def fuse_function_ends(graph: Graph) -> tuple[Graph, bool]:
    """As `fuse_function`, with scales, offsets and clamps that no other layer took up."""
    return _fuse(graph, _whole)


def _fuse(graph: Graph, choose: _Choice) -> tuple[Graph, bool]:
    chains, editor = Chains(graph), GraphEditor(graph)
    fused: set[str] = set()
    for node in reversed(graph.nodes):
        chain = chains.ending_in(node.outputs[0]) if node.name not in fused else ()
        fusion = choose(graph, chain) if chain else None
        if fusion is None:
            continue
        *inner, last = fusion.nodes
        fused.update(n.name for n in fusion.nodes)
        for old in inner:
            editor.remove_node(old)
        x = fusion.chain[0].x
        new = Node(
            last.name,
            fusion.op,
            (x,),
            last.outputs,
            fusion.attrs,
            sources_between(graph, x, last),
        )
        editor.replace_node(last, new)
    return (editor.build(), True) if fused else (graph, False)


def _core(graph: Graph, chain: Chain) -> _Fusion | None:
    bent = [i for i, link in enumerate(chain) if link.nonlinear]
    if not bent:
        return _clamped_line(graph, chain)
    first, last = bent[0], bent[-1]
    for lead, trail in _extensions(first, len(chain) - 1 - last):
        part = chain[first - lead : last + 1 + trail]
        known = _known(graph, part)
        if known is not None:
            return known
    return _function(graph, chain[first : last + 1])


def _whole(graph: Graph, chain: Chain) -> _Fusion | None:
    if not any(link.nonlinear for link in chain):
        return None
    return _known(graph, chain) or _function(graph, chain)


def _clamped_line(graph: Graph, chain: Chain) -> _Fusion | None:
    """HARD_SIGMOID is made of nothing but what other layers take up."""
    for length in range(len(chain), 1, -1):
        for start in range(len(chain) - length + 1):
            known = _known(graph, chain[start : start + length])
            if known is not None:
                return known
    return None


def _extensions(leads: int, trails: int) -> Iterator[tuple[int, int]]:
    """How many links to take in front and behind, the fewest first."""
    pairs = [(lead, trail) for lead in range(leads + 1) for trail in range(trails + 1)]
    yield from sorted(pairs, key=sum)


def _known(graph: Graph, chain: Chain) -> _Fusion | None:
    nodes = _nodes(chain)
    if len(nodes) < 2:
        return None
    known = recognize(function_of(graph, chain[0].x, nodes))
    return None if known is None else _Fusion(chain, known.op, known.attrs)


def _function(graph: Graph, chain: Chain) -> _Fusion | None:
    """A quotient is worth it alone: there is none in int8."""
    nodes = _nodes(chain)
    if len(nodes) < 2 and nodes[0].op is not Op.DIV:
        return None
    function: FunctionAttrs = function_of(graph, chain[0].x, nodes)
    return _Fusion(chain, Op.FUNCTION, function)


def _nodes(chain: Chain) -> list[Node]:
    return [node for link in chain for node in link.nodes]
