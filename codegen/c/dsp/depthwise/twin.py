"""The constants of the blocks for their definitions in C."""

from __future__ import annotations

from collections.abc import Mapping

from tinyflow.codegen.c.dsp.depthwise.finish import Finish
from tinyflow.codegen.c.dsp.depthwise.gather import Gather
from tinyflow.codegen.c.dsp.depthwise.plan import POINT_BYTES
from tinyflow.codegen.c.dsp.depthwise.sweep import Sweep
from tinyflow.codegen.c.dsp.requant import GenericRequant, Saturation, ShortRequant
from tinyflow.ir import Rounding

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
        f"tinyflow_depthwise_gather_4(&(const tinyflow_depthwise_image){_literal(image)}, "
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
        f"tinyflow_depthwise_sweep_{kind}(&(const tinyflow_depthwise_sweep){_literal(fields)}, "
        f"&(const tinyflow_depthwise_{kind}){_literal(requant)}, "
        "out, planes, stream, lines, channels);"
    )


def _literal(fields: Fields) -> str:
    return "{" + ", ".join(f".{name} = {value}" for name, value in fields.items()) + "}"


def _requant(finish: Finish) -> tuple[str, Fields]:
    form = finish.requant
    if isinstance(form, GenericRequant):
        common = form.common_left
        return "generic", {
            "left_of_all": -1 if common is None else common,
            "form": _generic_literal(form),
        }
    return "short", {
        "is_common": int(finish.common is not None),
        "constant": finish.common or 0,
        "is_mirrored": int("mirror" in finish.tables),
        "form": _short_literal(form),
    }


def _short_literal(form: ShortRequant) -> str:
    sign = form.sign
    return _literal(
        {
            "lift": form.lift,
            "rounded": int(form.rounded),
            "shift": form.shift,
            "sign": f"TINYFLOW_SIGN_{'NONE' if sign is None else sign.way.name}",
            "bits": 0 if sign is None else sign.bits,
            "saturation": _saturation_literal(form.saturation),
        }
    )


def _generic_literal(form: GenericRequant) -> str:
    return _literal(
        {
            "held": form.register_shift,
            "wide": int(form.wide),
            "by_sign": int(form.rounding is Rounding.DOUBLE),
            "zero": form.zero - form.saturation.base,
            "saturation": _saturation_literal(form.saturation),
        }
    )


def _saturation_literal(way: Saturation) -> str:
    lowest = -(1 << (way.bits - 1)) if way.signed else 0
    first, second = way.offsets
    return _literal(
        {
            "lowest": lowest,
            "highest": lowest + (1 << way.bits) - 1,
            "offset": first,
            "again": int(way.upper is not None),
            "last": second,
        }
    )
