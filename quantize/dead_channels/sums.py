"""CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV_2D, FULLY_CONNECTED: layers with weights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyflow.ir import DType, Op, QuantParams, Tensor
from tinyflow.quantize.dead_channels.place import Mask, NewNode, Place, cut
from tinyflow.quantize.forms.accumulate import OUTPUT_AXIS
from tinyflow.quantize.site import Site


def _groups(site: Site) -> int:
    return int(getattr(site.node.attrs, "groups", 1))


def restrict_sums(place: Place) -> None:
    """Any output channel may go. An input channel goes if every output channel that stays can
    do without it. Groups go whole."""
    if _groups(place.site) > 1:
        _restrict_groups(place)
        return
    gone = place.input_gone
    gone &= np.all(place.folding.allowed[~place.result_gone], axis=0)


def _restrict_groups(place: Place) -> None:
    ins = place.input_gone.reshape(_groups(place.site), -1)
    outs = place.result_gone.reshape(_groups(place.site), -1)
    whole = np.all(ins, axis=1, keepdims=True) & np.all(outs, axis=1, keepdims=True)
    ins[:] = whole
    outs[:] = whole


def restrict_depthwise(place: Place) -> None:
    """An input channel goes with all the output channels that it feeds."""
    outs = place.result_gone.reshape(len(place.input_gone), -1)
    gone = place.input_gone
    gone &= np.all(outs, axis=1)
    outs[:] = gone[:, None]


def rewrite_sums(place: Place) -> NewNode:
    """Cuts weights, bias and multipliers; what constant inputs add goes into the bias."""
    site, out = place.site, place.result_gone
    node, axis = site.node, OUTPUT_AXIS[place.site.node.op]
    form: Any = node.integer
    attrs: Any = node.attrs
    weight = cut(site.operands[1], out, axis)
    bias = [cut(t, out, 0) for t in site.operands[2:]]
    if _groups(site) > 1:
        staying = int((~place.input_gone).sum()) // weight.shape[3]
        attrs = replace(attrs, groups=staying)
    elif node.op is not Op.DEPTHWISE_CONV_2D:
        weight = cut(weight, place.input_gone, len(weight.shape) - 1)
        bias = _folded(place, bias)
    form = replace(form, multiplier=form.multiplier[~out], shift=form.shift[~out])
    return NewNode([site.input, weight, *bias], attrs, form)


def _folded(place: Place, bias: list[Tensor]) -> list[Tensor]:
    site, gone = place.site, place.input_gone
    amount = place.folding.amount[~place.result_gone][:, gone].sum(axis=1)
    if not amount.any():
        return bias
    there = bias[0] if bias else _no_bias(site, place.result_gone)
    # What goes into the bias leaves the sums: the bounds that attaching integers has proven for
    # both together hold as before, so that 32 bits suffice.
    total = there.value.astype(np.int64) + amount
    assert np.abs(total).max() < 2**31
    return [replace(Tensor.constant(there.name, total.astype(np.int32)), quant=there.quant)]


def _no_bias(site: Site, gone: Mask) -> Tensor:
    """A bias of zeros, for a layer that has had none."""
    scales = np.asarray(site.operands[1].params.scales, dtype=np.float64)
    scales = np.broadcast_to(scales, gone.shape)[~gone] * site.input.params.scale
    # Scales only tell what the codes mean; a tiny one must not become 0.
    scales = np.maximum(scales, np.finfo(np.float32).tiny)
    quant = QuantParams.per_channel(scales, 0)
    data = np.zeros(len(scales), dtype=DType.INT32.numpy)
    return Tensor.constant(f"{site.node.name}/bias", data, quant)
