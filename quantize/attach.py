"""Attaches to every node the integers that its kernel needs: multipliers, tables, ranges."""

from __future__ import annotations

from dataclasses import replace

from tinyflow.errors import Obstacle, UnsupportedError
from tinyflow.ir import OPS, DType, Graph, IntegerForm, Node, Op, Rounding, Tensor, check_graph
from tinyflow.quantize.forms import FLOAT_ONLY, FORMS
from tinyflow.quantize.site import NoIntegerFormError, Site

_CONSTANTS = {DType.INT8, DType.INT32}
_FURTHER_TYPES = {Op.QUANTIZE: (DType.UINT8,), Op.SOFTMAX: (DType.INT16,)}
"""Of activations; of a SOFTMAX only the output."""


def attach_integers(graph: Graph, rounding: Rounding = Rounding.DOUBLE) -> Graph:
    """The graph with ``integer`` on every node and its rounding set.

    Every tensor must carry `QuantParams` and an integer type: int8 for activations and weights
    (uint8 only next to a QUANTIZE, int16 behind a SOFTMAX), int32 for biases; constants that only
    go into the integers (``real_constants``) are float32. Raises `UnsupportedError`, which lists
    every layer that has no integer form.
    """
    nodes = []
    obstacles = []
    for node in graph.nodes:
        site = Site.of(graph, node, rounding)
        try:
            nodes.append(replace(node, integer=_form(site)))
        except NoIntegerFormError as error:
            obstacles.append(Obstacle(node.name, str(error)))
    if obstacles:
        raise UnsupportedError(obstacles)
    result = replace(graph, nodes=tuple(nodes), rounding=rounding)
    check_graph(result, "attaching integers")
    return result


def _form(site: Site) -> IntegerForm:
    if site.node.op in FLOAT_ONLY:
        raise NoIntegerFormError(FLOAT_ONLY[site.node.op])
    for tensor in (*site.operands, site.result):
        if not (tensor.is_constant and OPS[site.node.op].real_constants):
            _check_tensor(site.node, tensor)
    if OPS[site.node.op].same_params:
        _check_same(site)
    return FORMS[site.node.op](site)


def _check_tensor(node: Node, tensor: Tensor) -> None:
    if tensor.quant is None:
        raise NoIntegerFormError(f"its tensor '{tensor.name}' is not quantized")
    further = _FURTHER_TYPES.get(node.op, ())
    allowed = _CONSTANTS if tensor.is_constant else {DType.INT8, *further}
    if tensor.dtype not in allowed:
        names = " or ".join(sorted(d.value for d in allowed))
        raise NoIntegerFormError(
            f"its tensor '{tensor.name}' is {tensor.dtype.value}, {names} is possible"
        )
    if not tensor.is_constant and tensor.quant.axis is not None:
        raise NoIntegerFormError(f"its tensor '{tensor.name}' has more than one scale")


def _check_same(site: Site) -> None:
    wanted = site.result.params
    for tensor in site.operands:
        params = tensor.params
        if (params.scales, params.zero_points) != (wanted.scales, wanted.zero_points):
            raise NoIntegerFormError(
                f"{site.node.op.value} keeps codes as they are, but its input '{tensor.name}' has "
                f"scale {params.scales[0]:g} and zero point {params.zero_points[0]}, its output "
                f"{wanted.scales[0]:g} and {wanted.zero_points[0]}"
            )
