"""Values that flow between nodes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tinyflow.ir.dtype import DType
from tinyflow.ir.quant_params import QuantParams

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Tensor:
    """A named value: an activation, or a constant when ``data`` is there.

    ``shape`` is complete, the leading batch axis of an activation is 1. Images are NHWC.
    """

    name: str
    shape: Shape
    dtype: DType
    quant: QuantParams | None = None
    data: np.ndarray | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if any(not isinstance(d, int) or d < 1 for d in self.shape):
            raise ValueError(f"tensor '{self.name}' has the shape {self.shape}")
        if self.data is not None:
            if self.data.shape != self.shape or self.data.dtype != self.dtype.numpy:
                raise ValueError(
                    f"constant '{self.name}' is declared {self.dtype.value}{list(self.shape)} "
                    f"but holds {self.data.dtype}{list(self.data.shape)}"
                )
            self.data.setflags(write=False)

    @classmethod
    def constant(cls, name: str, data: np.ndarray, quant: QuantParams | None = None) -> Tensor:
        data = np.ascontiguousarray(data).reshape(data.shape)
        return cls(name, tuple(data.shape), DType(data.dtype.name), quant, data)

    @property
    def is_constant(self) -> bool:
        return self.data is not None

    @property
    def value(self) -> np.ndarray:
        """The data of a constant."""
        if self.data is None:
            raise ValueError(f"tensor '{self.name}' is not a constant")
        return self.data

    @property
    def params(self) -> QuantParams:
        """The quantization of a quantized tensor."""
        if self.quant is None:
            raise ValueError(f"tensor '{self.name}' is not quantized")
        return self.quant

    @property
    def elements(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        return self.elements * self.dtype.itemsize

    def __str__(self) -> str:
        dims = "x".join(map(str, self.shape)) or "scalar"
        text = f"{self.name}: {self.dtype.value}[{dims}]"
        if self.quant is not None and self.quant.axis is None:
            text += f" scale={self.quant.scale:.6g} zero={self.quant.zero_point}"
        elif self.quant is not None:
            text += f" scale=per-channel(axis {self.quant.axis})"
        return text


def as_nhwc(shape: Shape) -> tuple[int, int, int, int]:
    """How kernels see a tensor of rank 4 or less: rows are the second axis.

    Tokens [n, t, c] have t rows of one pixel; vectors [n, c] are one pixel.
    """
    if len(shape) == 4:
        return (shape[0], shape[1], shape[2], shape[3])
    if len(shape) == 3:
        return (shape[0], shape[1], 1, shape[2])
    if len(shape) == 2:
        return (shape[0], 1, 1, shape[1])
    if len(shape) <= 1:
        return (1, 1, 1, shape[0] if shape else 1)
    raise ValueError(f"a tensor of rank {len(shape)} has no NHWC form")
