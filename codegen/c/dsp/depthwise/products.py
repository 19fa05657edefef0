"""The multiplications of one line of windows as assembly."""

from __future__ import annotations

from tinyflow.codegen.c.dsp.depthwise.registers import SUMS
from tinyflow.codegen.c.dsp.depthwise.taps import Mac


def emit_products(
    macs: list[Mac],
    words_at: tuple[str, int],
    weights_at: tuple[str, int],
    homes: dict[int, str],
    free: list[str],
    started: set[int],
) -> list[str]:
    """The products of one line, its words loaded in batches as large as the free registers.

    ``homes`` are the registers of weight pairs that are there; others are loaded from
    ``weights_at`` (base, offset). The first product of an output that is not in ``started`` adds
    to the last output's register, which holds the bias.
    """
    bias = SUMS[max(mac.output for mac in macs)]
    lines: list[str] = []
    words = sorted({mac.word for mac in macs})
    loaded: dict[int, str] = {}
    while words:
        batch, wanted = _batch(macs, words, homes, loaded, len(free))
        spare = [register for register in free if register not in loaded.values()]
        for pair in wanted:
            loaded[pair] = spare.pop(0)
            lines.append(f"ldr {loaded[pair]}, [{weights_at[0]}, #{weights_at[1] + 4 * pair}]")
        at = dict(zip(batch, spare, strict=False))
        lines += [f"ldr {at[w]}, [{words_at[0]}, #{words_at[1] + 4 * w}]" for w in batch]
        for mac in (mac for mac in macs if mac.word in at):
            target = SUMS[mac.output]
            addend = target if mac.output in started else bias
            started.add(mac.output)
            home = homes.get(mac.pair) or loaded[mac.pair]
            lines.append(f"{mac.instruction} {target}, {at[mac.word]}, {home}, {addend}")
        words = words[len(batch) :]
        later = {mac.pair for mac in macs if mac.word in words}
        loaded = {pair: register for pair, register in loaded.items() if pair in later}
    return lines


def _batch(
    macs: list[Mac], words: list[int], homes: dict[int, str], loaded: dict[int, str], free: int
) -> tuple[list[int], list[int]]:
    """As many of the next words as fit with the weight pairs that they need; these pairs, as far
    as they are not there yet."""
    batch: list[int] = []
    wanted: list[int] = []
    for word in words:
        needed = {mac.pair for mac in macs if mac.word == word} - {*homes, *loaded, *wanted}
        if len(loaded) + len(wanted) + len(needed) + len(batch) + 1 > free:
            break
        batch.append(word)
        wanted += sorted(needed)
    if not batch:
        raise ValueError("too few registers for one word and its weights")
    return batch, wanted
