"""Custom operators of the .tflite file, and their kernels for TensorFlow Lite Micro."""

from tinyflow.codegen.tflite.custom.operator import CustomOperator, custom_operator

__all__ = ["CustomOperator", "custom_operator"]
