"""How a layer is cut into planes, bands and passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tinyflow.codegen.c.dsp.depthwise.taps import line_macs, line_pairs
from tinyflow.ir import Graph, Node
from tinyflow.ir.ops.depthwise_conv2d import DepthwiseConv2DAttrs

GROUP = 4
"""Channels that are gathered at once: the bytes of a word."""

OUTPUTS = 4
"""Outputs of a full pass."""

POINT_BYTES = 2


@dataclass(frozen=True)
class Extent:
    """One axis of the image. ``in_step`` and ``out_step`` are bytes between its neighbours."""

    size: int
    out_size: int
    kernel: int
    stride: int
    pad: int
    in_step: int
    out_step: int


@dataclass(frozen=True)
class Plan:
    """The sweep of a plane: lines, each of points, in two-byte elements.

    A line is a row of the image, or, ``transposed``, a column. ``band`` is the number of output
    lines for which a plane holds the input. Each of the ``channels`` of the input feeds
    ``multiplier`` channels of the output.
    """

    lines: Extent
    points: Extent
    channels: int
    multiplier: int
    transposed: bool
    band: int

    @property
    def group(self) -> int:
        return min(GROUP, self.channels)

    @property
    def odd(self) -> bool:
        """Whether some windows start at an odd point."""
        return self.points.stride % 2 == 1 and self.points.out_size > 1

    @property
    def passes(self) -> int:
        """Full passes of a line."""
        return self.points.out_size // OUTPUTS

    @property
    def rest(self) -> int:
        """Outputs of the pass after the full ones."""
        return self.points.out_size % OUTPUTS

    @property
    def line_words(self) -> int:
        """Words of a plane's line, all that the passes load."""
        starts = [(i * OUTPUTS, OUTPUTS) for i in range(self.passes)]
        starts += [(self.passes * OUTPUTS, self.rest)] if self.rest else []
        return max(
            first * self.points.stride // 2 + self.words_of(outputs) for first, outputs in starts
        )

    def words_of(self, outputs: int) -> int:
        """Words that the windows of a pass touch in a line."""
        macs = line_macs(self.points.kernel, self.points.stride, outputs, self.odd)
        return max(mac.word for mac in macs) + 1

    @property
    def line_bytes(self) -> int:
        return 4 * self.line_words

    @property
    def line_size(self) -> int:
        """Points of a plane's line."""
        return 2 * self.line_words

    @property
    def plane_size(self) -> int:
        """Points of a plane."""
        return self.plane_lines * self.line_size

    @property
    def plane_lines(self) -> int:
        return (self.band - 1) * self.lines.stride + self.lines.kernel

    @property
    def plane_bytes(self) -> int:
        return self.plane_lines * self.line_bytes

    @property
    def plane_step(self) -> int:
        """Bytes between the planes of neighbouring output channels in a sweep."""
        return self.plane_bytes if self.multiplier == 1 else 0

    @property
    def scratch_bytes(self) -> int:
        return self.group * self.plane_bytes

    @property
    def pairs(self) -> int:
        """Weight pairs of a channel."""
        return self.lines.kernel * len(line_pairs(self.points.kernel, self.odd))

    @property
    def cycles(self) -> int:
        """About what one channel takes."""
        loads = self.lines.kernel * self.words_of(OUTPUTS) * 4 // 3
        macs = self.lines.kernel * self.points.kernel
        full = self.passes * (loads + OUTPUTS * (macs + 3) + 12)
        rest = loads * self.rest // OUTPUTS + self.rest * (macs + 3) + 12 if self.rest else 0
        return self.lines.out_size * (full + rest + 10)

    @property
    def is_whole(self) -> bool:
        """Whether the planes hold all of a channel."""
        return self.band == self.lines.out_size

    def bands(self) -> Iterator[tuple[int, int]]:
        """The output lines [first, end) of each band."""
        for first in range(0, self.lines.out_size, self.band):
            yield first, min(first + self.band, self.lines.out_size)

    def lines_until(self, end: int) -> int:
        """Input lines that have been gathered when the outputs before line ``end`` are computed."""
        gathered = (end - 1) * self.lines.stride + self.lines.kernel - self.lines.pad
        return min(max(gathered, 0), self.lines.size)

    def overwrites(self) -> bool:
        """Whether the result may take the operand's place.

        Where input and output have the same channels, a group's results lie over bytes of that
        group alone, which is gathered band by band. It remains that no band's results lie over a
        pixel that a later band has yet to gather.
        """
        pixels = self.points.size * self.lines.size
        if self.multiplier > 1 or self.points.out_size * self.lines.out_size > pixels:
            return False
        taken = np.zeros(pixels, dtype=bool)
        written = _pixels(self.lines, self.points, self.lines.out_size, out=True)
        read = _pixels(self.lines, self.points, self.lines.size, out=False)
        for first, end in self.bands():
            taken[written[first:end]] = True
            if taken[read[self.lines_until(end) :]].any():
                return False
        return True


def _pixels(lines: Extent, points: Extent, count: int, out: bool) -> np.ndarray:
    """Where in its image each pixel stands, [lines, points]."""
    step = min(lines.out_step, points.out_step) if out else min(lines.in_step, points.in_step)
    along = points.out_size if out else points.size
    line_step = (lines.out_step if out else lines.in_step) // step
    point_step = (points.out_step if out else points.in_step) // step
    return np.arange(count)[:, None] * line_step + np.arange(along) * point_step


def make_plan(graph: Graph, node: Node, limit: int) -> Plan:
    """The better one of the two orientations, with the highest bands for which the planes fit
    into ``limit`` bytes, of one line where none do."""
    attrs = node.attrs
    assert isinstance(attrs, DepthwiseConv2DAttrs)
    _, height, width, channels = graph.operands(node)[0].shape
    _, out_height, out_width, out_channels = graph.result(node).shape
    _, kernel_h, kernel_w, _ = graph.operands(node)[1].shape
    rows = Extent(
        height,
        out_height,
        kernel_h,
        attrs.strides[0],
        attrs.padding[0][0],
        width * channels,
        out_width * out_channels,
    )
    columns = Extent(
        width,
        out_width,
        kernel_w,
        attrs.strides[1],
        attrs.padding[1][0],
        channels,
        out_channels,
    )
    multiplier = out_channels // channels
    upright = Plan(rows, columns, channels, multiplier, False, out_height)
    turned = Plan(columns, rows, channels, multiplier, True, out_width)
    best = min((upright, turned), key=lambda plan: plan.cycles)
    return fit_band(best, limit)


def fit_band(plan: Plan, limit: int) -> Plan:
    """The plan with as many lines in a band as fit, bands of nearly equal height."""
    most = plan.lines.out_size
    while most > 1 and replace(plan, band=most).scratch_bytes > limit:
        most -= 1
    count = -(-plan.lines.out_size // most)
    return replace(plan, band=-(-plan.lines.out_size // count))
