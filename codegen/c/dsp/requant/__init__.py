"""How a DSP kernel turns an int32 accumulator into an int8 code, in as few cycles as is exact.

`reachable` bounds a layer's accumulators, `find_requant` finds the cheapest instructions that are
proven equal to the integer reference within these bounds, `emit_short` and `emit_generic` write
them.
"""

from tinyflow.codegen.c.dsp.requant.emit import emit_generic, emit_saturation, emit_short
from tinyflow.codegen.c.dsp.requant.generic import GenericRequant
from tinyflow.codegen.c.dsp.requant.reachable import code_bounds, reachable
from tinyflow.codegen.c.dsp.requant.saturation import Saturation
from tinyflow.codegen.c.dsp.requant.search import Problem, Requant, find_requant, search
from tinyflow.codegen.c.dsp.requant.short import ShortRequant, SignFix, SignWay

__all__ = [
    "GenericRequant",
    "Problem",
    "Requant",
    "Saturation",
    "ShortRequant",
    "SignFix",
    "SignWay",
    "code_bounds",
    "emit_generic",
    "emit_saturation",
    "emit_short",
    "find_requant",
    "reachable",
    "search",
]
