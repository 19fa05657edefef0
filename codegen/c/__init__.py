"""The C backend: portable C99 for Cortex-M, Cortex-A and the host."""

from tinyflow.codegen.c.constraints import find_obstacles
from tinyflow.codegen.c.emit import generate
from tinyflow.codegen.c.sources import CodegenOptions, CSources, LayerInfo

__all__ = ["CSources", "CodegenOptions", "LayerInfo", "find_obstacles", "generate"]
