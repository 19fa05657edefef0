"""Trains reduced hybrid networks on CIFAR-10: weights that mean something, to measure on.

    python benchmarks/train_hybrids.py NETWORK --pictures TRAIN.npz --test TEST.npz --out FOLDER

NETWORK is one of the names in NETWORKS. TRAIN.npz holds the 50000 training pictures as one blob of
JPEG files (``jpeg``, ``offsets``, ``y``), TEST.npz the 10000 test pictures as uint8 [n, 32, 32, 3]
(``x``, ``y``). FOLDER gets ``NETWORK.pt``, the weights under the key ``model``, and
``NETWORK.json``, everything needed to build the network, feed it and train it again.

One run takes about 10 minutes on one core that is free. The same seed on another machine or number
of threads gives another network; top-1 varies by about 1 percentage point between seeds.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import itertools
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from tinyflow.models import build_network, load_checkpoint
from tinyflow.models.registry import Size
from tinyflow.models.sizes import EdgeNeXtSize, TinyNeXtSize

CLASSES = 10
RESOLUTION = 32
PADDING = 2


@dataclass(frozen=True)
class Network:
    """A reduced size and the meaning of its input: ``x_scale * (pixel - x_zero_point)``."""

    size: Size
    x_scale: float
    x_zero_point: int
    epochs: int


NETWORKS = {
    "tinynext_cifar10": Network(
        TinyNeXtSize((16, 24, 48, 96), (1, 1, 2, 2), stem_strides=(2, 1), strides=(1, 2, 2)),
        x_scale=1.0,
        x_zero_point=128,
        epochs=6,
    ),
    "edgenext_cifar10": Network(
        EdgeNeXtSize((16, 40, 80), (1, 2, 2), 4, patch=2, kernels=(3, 5, 7), scales=(2, 2, 3)),
        x_scale=1 / 64,
        x_zero_point=128,
        epochs=7,
    ),
}
"""Attention sees 64 tokens in both; every kind of block of the full networks is there."""


@dataclass(frozen=True)
class Recipe:
    batch: int = 64
    rate: float = 2e-3
    weight_decay: float = 0.05
    warmup_steps: int = 400
    label_smoothing: float = 0.05
    layer_scale: float = 0.1
    seed: int = 1
    threads: int = 1


def decode(place: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures uint8 [n, 3, H, W] and labels [n] of a file of JPEG pictures or of pixels."""
    with np.load(place) as stored:
        labels = torch.from_numpy(stored["y"].astype(np.int64))
        if "x" in stored:
            pixels = stored["x"]
        else:
            blob, offsets = stored["jpeg"].tobytes(), stored["offsets"]
            pixels = np.stack(
                [
                    np.asarray(Image.open(io.BytesIO(blob[a:b])).convert("RGB"))
                    for a, b in itertools.pairwise(offsets)
                ]
            )
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), labels


def prepare(pixels: torch.Tensor, network: Network) -> torch.Tensor:
    x = (pixels.float() - network.x_zero_point) * network.x_scale
    return x.contiguous(memory_format=torch.channels_last)


def augment(pixels: torch.Tensor, zero_point: int) -> torch.Tensor:
    """Moves each picture by up to PADDING pixels and mirrors every other one."""
    n, _, side, _ = pixels.shape
    padded = nn.functional.pad(pixels, (PADDING,) * 4, value=zero_point)
    row, column = torch.randint(0, 2 * PADDING + 1, (2, n, 1))
    rows = row + torch.arange(side)
    columns = column + torch.arange(side)
    mirrored = (torch.rand(n, 1) < 0.5).expand_as(columns)
    columns = torch.where(mirrored, columns.flip(1), columns)
    moved = padded.permute(0, 2, 3, 1)[
        torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]
    ]
    return moved.permute(0, 3, 1, 2)


def batches(count: int, size: int) -> Iterator[torch.Tensor]:
    order = torch.randperm(count)
    for start in range(0, count - size + 1, size):
        yield order[start : start + size]


