"""Element types of tensors."""

from enum import Enum

import numpy as np


class DType(Enum):
    """An element type; the value is NumPy's name for it.

    FLOAT64 is for checks of float graphs: passes keep it, no model file leads to it.
    """

    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT16 = "float16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"

    @property
    def numpy(self) -> np.dtype:
        return np.dtype(self.value)

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return int(self.numpy.itemsize)

    @property
    def is_integer(self) -> bool:
        return self.numpy.kind in "iu"

    @property
    def c_type(self) -> str:
        """The C99 type, as in ``<stdint.h>``."""
        return _C_FLOATS.get(self.value, f"{self.value}_t")


_C_FLOATS = {"float32": "float", "float64": "double"}
