"""Train the demo model and write it with its data beside this file.

    python -m tinyflow.demo.train

Needs PyTorch, onnx and scikit-learn. One thread and one seed: the same packages give the same files
again.
"""

from __future__ import annotations

import argparse
import logging
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

SEED = 0
TEST_SAMPLES = 540
CALIBRATION_SAMPLES = 200
OPSET = 17


@dataclass(frozen=True)
class Split:
    """Pictures [n, 1, 8, 8] float32 in 0..1 and their digits [n] int64."""

    x: np.ndarray
    y: np.ndarray


def load_splits() -> tuple[Split, Split]:
    """The training and the held-out part of scikit-learn's digits, the same share of each digit."""
    digits = load_digits()
    x = (digits.images / 16.0).astype(np.float32)[:, np.newaxis]
    y = digits.target.astype(np.int64)
    train_x, test_x, train_y, test_y = train_test_split(
        x, y, test_size=TEST_SAMPLES, stratify=y, random_state=SEED
    )
    return Split(train_x, train_y), Split(test_x, test_y)


def convolution(inputs: int, outputs: int, kernel: int, groups: int = 1) -> nn.Sequential:
    """Convolution, BatchNorm and ReLU; the picture keeps its size."""
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(
        OrderedDict(conv=conv, norm=nn.BatchNorm2d(outputs), relu=nn.ReLU()),
    )


def make_model() -> nn.Sequential:
    """[n, 1, 8, 8] to ten logits: a stem, two separable stages, global mean, classifier."""
    return nn.Sequential(
        OrderedDict(
            stem=convolution(1, 16, 3),
            depthwise1=convolution(16, 16, 3, groups=16),
            pointwise1=convolution(16, 32, 1),
            pool=nn.MaxPool2d(2),
            depthwise2=convolution(32, 32, 3, groups=32),
            pointwise2=convolution(32, 48, 1),
            mean=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            classifier=nn.Linear(48, 10),
        )
    )


def train(model: nn.Sequential, data: Split, epochs: int, batch: int = 32) -> None:
    """Fit `model` in place: AdamW, one cosine cycle, pictures moved by up to one pixel."""
    x, y = torch.from_numpy(data.x), torch.from_numpy(data.y)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1e-2)
    steps = epochs * (len(y) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=steps)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.05)
    model.train()
    for epoch in range(epochs):
        total = 0.0
        order = torch.randperm(len(y))
        for first in range(0, len(y) - batch + 1, batch):
            chosen = order[first : first + batch]
            loss = loss_of(model(move(x[chosen])), y[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss)
        logging.info("epoch %2d: loss %.4f", epoch + 1, total / (len(y) // batch))


def move(pictures: torch.Tensor) -> torch.Tensor:
    """Every picture [n, 1, 8, 8] shifted by -1, 0 or 1 pixel each way, filled with black."""
    padded = nn.functional.pad(pictures, (1, 1, 1, 1))
    shifts = torch.randint(0, 3, (len(pictures), 2)).tolist()
    return torch.stack(
        [p[:, r : r + 8, c : c + 8] for p, (r, c) in zip(padded, shifts, strict=True)]
    )


def accuracy(model: nn.Sequential, data: Split) -> float:
    """Top-1 in percent."""
    model.eval()
    with torch.no_grad():
        top = model(torch.from_numpy(data.x)).argmax(dim=1).numpy()
    return 100.0 * float(np.mean(top == data.y))


def export(model: nn.Sequential, path: Path) -> None:
    """Write an ONNX file for one picture that keeps every BatchNormalization node.

    The exporter folds BatchNorm into the convolutions unless it is asked to preserve the mode.
    """
    model.eval()
    torch.onnx.export(
        model,
        (torch.zeros(1, 1, 8, 8),),
        path,
        input_names=["image"],
        output_names=["logits"],
        opset_version=OPSET,
        dynamo=False,
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
    )
    written = onnx.load(path)
    onnx.checker.check_model(written)
    norms = sum(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    kept = sum(node.op_type == "BatchNormalization" for node in written.graph.node)
    if kept != norms:
        raise RuntimeError(f"the ONNX file has {kept} BatchNormalization nodes instead of {norms}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the demo model and write its files.")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, metavar="DIR")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    training, held_out = load_splits()
    model = make_model()
    train(model, training, options.epochs)
    options.output.mkdir(parents=True, exist_ok=True)
    export(model, options.output / "digits.onnx")
    calibration = Split(training.x[:CALIBRATION_SAMPLES], training.y[:CALIBRATION_SAMPLES])
    for name, split in (("digits_calibration", calibration), ("digits_test", held_out)):
        np.savez_compressed(options.output / f"{name}.npz", x=split.x, y=split.y)
    logging.info("training data: %.2f%% top-1", accuracy(model, training))
    logging.info("held-out data: %.2f%% top-1", accuracy(model, held_out))


if __name__ == "__main__":
    main()
