"""Gives tensors the source model's names back once the TRANSPOSEs that bore them are gone."""

from __future__ import annotations

from dataclasses import replace

from tinyflow.ir import Graph, GraphEditor, Node


def reclaim_names(graph: Graph) -> tuple[Graph, bool]:
    """A tensor 'y/suffix' whose node also computed a source's 'y' becomes 'y' where that is free.

    Importers and this pass name a tensor in another layout after the one that it stands for.
    """
    new_names: dict[str, str] = {}
    taken = set(graph.tensors)
    for node in graph.nodes:
        for name in node.outputs:
            stem = None if name in graph.outputs else _free_stem(name, node, taken)
            if stem is not None:
                new_names[name] = stem
                taken.add(stem)
    if not new_names:
        return graph, False
    editor = GraphEditor(graph)
    for old, new in new_names.items():
        editor.tensors[new] = replace(editor.tensors.pop(old), name=new)
    editor.nodes = [
        replace(
            node,
            inputs=tuple(new_names.get(name, name) for name in node.inputs),
            outputs=tuple(new_names.get(name, name) for name in node.outputs),
        )
        for node in editor.nodes
    ]
    return editor.build(), True


def _free_stem(name: str, node: Node, taken: set[str]) -> str | None:
    """The shortest name that is left when suffixes are taken off, if any is free."""
    found = None
    stem, _, suffix = name.rpartition("/")
    while stem and (suffix in _SUFFIXES or suffix == node.op.value.lower()):
        found = stem if stem not in taken else found
        stem, _, suffix = stem.rpartition("/")
    return found


_SUFFIXES = frozenset({"moved", "reshaped", "tokens"})
