"""Bundles on disk: written all at once or not at all, and read back."""

from tinyflow.bundle.layout import TFLITE
from tinyflow.bundle.read import Bundle, read_bundle
from tinyflow.bundle.stage import stage_bundle
from tinyflow.bundle.vectors import vector_files
from tinyflow.bundle.write import json_bytes, write_files

__all__ = [
    "TFLITE",
    "Bundle",
    "json_bytes",
    "read_bundle",
    "stage_bundle",
    "vector_files",
    "write_files",
]
