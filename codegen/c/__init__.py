"""The C backend: portable C99 for Cortex-M, Cortex-A and the host."""

from tinyflow.codegen.c.constraints import find_obstacles
from tinyflow.codegen.c.emit import generate
from tinyflow.codegen.c.sources import CodegenOptions, CSources, Feature, Goal, LayerInfo
from tinyflow.codegen.c.variants import Choices, Variant, choose_variants, demands_of

__all__ = [
    "CSources",
    "Choices",
    "CodegenOptions",
    "Feature",
    "Goal",
    "LayerInfo",
    "Variant",
    "choose_variants",
    "demands_of",
    "find_obstacles",
    "generate",
]
