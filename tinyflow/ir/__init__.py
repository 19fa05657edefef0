"""The intermediate representation that every room shares."""

from tinyflow.ir.check import GraphError, check_graph, non_finite_constants
from tinyflow.ir.clamp import NO_CLAMP, RELU, RELU6, Clamp
from tinyflow.ir.dtype import DType
from tinyflow.ir.execute import batches, execute, execute_batched
from tinyflow.ir.graph import Graph, GraphEditor
from tinyflow.ir.integer import IntegerForm, Multiplier, Rounding
from tinyflow.ir.node import Attrs, Node, Op
from tinyflow.ir.ops import OPS, OpSpec, ShapeError
from tinyflow.ir.quant_params import QuantParams, round_half_away
from tinyflow.ir.tensor import Shape, Tensor, as_nhwc

__all__ = [
    "NO_CLAMP",
    "OPS",
    "RELU",
    "RELU6",
    "Attrs",
    "Clamp",
    "DType",
    "Graph",
    "GraphEditor",
    "GraphError",
    "IntegerForm",
    "Multiplier",
    "Node",
    "Op",
    "OpSpec",
    "QuantParams",
    "Rounding",
    "Shape",
    "ShapeError",
    "Tensor",
    "as_nhwc",
    "batches",
    "check_graph",
    "execute",
    "execute_batched",
    "non_finite_constants",
    "round_half_away",
]
