"""The arena of a project, found by letting the interpreter plan it."""

from __future__ import annotations

from dataclasses import dataclass

from tinyflow.codegen.schedule.alignment import align
from tinyflow.codegen.tflite.custom.operator import BoundNode
from tinyflow.codegen.tflite.file import TfliteFile
from tinyflow.codegen.tflite.project.stand_in import stand_in
from tinyflow.ir import Graph
from tinyflow.targets.tflite_micro import least_arenas

_POINTER = 8
_STATE_WORDS = 8
"""Words that a custom operator keeps beside its options."""


@dataclass(frozen=True)
class Arena:
    """Bytes: of the arena, and of one in which no tensor takes the place of another."""

    nbytes: int
    keep_all_bytes: int


def find_arena(graph: Graph, file: TfliteFile, custom: dict[str, BoundNode]) -> Arena:
    """What the interpreter of the tflite-micro package needs, with the working memory that custom
    operators and CMSIS-NN ask for, and what custom operators keep. ``custom`` are the nodes with
    such an operator, by name.

    An upper bound: pointers are longer here than on a microcontroller. Raises
    `MissingExtraError`.
    """
    scratch: dict[int, int] = {}
    kept = 0
    for node in graph.nodes:
        if node.name in custom:
            options = custom[node.name].options
            scratch[file.indices[node.output]] = options.get("scratch", 0)
            kept += align(_POINTER * (len(options) + _STATE_WORDS))
    plain, keep_all = least_arenas(stand_in(file.data, scratch))
    return Arena(plain + kept, keep_all + kept)