def set_layer_scales(model: nn.Module, value: float) -> None:
    """Branches start at a size that a short training can use; other networks have no scales."""
    for name, parameter in model.named_parameters():
        if name.endswith(("gamma", "gamma_xca")):
            nn.init.constant_(parameter, value)


def parameter_groups(model: nn.Module, decay: float) -> list[dict[str, object]]:
    """Weight decay for matrices and kernels only."""
    groups: dict[bool, list[nn.Parameter]] = {True: [], False: []}
    for name, parameter in model.named_parameters():
        groups[parameter.ndim > 1 and "temperature" not in name].append(parameter)
    return [
        {"params": groups[True], "weight_decay": decay},
        {"params": groups[False], "weight_decay": 0.0},
    ]


def rate_at(step: int, steps: int, recipe: Recipe) -> float:
    warm = min(1.0, (step + 1) / recipe.warmup_steps)
    return recipe.rate * warm * 0.5 * (1 + math.cos(math.pi * step / steps))


def top1(model: nn.Module, network: Network, pixels: torch.Tensor, labels: torch.Tensor) -> float:
    """Percent of pictures whose largest logit is that of their label."""
    model.eval()
    with torch.no_grad():
        right = sum(
            int((model(prepare(x, network)).argmax(1) == y).sum())
            for x, y in zip(pixels.split(500), labels.split(500), strict=True)
        )
    return 100 * right / len(labels)


def save(model: nn.Module, place: Path) -> None:
    torch.save({"model": {k: v.contiguous() for k, v in model.state_dict().items()}}, place)


def train(
    network: Network, recipe: Recipe, pixels: torch.Tensor, labels: torch.Tensor, place: Path
) -> nn.Module:
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    model = build_network(network.size, CLASSES, RESOLUTION).to(memory_format=torch.channels_last)
    set_layer_scales(model, recipe.layer_scale)
    optimizer = torch.optim.AdamW(parameter_groups(model, recipe.weight_decay), lr=recipe.rate)
    criterion = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    steps, step = network.epochs * (len(pixels) // recipe.batch), 0
    begin = time.monotonic()
    for epoch in range(network.epochs):
        model.train()
        total = 0.0
        for chosen in batches(len(pixels), recipe.batch):
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step, steps, recipe)
            x = prepare(augment(pixels[chosen], network.x_zero_point), network)
            loss = criterion(model(x), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total, step = total + loss.item(), step + 1
        minutes = (time.monotonic() - begin) / 60
        mean = total * network.epochs / steps
        print(f"epoch {epoch + 1}: loss {mean:.3f}, {minutes:.1f} min", file=sys.stderr, flush=True)
        save(model, place)
    return model


SIZES: dict[str, type[Size]] = {"tinynext": TinyNeXtSize, "edgenext": EdgeNeXtSize}


def load_hybrid(place: Path) -> tuple[nn.Module, dict[str, Any]]:
    """The trained network of ``place``, a .pt file, and the facts beside it."""
    facts = json.loads(place.with_suffix(".json").read_text())
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in facts["size"].items()}
    size = SIZES[facts["family"]](**values)
    model = build_network(size, facts["classes"], facts["resolution"])
    return load_checkpoint(model, place), facts


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, help="instead of the network's own number")
    return parser.parse_args()


def main() -> int:
    given = parse()
    network, recipe = NETWORKS[given.network], Recipe()
    if given.epochs:
        network = dataclasses.replace(network, epochs=given.epochs)
    place = given.out / f"{given.network}.pt"
    model = train(network, recipe, *decode(given.pictures), place)
    score = top1(model, network, *decode(given.test))
    facts = {
        "family": given.network.partition("_")[0],
        "size": dataclasses.asdict(network.size),
        "classes": CLASSES,
        "resolution": RESOLUTION,
        "x_scale": network.x_scale,
        "x_zero_point": network.x_zero_point,
        "training": {
            "script": Path(__file__).name,
            "epochs": network.epochs,
            **dataclasses.asdict(recipe),
            "torch": torch.__version__,
        },
        "float_top1_percent": score,
    }
    place.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n")
    print(f"top-1 {score:.2f}% of {place.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
