"""Models that end in the index of their largest output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.compiled import Job, compile_and_run
from tests.support.graphs import GraphBuilder
from tinyflow.codegen.schedule import make_schedule
from tinyflow.errors import UnsupportedError
from tinyflow.ir import DType, Graph, Op
from tinyflow.ir.ops.argmax import ArgmaxAttrs
from tinyflow.ir.ops.conv2d import Conv2DAttrs
from tinyflow.quantize import quantize_model, run_reference


def segmenter(classes: int) -> Graph:
    """Logits of each pixel, and their largest one's index."""
    b = GraphBuilder()
    x = b.input("x", (1, 4, 5, 3))
    logits = b.node(Op.CONV_2D, [x, b.random("w", (classes, 1, 1, 3))], Conv2DAttrs())
    return b.build(b.node(Op.ARGMAX, [logits], ArgmaxAttrs()))


@pytest.fixture
def samples() -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(0).normal(size=(40, 4, 5, 3)).astype(np.float32)}


@pytest.mark.parametrize(("classes", "dtype"), [(7, DType.UINT8), (300, DType.INT16)])
def test_indices_are_those_of_the_largest_codes(
    classes: int, dtype: DType, samples: dict[str, np.ndarray], tmp_path: Path
) -> None:
    graph = segmenter(classes)
    integers = quantize_model(graph, samples)
    assert integers.outputs == graph.outputs
    (label,) = [node for node in integers.nodes if node.op is Op.ARGMAX]
    assert integers.result(label).dtype is dtype
    codes = integers.tensors["x"].params.quantize(samples["x"], DType.INT8)
    seen: dict[str, np.ndarray] = {}
    outputs = run_reference(integers, {"x": codes}, seen.__setitem__)
    wanted = seen[label.inputs[0]].argmax(axis=-1, keepdims=True)
    np.testing.assert_array_equal(outputs[label.output], wanted)
    assert len(np.unique(wanted)) > 3
    job = Job(make_schedule(integers), {"x": codes})
    (result,) = compile_and_run([job], tmp_path, ("-O1",))
    np.testing.assert_array_equal(result.outputs[label.output], wanted)


def test_an_index_that_is_computed_with_is_refused(samples: dict[str, np.ndarray]) -> None:
    b = GraphBuilder()
    x = b.input("x", (1, 4, 5, 3))
    index = b.node(Op.ARGMAX, [x], ArgmaxAttrs())
    graph = b.build(b.node(Op.ABS, [index]))
    with pytest.raises(UnsupportedError, match="nothing but an output of the model"):
        quantize_model(graph, samples)
