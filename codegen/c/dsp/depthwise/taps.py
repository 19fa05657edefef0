"""Which multiplications a window's line is made of, and how its weights lie in registers.

A plane holds 16-bit points, two in a word. A window that starts at an even point multiplies words
by the weight pairs (0, 1), (2, 3), ...; one that starts at an odd point takes weight 0 alone, then
the pairs (1, 2), (3, 4), ...
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Mac:
    """``sum[output] += word * pair``: both halves, or one half of each.

    ``instruction`` is SMLAD, or SMLA with the half of the word (b or t) and that of the pair.
    """

    output: int
    word: int
    pair: int
    instruction: str


def line_pairs(kernel: int, odd: bool) -> list[tuple[int, int]]:
    """The weights of a line as pairs (lower half, upper half); ``odd``: some windows start at an
    odd point. The last weight of an odd kernel is always the upper half of the last pair."""
    pairs = [(i, i + 1) for i in range(0, kernel - 1, 2)]
    if odd:
        pairs += [(i, i + 1) for i in range(1, kernel - 1, 2)]
    if kernel % 2 and (not odd or kernel == 1):
        pairs.append((kernel - 1, kernel - 1))
    return pairs


def line_macs(kernel: int, stride: int, outputs: int, odd: bool) -> list[Mac]:
    """The products of one line for neighbouring outputs, the first window starting at an even
    point; by rising word, and for equal words by rising output. ``odd`` is as in `line_pairs`."""
    last = len(line_pairs(kernel, odd)) - 1
    macs: list[Mac] = []
    for output in range(outputs):
        word, half = divmod(output * stride, 2)
        if half:
            macs.append(Mac(output, word, 0, "smlatb"))
            first, word = kernel // 2, word + 1
            full = (kernel - 1) // 2
            rest = kernel % 2 == 0
            tail = kernel // 2 - 1
        else:
            first, full, rest, tail = 0, kernel // 2, kernel % 2 == 1, last
        macs += [Mac(output, word + i, first + i, "smlad") for i in range(full)]
        if rest:
            macs.append(Mac(output, word + full, tail, "smlabt"))
    return sorted(macs, key=lambda mac: (mac.word, mac.output))


def pack_weights(weight: np.ndarray, odd: bool) -> np.ndarray:
    """int8 [lines, points, channels] -> int32 [channels, words].

    The pairs of a channel follow each other, line by line. A word holds two of them, the bytes of
    the first in its bytes 0 and 2, those of the second in bytes 1 and 3: then each becomes a
    register of 16-bit halves by one SXTB16, or times 256 by one AND.
    """
    lines, kernel, channels = weight.shape
    pairs = np.array(line_pairs(kernel, odd))
    halves = weight[:, pairs].reshape(lines * len(pairs), 2, channels)
    if len(halves) % 2:
        halves = np.concatenate([halves, np.zeros((1, 2, channels), np.int8)])
    quads = halves.reshape(-1, 2, 2, channels).transpose(3, 0, 2, 1)
    return np.ascontiguousarray(quads).reshape(channels, -1).view("<i4")
