"""The constants of the blocks for their definitions in C."""

from __future__ import annotations

from collections.abc import Mapping

from tinyflow.codegen.c.dsp.depthwise.finish import Finish
from tinyflow.codegen.c.dsp.depthwise.gather import Gather
from tinyflow.codegen.c.dsp.depthwise.plan import POINT_BYTES
from tinyflow.codegen.c.dsp.depthwise.sweep import Sweep
from tinyflow.codegen.c.dsp.requant import GenericRequant
from tinyflow.codegen.c.dsp.requant.literal import braces, generic_literal, short_literal

Fields = Mapping[str, int | str]


def twin_of_gather(gather: Gather) -> str:
    """The C statement that computes what the block of a gathering does."""
    plan = gather.plan
    image: Fields = {
        "points": gather.points,
        "pad": plan.points.pad,
        "line_step": plan.lines.in_step,
        "point_step": plan.points.in_step,
        "line_size": plan.line_size,
        "plane_size": plan.plane_size,
    }
    return (
        f"tinyflow_depthwise_gather_4(&(const tinyflow_depthwise_image){braces(image)}, "
        "planes, in, lines);"
    )


def twin_of_sweep(sweep: Sweep, stream_step: int) -> str:
    """The C statement that computes what the block of a sweep does."""
    plan, finish = sweep.plan, sweep.finish
    fields: dict[str, int | str] = {
        "points": plan.points.out_size,
        "kernel_lines": plan.lines.kernel,
        "kernel_points": plan.points.kernel,
        "stride_lines": plan.lines.stride,
        "stride_points": plan.points.stride,
        "line_size": plan.line_size,
        "plane_step": plan.plane_step // POINT_BYTES,
        "out_line_step": plan.lines.out_step,
        "out_point_step": plan.points.out_step,
        "line_pairs": sweep.registers.pairs,
        "scaled": int(sweep.scaled),
        "stream_step": stream_step,
        "weight_words": stream_step - 1 - len(finish.tables),
    }
    kind, requant = _requant(finish)
    return (
        f"tinyflow_depthwise_sweep_{kind}(&(const tinyflow_depthwise_sweep){braces(fields)}, "
        f"&(const tinyflow_depthwise_{kind}){braces(requant)}, "
        "out, planes, stream, lines, channels);"
    )


def _requant(finish: Finish) -> tuple[str, Fields]:
    form = finish.requant
    if isinstance(form, GenericRequant):
        common = form.common_left
        return "generic", {
            "left_of_all": -1 if common is None else common,
            "form": generic_literal(form),
        }
    return "short", {
        "is_common": int(finish.common is not None),
        "constant": finish.common or 0,
        "is_mirrored": int("mirror" in finish.tables),
        "form": short_literal(form),
    }
