"""Layers that run together, tile by tile, so that what flows between them is never stored whole."""

from tinyflow.codegen.c.fusion.build import Select, Step, build
from tinyflow.codegen.c.fusion.regions import Region, grow_regions, make_region
from tinyflow.codegen.c.fusion.search import find_steps, tiles_of

__all__ = [
    "Region",
    "Select",
    "Step",
    "build",
    "find_steps",
    "grow_regions",
    "make_region",
    "tiles_of",
]
