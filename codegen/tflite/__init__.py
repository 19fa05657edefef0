"""The TFLite backend: a quantized graph as a .tflite file."""

from tinyflow.codegen.tflite.file import OperatorUse, TfliteFile
from tinyflow.codegen.tflite.write import write_tflite

__all__ = ["OperatorUse", "TfliteFile", "write_tflite"]
