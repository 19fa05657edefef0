"""Builds a bundle whose model runs in TensorFlow Lite Micro, by its own CMakeLists.txt."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tinyflow.errors import ToolError
from tinyflow.targets.model import Board
from tinyflow.targets.tools import call, find_program

DIRECTORY = "TFLITE_MICRO_DIR"
CMSIS_NN = "CMSIS_NN_DIR"
LIBRARY = "TFLITE_MICRO_LIBRARY"
_MARK = Path("cmake/tflite_micro.cmake")
_PURPOSE = "building the bundle on TensorFlow Lite Micro"


@dataclass(frozen=True)
class Checkout:
    """Where the sources lie: ``tflite_micro`` is a checkout of that repository, ``cmsis_nn`` one
    of CMSIS-NN, without which the plain kernels compute. ``library`` was built from the former
    already, else it is built for each bundle."""

    tflite_micro: Path
    cmsis_nn: Path | None = None
    library: str | None = None

    @property
    def definitions(self) -> list[str]:
        """Options of CMake."""
        found = [f"-D{DIRECTORY}={self.tflite_micro}"]
        if self.cmsis_nn is None:
            found.append("-DTINYFLOW_CMSIS_NN=OFF")
        else:
            found += ["-DTINYFLOW_CMSIS_NN=ON", f"-D{CMSIS_NN}={self.cmsis_nn}"]
        if self.library is not None:
            found.append(f"-D{LIBRARY}={self.library}")
        return found


def needs_tflite_micro(bundle_dir: Path) -> bool:
    """Whether the bundle's model runs in TensorFlow Lite Micro."""
    return (bundle_dir / _MARK).is_file()


def find_checkout() -> Checkout | None:
    """What the environment names; None where it names nothing."""
    directory, cmsis_nn = os.environ.get(DIRECTORY), os.environ.get(CMSIS_NN)
    if not directory:
        return None
    return Checkout(
        Path(directory).resolve(),
        Path(cmsis_nn).resolve() if cmsis_nn else None,
        os.environ.get(LIBRARY) or None,
    )


def build_tflite_micro(
    bundle_dir: Path, output: Path, board: Board | None, verify: bool, application: str
) -> Path:
    """The linked program of an ``application``, harness or self_test: firmware for ``board``, or
    for this computer where that is None. Raises `ToolError`."""
    checkout = find_checkout()
    if checkout is None:
        raise ToolError(
            f"{_PURPOSE} needs its sources",
            f"set {DIRECTORY} to a checkout of tflite-micro, and {CMSIS_NN} to one of CMSIS-NN",
        )
    find_program("cmake", _PURPOSE)
    name = _model_name(bundle_dir)
    options = [*checkout.definitions, f"-DTINYFLOW_VERIFY={'ON' if verify else 'OFF'}"]
    suffix = ""
    if board is not None:
        options.append(f"-DCMAKE_TOOLCHAIN_FILE={bundle_dir}/board/{board.name}/toolchain.cmake")
        suffix = ".elf"
    target, program = _APPLICATIONS[application]
    with tempfile.TemporaryDirectory(prefix="tinyflow-build-") as folder:
        call(["cmake", "-S", str(bundle_dir), "-B", folder, *options], _PURPOSE, bundle_dir)
        jobs = str(os.cpu_count() or 1)
        call(["cmake", "--build", folder, "--target", target, "-j", jobs], _PURPOSE, bundle_dir)
        output.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(folder) / f"{name}{program}{suffix}", output)
    return output


_APPLICATIONS = {
    "harness": ("tinyflow_app", ""),
    "self_test": ("tinyflow_self_test", "_self_test"),
}
"""The target of CMakeLists.txt, and what its program's name ends with."""


def _model_name(bundle_dir: Path) -> str:
    (header,) = (bundle_dir / "include").glob("*.h")
    return header.stem
