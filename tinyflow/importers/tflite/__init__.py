"""Imports .tflite models, float ones and int8 ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tinyflow.errors import ModelError
from tinyflow.importers.tflite.flatbuffer import parse
from tinyflow.importers.tflite.importer import Importer
from tinyflow.ir import Graph


def load(path: Path, shapes: Mapping[str, tuple[int, ...]] | None = None) -> Graph:
    """The graph of a .tflite file, at batch 1.

    ``shapes`` fixes the shapes of inputs, by name; those that the file leaves open must be given.
    The graph of an int8 file has integer tensors with their stored quantization; QUANTIZE and
    DEQUANTIZE at its boundary are left out, so that its inputs and outputs are integers too.
    Raises `ModelError` for an unsound file and `UnsupportedError` with all obstacles.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror})") from None
    return from_bytes(data, path.stem, str(path), shapes)


def from_bytes(
    data: bytes,
    name: str,
    origin: str | None = None,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> Graph:
    """As `load`, from memory; ``origin`` names the file in errors."""
    return Importer(parse(data, origin or name), name, shapes or {}).run()


__all__ = ["from_bytes", "load"]
