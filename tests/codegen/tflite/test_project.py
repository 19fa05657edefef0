"""The C++ project around a .tflite file."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tflite_micro")

from tests.support.graphs import GraphBuilder
from tests.support.random_graphs import ALL_OPS, random_graph
from tests.support.tflm_bundles import NAME, project_of
from tinyflow.codegen.tflite import write_tflite
from tinyflow.codegen.tflite.custom.operator import bind_node
from tinyflow.codegen.tflite.project import arena, make
from tinyflow.codegen.tflite.project.cmsis_nn import BuiltinUse, scratch_bytes
from tinyflow.codegen.tflite.project.registrations import Registration
from tinyflow.codegen.tflite.project.stand_in import stand_in
from tinyflow.errors import ToolError
from tinyflow.ir import Clamp, DType, Graph, Op, QuantParams, Rounding
from tinyflow.ir.ops.matmul import MatmulAttrs
from tinyflow.ir.ops.pool import PoolAttrs
from tinyflow.quantize.attach import attach_integers
from tinyflow.targets.tflite_micro import GRANULE, least_arenas, open_interpreter

SEEDS = range(40)


def graphs(custom: bool) -> list[Graph]:
    """Some with custom operators, or some without."""
    found = [random_graph(seed, ALL_OPS, 5) for seed in SEEDS]
    return [graph for graph in found if bool(write_tflite(graph).custom) is custom]


def text(graph: Graph, path: str) -> str:
    return project_of(graph).files[path].decode()


@pytest.fixture
def arena_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what does not depend on it: the search takes a second."""
    monkeypatch.setattr(make, "find_arena", lambda *_: arena.Arena(4096, 8192))


@pytest.mark.usefixtures("arena_is_known")
def test_the_resolver_has_the_operators_of_the_model_and_no_other() -> None:
    for graph in graphs(custom=True)[:8] + graphs(custom=False)[:2]:
        operators = write_tflite(graph).operators
        code = text(graph, f"src/{NAME}.cc")
        assert f"MicroMutableOpResolver<{len(operators)}>" in code
        builtin = re.findall(r"resolver\.(Add\w+)\(\)", code)
        assert builtin == [Registration(u.name, False).method for u in operators if not u.custom]
        custom = re.findall(r'resolver\.AddCustom\("(\w+)"', code)
        assert custom == [u.name for u in operators if u.custom]


@pytest.mark.parametrize(
    ("operator", "method"),
    [
        ("ADD", "AddAdd"),
        ("ARG_MAX", "AddArgMax"),
        ("CONV_2D", "AddConv2D"),
        ("L2_NORMALIZATION", "AddL2Normalization"),
        ("PADV2", "AddPadV2"),
        ("RELU6", "AddRelu6"),
        ("RESIZE_NEAREST_NEIGHBOR", "AddResizeNearestNeighbor"),
        ("TRANSPOSE_CONV", "AddTransposeConv"),
    ],
)
def test_methods_are_spelt_as_the_interpreter_does(operator: str, method: str) -> None:
    assert Registration(operator, False).method == method


def test_the_arena_is_what_the_interpreter_needs() -> None:
    """The package's own arena may begin at any address."""
    alignment = 16
    for graph in graphs(custom=False)[:3]:
        data, found = write_tflite(graph).data, project_of(graph).arena
        open_interpreter(data, found.nbytes + alignment)
        open_interpreter(data, found.keep_all_bytes + alignment, keep_all=True)


def test_the_arena_is_not_larger_than_that(tmp_path: Path) -> None:
    """In a process of its own: some allocations that fail end it."""
    data = write_tflite(random_graph(3, (Op.CONV_2D,), 1)).data
    (tmp_path / "model.tflite").write_bytes(data)
    least = least_arenas(data)[0]
    for nbytes, fits in ((least + 16, True), (least - 2 * GRANULE, False)):
        code = f"open_interpreter(open('model.tflite', 'rb').read(), {nbytes})"
        code = f"from tinyflow.targets.tflite_micro import open_interpreter; {code}"
        command = [sys.executable, "-c", code]
        answer = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        assert (answer.returncode == 0) is fits


