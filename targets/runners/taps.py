"""Reads taps.bin: every row that every layer computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyflow.errors import ToolError
from tinyflow.ir import Graph, Op, Tensor
from tinyflow.targets.runners.records import as_tensor

HEADER_WORDS = 4
HEADER_BYTES = 4 * HEADER_WORDS


@dataclass(frozen=True)
class _Rows:
    """Where the rows of one call of a tap stand in an inference's records, and in its tensor."""

    tensor: str
    source: int
    target: int
    nbytes: int


class TapReader:
    """Gathers the taps of ``count`` inferences, which may come from several files.

    ``arrays`` holds [n, ...] by tensor. The number of a tap is the index of a node. Its rows are
    as wide as the build says, and come in as many bands as they were computed in.
    """

    def __init__(self, graph: Graph, count: int) -> None:
        # A reshape computes nothing: its result is its operand, which has a tap of its own.
        self._tensors: dict[int, Tensor] = {
            step: graph.result(node)
            for step, node in enumerate(graph.nodes)
            if node.op is not Op.RESHAPE
        }
        self._bytes = {
            t.name: np.zeros((count, t.nbytes), dtype=np.uint8) for t in self._tensors.values()
        }

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        return {t.name: as_tensor(self._bytes[t.name], t) for t in self._tensors.values()}

    def read(self, path: Path, start: int, count: int) -> None:
        """Takes in the file of the inferences ``start`` to ``start + count``. Raises
        `ToolError` where it is not what ``count`` equal inferences leave."""
        size = path.stat().st_size
        if size == 0 and not self._tensors:
            return
        if size == 0 or size % count:
            raise ToolError(f"the taps of {count} inferences make {size} bytes: they differ")
        records = np.memmap(path, dtype=np.uint8, mode="r", shape=(count, size // count))
        for rows, header in self._layout(records[0]):
            if not (records[:, rows.source - HEADER_BYTES : rows.source] == header).all():
                raise ToolError(f"the taps of '{rows.tensor}' differ between inferences")
            target = self._bytes[rows.tensor][start : start + count]
            target[:, rows.target : rows.target + rows.nbytes] = records[
                :, rows.source : rows.source + rows.nbytes
            ]

    def _layout(self, record: np.ndarray) -> list[tuple[_Rows, np.ndarray]]:
        """The calls of one inference, each with its header's bytes."""
        calls = []
        seen = {t.name: np.zeros(t.nbytes, dtype=bool) for t in self._tensors.values()}
        at = 0
        while at < len(record):
            header = np.array(record[at : at + HEADER_BYTES])
            if len(header) < HEADER_BYTES:
                raise ToolError("the taps end within a header")
            step, first, last, nbytes = (int(word) for word in header.view("<u4"))
            tensor = self._tensors.get(step)
            if tensor is None or last <= first or at + HEADER_BYTES + nbytes > len(record):
                raise ToolError(f"the tap of step {step} for the rows {first} to {last} is broken")
            target = first * (nbytes // (last - first))
            covered = seen[tensor.name][target : target + nbytes]
            if len(covered) != nbytes or covered.any():
                raise ToolError(f"the taps of '{tensor.name}' overlap or exceed its {tensor}")
            covered[:] = True
            calls.append((_Rows(tensor.name, at + HEADER_BYTES, target, nbytes), header))
            at += HEADER_BYTES + nbytes
        missing = [name for name, covered in seen.items() if not covered.all()]
        if missing:
            raise ToolError(f"the taps do not show all of '{missing[0]}'")
        return calls
