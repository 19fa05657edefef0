"""Gives tensors the source model's names back once the TRANSPOSEs that bore them are gone."""

from __future__ import annotations

from dataclasses import replace

from tinyflow.ir import Graph, GraphEditor


def reclaim_names(graph: Graph) -> tuple[Graph, bool]:
    """A tensor 'y/suffix' whose node also computed a source's 'y' becomes 'y' where that is free.

    Importers and this pass name a tensor in another layout after the one that it stands for.
    """
    new_names: dict[str, str] = {}
    taken = set(graph.tensors)
    for node in graph.nodes:
        for name in node.outputs:
            stem, _, suffix = name.rpartition("/")
            derived = suffix in _SUFFIXES or suffix == node.op.value.lower()
            if derived and stem and stem not in taken and name not in graph.outputs:
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


_SUFFIXES = frozenset({"mean", "moved", "runs"})
