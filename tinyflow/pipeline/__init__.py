"""From a model file to a bundle: what the command line and the Python API call."""

from tinyflow.pipeline.check import check_model
from tinyflow.pipeline.flow import compile, compile_model
from tinyflow.pipeline.quantize_file import quantize_file

__all__ = ["check_model", "compile", "compile_model", "quantize_file"]
