from __future__ import annotations

import pytest

from tests.support.graphs import GraphBuilder, assert_same_structure, assert_same_values
from tinyflow.ir import NO_CLAMP, RELU6, Clamp, DType, Op, QuantParams
from tinyflow.ir.ops.clamp import ClampAttrs
from tinyflow.ir.ops.mean import MeanAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.passes.global_pool_to_mean import global_pool_to_mean


def pooled(kernel=(6, 4), clamp: Clamp = NO_CLAMP, padding=((0, 0), (0, 0)), **quant):
    b = GraphBuilder()
    x = b.input("x", (1, 6, 4, 3), **quant)
    attrs = PoolAttrs(kernel=kernel, strides=(2, 2), padding=padding, clamp=clamp)
    return b.build(b.node(Op.AVERAGE_POOL, [x], attrs, "pool", quant=quant.get("quant")))


def test_whole_image_becomes_mean():
    before = pooled()
    after, changed = global_pool_to_mean(before)
    b = GraphBuilder()
    x = b.input("x", (1, 6, 4, 3))
    expected = b.build(b.node(Op.MEAN, [x], MeanAttrs((1, 2), keep_dims=True), "pool"))
    assert changed
    assert_same_structure(after, expected)
    assert_same_values(after, before)


def test_fused_activation_becomes_a_clamp_layer():
    before = pooled(clamp=RELU6)
    after, changed = global_pool_to_mean(before)
    assert changed
    assert [n.op for n in after.nodes] == [Op.MEAN, Op.CLAMP]
    assert after.nodes[1].attrs == ClampAttrs(RELU6)
    assert after.nodes[1].sources == ("pool",)
    assert after.outputs == before.outputs
    assert_same_values(after, before)


@pytest.mark.parametrize(
    "before",
    [
        pooled(kernel=(3, 4)),
        pooled(kernel=(6, 4), padding=((1, 0), (0, 0))),
        pooled(dtype=DType.INT8, quant=QuantParams.per_tensor(0.1, 3)),
    ],
    ids=["part of the image", "padded", "quantized"],
)
def test_others_stay(before):
    after, changed = global_pool_to_mean(before)
    assert not changed
    assert after is before
