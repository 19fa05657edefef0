"""The C backend: portable C99 for Cortex-M, Cortex-A and the host."""

from tinyflow.codegen.c.constraints import find_obstacles
from tinyflow.codegen.c.emit import generate
from tinyflow.codegen.c.plan import Plan, plan_model
from tinyflow.codegen.c.sources import (
    CodegenOptions,
    CSources,
    Feature,
    Goal,
    LayerInfo,
    features_of,
)
from tinyflow.codegen.c.variants import (
    Choices,
    Cost,
    Costs,
    Variant,
    choose_variants,
    demands_of,
    table_for,
    variants_of,
)

__all__ = [
    "CSources",
    "Choices",
    "CodegenOptions",
    "Cost",
    "Costs",
    "Feature",
    "Goal",
    "LayerInfo",
    "Plan",
    "Variant",
    "choose_variants",
    "demands_of",
    "features_of",
    "find_obstacles",
    "generate",
    "plan_model",
    "table_for",
    "variants_of",
]
