"""Programs that PT2E has quantized keep their scales."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pt2e = pytest.importorskip("torchao.quantization.pt2e.quantize_pt2e")

from torch import Tensor, nn  # noqa: E402
from torch.export import ExportedProgram  # noqa: E402
from torchao.quantization.pt2e import (  # noqa: E402
    HistogramObserver,
    MinMaxObserver,
    PerChannelMinMaxObserver,
)
from torchao.quantization.pt2e.quantizer import (  # noqa: E402
    QuantizationAnnotation,
    QuantizationSpec,
    Quantizer,
)

from tinyflow.errors import DataError, UnsupportedError  # noqa: E402
from tinyflow.importers import load_model  # noqa: E402
from tinyflow.importers.torch import import_program  # noqa: E402
from tinyflow.ir import Graph, Op, execute  # noqa: E402
from tinyflow.passes import run_passes  # noqa: E402
from tinyflow.pipeline.torch_models import object_graph  # noqa: E402
from tinyflow.quantize import quantize_model, run_reference  # noqa: E402

IMAGE = (1, 3, 8, 8)
CODES = {
    torch.uint8: QuantizationSpec(
        torch.uint8, HistogramObserver, 0, 255, torch.per_tensor_affine, is_dynamic=False
    ),
    torch.int8: QuantizationSpec(
        torch.int8, MinMaxObserver, -128, 127, torch.per_tensor_affine, is_dynamic=False
    ),
    "narrow": QuantizationSpec(
        torch.uint8, MinMaxObserver, 0, 127, torch.per_tensor_affine, is_dynamic=False
    ),
    torch.int16: QuantizationSpec(
        torch.int16, MinMaxObserver, -32768, 32767, torch.per_tensor_affine, is_dynamic=False
    ),
}
WEIGHT = QuantizationSpec(
    torch.int8, PerChannelMinMaxObserver, -127, 127, torch.per_channel_symmetric, ch_axis=0
)


class Everywhere(Quantizer):  # type: ignore[misc]
    """Quantizes the input, the weights, and the result of each layer; a ReLU belongs to the layer
    whose result it takes."""

    def __init__(self, codes: object) -> None:
        self.spec = CODES[codes]

    def annotate(self, model: torch.fx.GraphModule) -> torch.fx.GraphModule:
        for node in model.graph.nodes:
            if node.op != "call_function":
                continue
            readers = list(node.users)
            inner = len(readers) == 1 and readers[0].target is torch.ops.aten.relu.default
            inputs = {
                a: WEIGHT if "weight" in str(a.target) else self.spec
                for a in node.all_input_nodes
                if a.op == "placeholder" or "weight" in str(a.target)
            }
            node.meta["quantization_annotation"] = QuantizationAnnotation(
                input_qspec_map=inputs,
                output_qspec=None if inner else self.spec,
                _annotated=True,
            )
        return model

    def validate(self, model: torch.fx.GraphModule) -> None:
        pass


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.head = nn.Linear(8, 10)
        self.norm.running_mean.normal_()
        self.norm.running_var.uniform_(0.5, 2)

    def forward(self, image: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.first(image)))
        x = x + torch.relu(self.depthwise(x))
        x = nn.functional.max_pool2d(x, 2)
        return self.head(x.mean((2, 3)))


def images(count: int) -> Tensor:
    return torch.randn(count, *IMAGE[1:], generator=torch.Generator().manual_seed(count))


def quantized(quantizer: Quantizer) -> ExportedProgram:
    torch.manual_seed(0)
    example = (images(1),)
    prepared = pt2e.prepare_pt2e(torch.export.export(Net().eval(), example).module(), quantizer)
    for image in images(16):
        prepared(image[None])
    return torch.export.export(pt2e.convert_pt2e(prepared), example)


def scales_of(program: ExportedProgram) -> set[tuple[float, int]]:
    """Scale and int8 zero point of all activations."""
    found = set()
    for node in program.graph.nodes:
        if str(node.target) == "quantized_decomposed.quantize_per_tensor.default":
            _, scale, zero, _, _, dtype = node.args
            found.add((float(np.float32(scale)), zero - 128 * (dtype is torch.uint8)))
    return found


def run_quantized(graph: Graph, x: np.ndarray) -> np.ndarray:
    codes = graph.tensors["image"].params.quantize(x, graph.tensors["image"].dtype)
    (output,) = graph.outputs
    return graph.tensors[output].params.dequantize(run_reference(graph, {"image": codes})[output])


@pytest.mark.parametrize("codes", [torch.uint8, torch.int8, "narrow"], ids=str)
def test_scales_are_kept(codes: object) -> None:
    program = quantized(Everywhere(codes))
    canonical = run_passes(import_program(program))
    graph = quantize_model(canonical, None)
    assert [n.op for n in graph.nodes if n.op is not Op.CLAMP] == [
        Op.CONV_2D,
        Op.DEPTHWISE_CONV_2D,
        Op.ADD,
        Op.MAX_POOL,
        Op.MEAN,
        Op.FULLY_CONNECTED,
    ]
    assert {"first", "depthwise", "head"} <= {n.name for n in graph.nodes}
    params = [t.params for t in graph.tensors.values() if not t.is_constant]
    assert {(p.scale, p.zero_point) for p in params} == scales_of(program)
    weights = {
        node.name: graph.operands(node)[1] for node in graph.nodes if node.name in ("first", "head")
    }
    frozen = {k: v.numpy() for k, v in program.state_dict.items() if "frozen" in k}
    for weight in weights.values():
        stored = np.moveaxis(weight.value, -1, 1) if weight.value.ndim == 4 else weight.value
        assert any(np.array_equal(stored, codes) for codes in frozen.values())
    x = images(100).numpy()
    (name,) = canonical.outputs
    in_float = execute(canonical, {"image": x.transpose(0, 2, 3, 1)})[name]
    with torch.no_grad():
        wanted = torch.cat([program.module()(image[None]) for image in images(100)]).numpy()
    step = graph.tensors[name].params.scale
    assert np.abs(in_float - wanted).max() < 2.1 * step
    found = run_quantized(graph, x.transpose(0, 2, 3, 1))
    assert np.abs(found - wanted).max() < 4.1 * step
    assert np.mean(found.argmax(1) == wanted.argmax(1)) > 0.9


def test_what_the_program_leaves_in_float_is_calibrated(tmp_path: Path) -> None:
    x86 = pytest.importorskip("torchao.quantization.pt2e.quantizer.x86_inductor_quantizer")
    config = x86.get_default_x86_inductor_quantization_config()
    program = quantized(x86.X86InductorQuantizer().set_global(config))
    torch.export.save(program, tmp_path / "net.pt2")
    canonical = run_passes(load_model(tmp_path / "net.pt2"))
    with pytest.raises(DataError, match="'depthwise', 'add', 'max_pool2d', 'head'"):
        quantize_model(canonical, None)
    graph = quantize_model(canonical, {"image": images(16).numpy().transpose(0, 2, 3, 1)})
    params = [t.params for t in graph.tensors.values() if not t.is_constant]
    assert scales_of(program) < {(p.scale, p.zero_point) for p in params}


def test_modules_that_pt2e_has_made() -> None:
    """They count as in training mode, whatever they were traced in."""
    example = (images(1),)
    module = torch.export.export(Net().eval(), example).module()
    prepared = pt2e.prepare_pt2e(module, Everywhere(torch.int8))
    prepared(*example)
    graph = object_graph(pt2e.convert_pt2e(prepared), {"image": IMAGE}, "net")
    assert Op.FAKE_QUANT in {n.op for n in graph.nodes}


def test_16_bits_are_refused() -> None:
    with pytest.raises(UnsupportedError) as caught:
        import_program(quantized(Everywhere(torch.int16)))
    assert "an activation to int16" in caught.value.obstacles[0].reason


def test_a_program_that_is_not_converted_is_refused() -> None:
    x86 = pytest.importorskip("torchao.quantization.pt2e.quantizer.x86_inductor_quantizer")
    config = x86.get_default_x86_inductor_quantization_config(is_qat=True)
    quantizer = x86.X86InductorQuantizer().set_global(config)
    example = (images(1),)
    module = torch.export.export(Net(), example).module()
    prepared = pt2e.prepare_qat_pt2e(module, quantizer)
    prepared(images(1))
    with pytest.raises(UnsupportedError) as caught:
        import_program(torch.export.export(prepared, example))
    reasons = {o.layer: f"{o.reason} ({o.remedy})" for o in caught.value.obstacles}
    assert "training mode" in reasons["norm"]
    assert any("call convert_pt2e before the export" in reason for reason in reasons.values())
