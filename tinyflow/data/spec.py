"""What a model expects at each of its inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyflow.errors import DataError
from tinyflow.ir import DType, Graph, Shape

_IMAGE_CHANNELS = (1, 3)


@dataclass(frozen=True)
class InputSpec:
    """One input as the source model has it.

    ``shape`` is in the source model's layout, its leading batch axis is 1;
    ``stored = source.transpose(layout)``. ``codes`` is the integer type in which the source
    model takes this input; None for a float model, whose data are real numbers.
    """

    name: str
    shape: Shape
    layout: tuple[int, ...]
    codes: DType | None = None

    @property
    def channel_axis(self) -> int:
        """Which axis of the source layout counts colours."""
        rank = len(self.shape)
        if rank != 4:
            return rank - 1
        if self.layout == (0, 2, 3, 1):
            return 1
        if self.shape[3] not in _IMAGE_CHANNELS and self.shape[1] in _IMAGE_CHANNELS:
            return 1
        return 3

    @property
    def channels(self) -> int:
        return self.shape[self.channel_axis]

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the pictures that this input takes; `DataError` if it takes none."""
        if len(self.shape) != 4 or self.channels not in _IMAGE_CHANNELS:
            dims = "x".join(map(str, self.shape))
            raise DataError(
                f"input '{self.name}' has the shape {dims}, which is no picture",
                "give the data as an .npz file with the arrays x and y",
            )
        height, width = (self.shape[a] for a in range(1, 4) if a != self.channel_axis)
        return height, width

    def to_stored(self, array: np.ndarray) -> np.ndarray:
        """From the source layout to the graph's, contiguous."""
        return np.ascontiguousarray(array.transpose(self.layout))


def input_specs(graph: Graph) -> tuple[InputSpec, ...]:
    """The inputs of a model that is still in its source's number format."""
    return tuple(
        InputSpec(
            name,
            source_shape(graph, name),
            layout_of(graph, name),
            graph.tensors[name].dtype if graph.tensors[name].dtype.is_integer else None,
        )
        for name in graph.inputs
    )


def layout_of(graph: Graph, name: str) -> tuple[int, ...]:
    """The permutation from the source layout to the graph's; the identity where they agree."""
    return graph.layouts.get(name, tuple(range(len(graph.tensors[name].shape))))


def source_shape(graph: Graph, name: str) -> Shape:
    """The shape of an input or output as the source model has it."""
    shape = [1] * len(graph.tensors[name].shape)
    for axis, source_axis in enumerate(layout_of(graph, name)):
        shape[source_axis] = graph.tensors[name].shape[axis]
    return tuple(shape)


def to_source(graph: Graph, name: str, array: np.ndarray) -> np.ndarray:
    """From the graph's layout back to the source model's, contiguous; axis 0 is the batch."""
    return np.ascontiguousarray(array.transpose(np.argsort(layout_of(graph, name))))