def test_a_stand_in_plans_the_memory_of_custom_operators() -> None:
    graph = random_graph(1, (Op.ATTENTION,), 1)
    file = write_tflite(graph)
    node = next(node for node in graph.nodes if node.op is Op.ATTENTION)
    index, scratch = file.indices[node.output], bind_node(graph, node).options["scratch"]
    assert scratch > 0
    with pytest.raises(ToolError):
        least_arenas(file.data)
    least = least_arenas(stand_in(file.data, {}))[0]
    live = sum(graph.tensors[name].nbytes for name in (*node.inputs, node.output))
    assert least > live
    assert least_arenas(stand_in(file.data, {index: 10_000}))[0] >= live + 10_000
    assert project_of(graph).arena.nbytes >= least_arenas(stand_in(file.data, {index: scratch}))[0]


def test_memory_for_cmsis_nn_is_in_the_arena(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = random_graph(3, (Op.CONV_2D,), 1)
    least = project_of(graph).arena.nbytes
    monkeypatch.setattr(f"{stand_in.__module__}.scratch_bytes", lambda use: 5_000)
    assert least <= least_arenas(write_tflite(graph).data)[0] + 2_000
    assert project_of(graph).arena.nbytes > least + 2_000


def test_memory_for_cmsis_nn_goes_with_the_operator_that_takes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A layer may be several operators: here its clamp follows it."""
    b = GraphBuilder()
    quant = QuantParams.per_tensor(0.05, 3)
    x = b.input("x", (1, 8, 8, 6), DType.INT8, quant)
    attrs = MatmulAttrs(transpose_b=True)
    scores = b.node(Op.MATMUL, [x, x], attrs, "scores", quant)
    pool = PoolAttrs((2, 2), (2, 2), clamp=Clamp(0.4, 2.0))
    graph = attach_integers(b.build(b.node(Op.AVERAGE_POOL, [scores], pool, "pool", quant)))
    asked: list[BuiltinUse] = []
    monkeypatch.setattr(
        f"{stand_in.__module__}.scratch_bytes", lambda use: asked.append(use) or scratch_bytes(use)
    )
    stand_in(write_tflite(graph).data, {})
    assert [(use.name, use.result, scratch_bytes(use)) for use in asked] == [
        ("BATCH_MATMUL", (1, 8, 8, 8), 2 * 8 * 8 * 6 + 4 * 8),
        ("AVERAGE_POOL_2D", (1, 4, 4, 8), 4 * 8),
        ("MAXIMUM", (1, 4, 4, 8), 0),
        ("MINIMUM", (1, 4, 4, 8), 0),
    ]
    assert asked[1].strides == (2, 2)


@pytest.mark.usefixtures("arena_is_known")
@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@pytest.mark.parametrize("most_text", [0, 1 << 20])
def test_the_model_array_is_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_text: int
) -> None:
    monkeypatch.setattr(make, "_TEXT_BYTES", most_text)
    graph = random_graph(3, (Op.CONV_2D,), 1)
    for path, contents in project_of(graph).files.items():
        (tmp_path / Path(path).name).write_bytes(contents)
    source, library = tmp_path / f"{NAME}_model.c", tmp_path / "model.so"
    assert (".incbin" in source.read_text()) is (most_text == 0)
    command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*command, f"-I{tmp_path}", source, "-o", library], check=True)
    data = write_tflite(graph, NAME).data
    array = (ctypes.c_ubyte * len(data)).in_dll(ctypes.CDLL(str(library)), f"{NAME}_model")
    assert bytes(array) == data
    assert ctypes.addressof(array) % 16 == 0


@pytest.mark.usefixtures("arena_is_known")
def test_single_rounding_reaches_the_kernels() -> None:
    for rounding in Rounding:
        graph = random_graph(0, (Op.LAYER_NORM,), 1, rounding)
        code = text(graph, "src/layer_norm_s8_operator.c")
        assert ("TINYFLOW_SINGLE_ROUNDING" in code) is (rounding is Rounding.SINGLE)


def test_equal_graphs_give_equal_files() -> None:
    graph = graphs(custom=True)[0]
    assert project_of(graph).files == project_of(graph).files
