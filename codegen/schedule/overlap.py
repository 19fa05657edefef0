"""How far a kernel's result may reach into the memory of the operand that it consumes.

A kernel that goes through its operand and its result in one direction has read part of the one
when it has written part of the other. With the operand ahead by enough bytes, no write touches a
byte that is still to be read, and both need little more memory than the larger one alone. The
least distance follows from the kernel's reads and writes in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyflow.codegen.schedule.alignment import align, align_down

Span = tuple[int, int]
"""Bytes [begin, end) of a tensor; begin == end where there are none."""


@dataclass(frozen=True)
class Overlap:
    """How a kernel's result may share memory with its first operand, if that dies there.

    ``rising``: the operand may start ``rising`` bytes after the result, or more. It is negative
    where the result may even start later; at minus the operand's size or below, all of the
    operand is consumed before anything is written. ``falling``: computed row by row from the
    last row to the first, the result may start ``falling`` bytes after the operand, or more; None
    where the kernel cannot go that way.
    """

    rising: int
    falling: int | None = None

    def gaps(self, operand: int, result: int, shift: int = 0) -> tuple[int, int]:
        """Bytes by which the operand's buffer must start after the result if it is the higher one,
        and the other way round, for tensors of ``operand`` and ``result`` bytes, the operand
        ``shift`` bytes after the start of its buffer; multiples of the alignment. A gap is never
        negative: that keeps a search by rising offsets exact."""
        above, below = align(result), align(operand)
        if self.rising <= -operand:
            return 0, 0
        above = min(above, align(max(self.rising, 0)))
        if self.falling is not None:
            below = min(below, align(max(self.falling, 0)))
        return max(align(above - shift), 0), align(below + shift)

    def extent(self, operand: int, result: int, shift: int = 0) -> int:
        """The fewest bytes from the first to the last of both tensors; the arguments are those of
        `gaps`."""
        above, below = self.gaps(operand, result, shift)
        begin, end, result = align_down(shift), align(shift + operand), align(result)
        higher = max(end, max(below, begin) + result) - begin
        return min(max(above + end, result), higher)


def rising_distance(
    reads: Sequence[Span], writes: Sequence[Span], operand_bytes: int, read_first: bool = False
) -> int:
    """`Overlap.rising` of a kernel that does its parts in the given order.

    Part i reads the operand's bytes ``reads[i]`` while it writes the result's bytes ``writes[i]``;
    with ``read_first`` it has read them all before it writes the first.
    """
    distance, needed = -operand_bytes, operand_bytes
    for (begin, end), (_, written) in zip(reversed(reads), reversed(writes), strict=True):
        lowest = min(needed, begin) if begin < end else needed
        still = needed if read_first else lowest
        if still < operand_bytes:
            distance = max(distance, written - still)
        needed = lowest
    return distance


def rising_by_chunks(pixels: int, chunk: int, operand_pixel: int, result_pixel: int) -> int:
    """`Overlap.rising` of a kernel that reads ``chunk`` pixels whole before it writes their
    results; a pixel has so many bytes in the operand and in the result."""
    spans = [(i, min(i + chunk, pixels)) for i in range(0, pixels, chunk)]
    return rising_distance(
        [(begin * operand_pixel, end * operand_pixel) for begin, end in spans],
        [(begin * result_pixel, end * result_pixel) for begin, end in spans],
        pixels * operand_pixel,
        read_first=True,
    )


def falling_distance(reads: Sequence[Span], writes: Sequence[Span]) -> int:
    """`Overlap.falling` of a kernel that does its parts in the reverse of the given order."""
    distance = needed = 0
    for (begin, end), (written, _) in zip(reads, writes, strict=True):
        if begin < end:
            needed = max(needed, end)
        distance = max(distance, needed - written)
    return distance


def overlap_of_rows(
    rows: Sequence[Span], operand_row: int, result_row: int, operand_rows: int
) -> Overlap:
    """Of a kernel that may read operand rows ``rows[y]`` until result row y is complete, and can
    compute rows in either direction. Spans are in rows and may reach over the border;
    ``operand_row`` and ``result_row`` are bytes."""
    inside = [(max(begin, 0), min(end, operand_rows)) for begin, end in rows]
    reads = [(begin * operand_row, max(begin, end) * operand_row) for begin, end in inside]
    writes = [(y * result_row, (y + 1) * result_row) for y in range(len(rows))]
    return Overlap(
        rising_distance(reads, writes, operand_rows * operand_row),
        falling_distance(reads, writes),
    )
