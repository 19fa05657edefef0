"""How far a quantized network is from its float original."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tinyflow.ir import Graph, Op, QuantParams, Tensor, batches, execute
from tinyflow.quantize.calibrate import batch_size
from tinyflow.quantize.options import Progress

SQUASHING = (Op.SOFTMAX, Op.SIGMOID, Op.HARD_SIGMOID, Op.TANH, Op.RESHAPE)
_Z95 = 1.959963984540054
_PIECE = 1 << 14


@dataclass(frozen=True)
class Proportion:
    """``hits`` of ``total``, with the 95% confidence interval after Wilson; all in percent."""

    hits: int
    total: int

    @property
    def percent(self) -> float:
        return 100.0 * self.hits / self.total if self.total else math.nan

    @property
    def ci95(self) -> tuple[float, float]:
        if not self.total:
            return (math.nan, math.nan)
        n, p = self.total, self.hits / self.total
        spread = 1.0 + _Z95**2 / n
        center = (p + _Z95**2 / (2 * n)) / spread
        half = _Z95 * math.sqrt(p * (1 - p) / n + _Z95**2 / (4 * n * n)) / spread
        return (100.0 * max(0.0, center - half), 100.0 * min(1.0, center + half))


@dataclass(frozen=True)
class LayerError:
    """One tensor, float against quantized, over all samples.

    ``layer`` is the node that computes it (the input's own name for a graph input).
    ``sqnr_db`` is infinite where both are equal. ``at_low`` and ``at_high`` are the percentages
    of codes at the two ends of the type; ``saturation`` is both together, without those at the
    zero point: a ReLU's zeros lie at the end of the range, but lose nothing.
    ``clipped`` is the percentage of float values more than half a step outside of the range.
    """

    tensor: str
    layer: str
    sqnr_db: float
    cosine: float
    max_error: float
    at_low: float
    at_high: float
    saturation: float
    clipped: float


def sqnr_db(reference: np.ndarray, test: np.ndarray) -> float:
    """Signal to quantization noise in dB; infinite where both are equal."""
    signal = float(np.square(reference, dtype=np.float64).sum())
    difference = reference.astype(np.float64) - test.astype(np.float64)
    return _decibel(signal, float(np.square(difference).sum()))


def _decibel(signal: float, noise: float) -> float:
    if noise == 0.0:
        return math.inf
    return 10.0 * math.log10(signal / noise) if signal > 0.0 else -math.inf


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """The cosine of the angle between two arrays; 1 where both are zero."""
    x, y = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    return _cosine(float(x @ y), float(x @ x), float(y @ y))


def _cosine(dot: float, aa: float, bb: float) -> float:
    if aa == 0.0 or bb == 0.0:
        return 1.0 if aa == bb else 0.0
    return min(1.0, max(-1.0, dot / math.sqrt(aa * bb)))


def saturation(codes: np.ndarray) -> tuple[float, float]:
    """The percentages of codes at the lowest and at the highest value of their type."""
    info = np.iinfo(codes.dtype)
    return (100.0 * float(np.mean(codes == info.min)), 100.0 * float(np.mean(codes == info.max)))


def _flat(scores: np.ndarray) -> np.ndarray:
    return scores.reshape(len(scores), -1)


def top_k(scores: np.ndarray, labels: np.ndarray, k: int) -> Proportion:
    """How often the label is among the ``k`` largest scores [n, classes].

    Among equal scores the lowest index comes first.
    """
    flat = _flat(scores)
    best = np.argsort(-flat.astype(np.float64), axis=1, kind="stable")[:, :k]
    hits = (best == np.asarray(labels).reshape(-1, 1)).any(axis=1)
    return Proportion(int(hits.sum()), len(flat))


def top1(scores: np.ndarray, labels: np.ndarray) -> Proportion:
    return top_k(scores, labels, 1)


def top5(scores: np.ndarray, labels: np.ndarray) -> Proportion:
    return top_k(scores, labels, 5)


def agreement(a: np.ndarray, b: np.ndarray) -> Proportion:
    """How often two sets of scores [n, classes] have the same best class (lowest index first)."""
    same = _flat(a).argmax(axis=1) == _flat(b).argmax(axis=1)
    return Proportion(int(same.sum()), len(same))


@dataclass
class _Sums:
    """What `LayerError` needs of one tensor, added up batch by batch."""

    signal: float = 0.0
    test: float = 0.0
    dot: float = 0.0
    noise: float = 0.0
    max_error: float = 0.0
    count: int = 0
    low: int = 0
    high: int = 0
    saturated: int = 0
    clipped: int = 0

    def add(self, real: np.ndarray, codes: np.ndarray, params: QuantParams) -> None:
        """In pieces: the work arrays are in double precision and stay in the cache."""
        reals, flat = real.reshape(-1), codes.reshape(-1)
        for start in range(0, len(flat), _PIECE):
            self._add(reals[start : start + _PIECE], flat[start : start + _PIECE], params)

    def _add(self, real: np.ndarray, codes: np.ndarray, params: QuantParams) -> None:
        info = np.iinfo(codes.dtype)
        scale, zero = params.scale, params.zero_point
        x = real.astype(np.float64)
        y = (codes.astype(np.float64) - zero) * scale
        error = np.abs(x - y)
        self.signal += float(x @ x)
        self.test += float(y @ y)
        self.dot += float(x @ y)
        self.noise += float(error @ error)
        self.max_error = max(self.max_error, float(error.max(initial=0.0)))
        self.count += codes.size
        low, high = int((codes == info.min).sum()), int((codes == info.max).sum())
        self.low += low
        self.high += high
        self.saturated += low * (zero != info.min) + high * (zero != info.max)
        position = x / scale + zero
        outside = (position < info.min - 0.5) | (position > info.max + 0.5)
        self.clipped += int(outside.sum())

    def result(self, tensor: str, layer: str) -> LayerError:
        percent = 100.0 / max(self.count, 1)
        return LayerError(
            tensor=tensor,
            layer=layer,
            sqnr_db=_decibel(self.signal, self.noise),
            cosine=_cosine(self.dot, self.signal, self.test),
            max_error=self.max_error,
            at_low=percent * self.low,
            at_high=percent * self.high,
            saturation=percent * self.saturated,
            clipped=percent * self.clipped,
        )


def logit_tensors(graph: Graph) -> tuple[str, ...]:
    """For each graph output, the tensor whose values a squashing last layer still tells apart."""
    found = []
    for name in graph.outputs:
        node = graph.producer(name)
        while node is not None and node.op in SQUASHING:
            name = node.inputs[0]
            node = graph.producer(name)
        found.append(name)
    return tuple(dict.fromkeys(found))


def quantize_inputs(graph: Graph, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Float inputs as the integer codes that a quantized graph reads."""
    tensors: dict[str, Tensor] = {name: graph.tensors[name] for name in graph.inputs}
    return {name: t.params.quantize(inputs[name], t.dtype) for name, t in tensors.items()}


def dequantize_outputs(graph: Graph, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """float32 values of a quantized graph's integer outputs."""
    return {name: graph.tensors[name].params.dequantize(outputs[name]) for name in graph.outputs}


def compare_layers(
    float_graph: Graph,
    quantized_graph: Graph,
    inputs: Mapping[str, np.ndarray],
    progress: Progress | None = None,
) -> tuple[LayerError, ...]:
    """Every activation that both graphs have, by name and shape, in the quantized graph's order.

    ``inputs`` are float arrays [n, ...] in the graphs' own layout. The quantized side is the
    integer reference, with the errors of all earlier layers in it.
    """
    from tinyflow.quantize.reference import run_reference

    sums: dict[str, _Sums] = {}
    size = batch_size(float_graph)
    total = len(next(iter(inputs.values())))
    for number, batch in enumerate(batches(inputs, size)):
        reals: dict[str, np.ndarray] = {}
        execute(float_graph, batch, reals.__setitem__)

        def observe(name: str, codes: np.ndarray, reals: dict[str, np.ndarray] = reals) -> None:
            tensor = quantized_graph.tensors[name]
            known = name in reals and reals[name].shape == codes.shape
            if known and tensor.quant is not None:
                sums.setdefault(name, _Sums()).add(reals[name], codes, tensor.quant)

        run_reference(quantized_graph, quantize_inputs(quantized_graph, batch), observe)
        if progress is not None:
            progress("layer errors", min((number + 1) * size, total), total)
    return tuple(
        entry.result(name, node.name if (node := quantized_graph.producer(name)) else name)
        for name, entry in sums.items()
    )
