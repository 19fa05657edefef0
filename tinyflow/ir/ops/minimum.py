"""MINIMUM: the lesser of two elements, with broadcasting."""

from __future__ import annotations

import numpy as np

from tinyflow.ir.node import Op
from tinyflow.ir.ops.extremum import extremum

SPEC = extremum(Op.MINIMUM, np.minimum)
