"""The files of a bundle that make an application of the model: app/, board/, CMakeLists.txt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files

from tinyflow.ir import Graph, Rounding
from tinyflow.targets.flags import (
    BALANCED,
    COMPILE_FLAGS,
    LIBRARIES,
    LINK_FLAGS,
    LINUX_LINK_FLAGS,
    OPTIMIZE_FLAGS,
    SANITIZE_FLAGS,
    SINGLE_ROUNDING,
)
from tinyflow.targets.model import Board, System, Target

_APP = (
    "harness.c",
    "platform.h",
    "platform_host.c",
    "profile.c",
    "profile.h",
    "self_test.c",
)
_CORTEX_M = ("platform_semihosting.c", "sections.ld", "startup.c")


def app_files(
    name: str, graph: Graph, target: Target, optimize: str = BALANCED
) -> dict[str, bytes]:
    """Contents by path in the bundle, for a model of C sources whose C name is ``name``."""
    values = {
        "FLAGS": " ".join([*COMPILE_FLAGS, OPTIMIZE_FLAGS[optimize]]),
        "LIBRARIES": " ".join(LIBRARIES),
        "SANITIZE_FLAGS": " ".join(SANITIZE_FLAGS),
        "CORE_FLAGS": " ".join(target.flags),
        "TITLE": target.title,
    }
    template = ("linux" if target.system is System.LINUX else "app", "CMakeLists.txt")
    return {
        **application_files(name, graph, target),
        "app/latency.c": _resource("app", "latency.c"),
        "CMakeLists.txt": fill_in(template, name, target, values),
    }


def tflite_micro_files(
    name: str, graph: Graph, target: Target, optimize: str = BALANCED
) -> dict[str, bytes]:
    """The same for a model that runs in TensorFlow Lite Micro."""
    single = graph.rounding is Rounding.SINGLE
    values = {
        "OPTIMIZE": OPTIMIZE_FLAGS[optimize],
        "DEFINITIONS": " ".join(SINGLE_ROUNDING if single else ()),
    }
    runtime = ("tflite_micro.cmake", "cmsis_nn.cmake")
    return {
        **application_files(name, graph, target),
        **{f"cmake/{file}": _resource("tflite_micro", file) for file in runtime},
        "CMakeLists.txt": fill_in(("tflite_micro", "CMakeLists.txt"), name, target, values),
    }


def application_files(name: str, graph: Graph, target: Target) -> dict[str, bytes]:
    """What stands around a model's C API, whatever computes behind it."""
    contents = {f"app/{file}": _resource("app", file) for file in _APP}
    contents["app/harness_model.h"] = _model_header(name, graph).encode()
    for board in target.boards:
        for file in _CORTEX_M:
            contents[f"board/cortex-m/{file}"] = _resource("boards", "cortex-m", file)
        contents[f"board/{board.name}/memory.ld"] = _memory_script(board).encode()
        contents[f"board/{board.name}/toolchain.cmake"] = _toolchain(target, board).encode()
    if target.system is System.LINUX:
        contents["board/linux/toolchain.cmake"] = _linux_toolchain(target).encode()
    return contents


def _resource(*parts: str) -> bytes:
    return files("tinyflow.firmware").joinpath(*parts).read_bytes()


def _model_header(name: str, graph: Graph) -> str:
    """The model's C API under names that do not depend on the model."""
    upper = name.upper()
    ends = (("input", "", len(graph.inputs)), ("output", "const ", len(graph.outputs)))
    lines = [
        f"/* The C API of {name} under the names that the harness uses. */",
        "#ifndef TINYFLOW_HARNESS_MODEL_H",
        "#define TINYFLOW_HARNESS_MODEL_H",
        "",
        f'#include "{name}.h"',
        "",
        f"typedef {name}_t tinyflow_model_t;",
        "",
        f"#define TINYFLOW_MODEL_ARENA_SIZE {upper}_ARENA_SIZE",
        f"#define TINYFLOW_MODEL_INPUT_COUNT {len(graph.inputs)}u",
        f"#define TINYFLOW_MODEL_OUTPUT_COUNT {len(graph.outputs)}u",
        f"#define tinyflow_model_init {name}_init",
        f"#define tinyflow_model_run {name}_run",
    ]
    for kind, const, count in ends:
        getters = [f"{name}_{kind}_{i}(net)" for i in range(count)]
        sizes = [f"{upper}_{kind.upper()}_{i}_BYTES" for i in range(count)]
        model = f"{const}tinyflow_model_t *net"
        pointer = f"static inline {const}void *tinyflow_model_{kind}({model}, size_t index)"
        size = f"static inline size_t tinyflow_model_{kind}_bytes(size_t index)"
        lines += ["", *_selector(pointer, getters), "", *_selector(size, sizes)]
    return "\n".join([*lines, "", "#endif", ""])


def _selector(signature: str, values: Sequence[str]) -> list[str]:
    """A function that returns the value at ``index``, the last one beyond the end."""
    cases = [f"    case {i}u:\n        return {value};" for i, value in enumerate(values[:-1])]
    default = f"    default:\n        return {values[-1]};"
    return [signature, "{", "    switch (index) {", *cases, default, "    }", "}"]


def _memory_script(board: Board) -> str:
    regions = {"FLASH": ("rx", board.flash), "RAM": ("rw", board.ram)}
    aliases = ['REGION_ALIAS("CONSTANTS", FLASH)', ""]
    if board.constants is not None:
        regions["CONSTANTS"] = ("r", board.constants)
        aliases = []
    lines = [
        f"    {name} ({mode}) : ORIGIN = {region.origin:#010x}, LENGTH = {region.nbytes}"
        for name, (mode, region) in regions.items()
    ]
    return "\n".join(
        [
            f"/* {board.title} */",
            "MEMORY",
            "{",
            *lines,
            "}",
            "",
            *aliases,
            "INCLUDE sections.ld",
            "",
        ]
    )


def _toolchain(target: Target, board: Board) -> str:
    return f"""# {board.title}, compiled for {target.title}
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER {target.compiler})
set(CMAKE_CXX_COMPILER {target.compiler.removesuffix("gcc")}g++)
set(CMAKE_ASM_COMPILER {target.compiler})
set(CMAKE_C_FLAGS_INIT "{" ".join(target.flags)}")
set(CMAKE_CXX_FLAGS_INIT "{" ".join(target.flags)}")
set(CMAKE_ASM_FLAGS_INIT "{" ".join(target.flags)}")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(TINYFLOW_BOARD_DIR ${{CMAKE_CURRENT_LIST_DIR}})
"""


def _linux_toolchain(target: Target) -> str:
    return f"""# {target.title}
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER {target.compiler})
set(CMAKE_ASM_COMPILER {target.compiler})
set(CMAKE_EXE_LINKER_FLAGS_INIT "{" ".join(LINUX_LINK_FLAGS)}")
"""


def fill_in(
    template: tuple[str, str], name: str, target: Target, further: Mapping[str, str]
) -> bytes:
    """A CMakeLists.txt with its placeholders replaced."""
    hint = ""
    if target.board is not None:
        toolchain = f"board/{target.board.name}/toolchain.cmake"
        hint = f"""# and as firmware for {target.board.title}:
#     cmake -B build-firmware -DCMAKE_TOOLCHAIN_FILE={toolchain}
#     cmake --build build-firmware
"""
    values = {
        "NAME": name,
        "FIRMWARE_HINT": hint,
        "LINK_FLAGS": " ".join(LINK_FLAGS),
        **further,
    }
    text = _resource(*template).decode()
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text.encode()
