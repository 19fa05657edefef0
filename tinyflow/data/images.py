"""Data as a folder of pictures."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyflow.data.raw import RawData
from tinyflow.data.spec import InputSpec
from tinyflow.errors import DataError

LABELS_FILE = "labels.csv"
_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".pgm", ".tif", ".webp"})


def load_images(folder: Path, specs: Sequence[InputSpec], rows: slice, origin: str) -> RawData:
    """Pictures with labels.csv beside them, in one folder per class, or without labels.

    labels.csv has a line ``file,label`` per picture; labels are class numbers, or names, which
    are numbered in sorted order, as class folders are. Each picture is resized until it just
    covers the input, and its centre is cut out.
    """
    if len(specs) != 1:
        raise DataError(
            f"a folder of pictures feeds one input, the model has {len(specs)}",
            "give an .npz file with one array per input",
        )
    spec = specs[0]
    height, width = spec.image_size
    paths, labels = _find(folder, origin)
    chosen = paths[rows]
    shape = (len(chosen), height, width, spec.channels)
    pixels = np.empty(shape, dtype=np.uint8)
    for index, path in enumerate(chosen):
        pixels[index] = read_image(path, height, width, spec.channels)
    if spec.channel_axis == 1:
        pixels = pixels.transpose(0, 3, 1, 2)
    numbers = None if labels is None else np.asarray(labels, dtype=np.int64)[rows]
    return RawData({spec.name: pixels}, numbers, origin)


def read_image(path: Path, height: int, width: int, channels: int) -> np.ndarray:
    """uint8 [height, width, channels]."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            picture = image.convert("L" if channels == 1 else "RGB")
            fitted = ImageOps.fit(picture, (width, height), Image.Resampling.BILINEAR)
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise DataError(f"{path.name} is not a readable picture ({error})") from None
    return np.asarray(fitted, dtype=np.uint8).reshape(height, width, channels)


def _find(folder: Path, origin: str) -> tuple[list[Path], list[int] | None]:
    if (folder / LABELS_FILE).is_file():
        return _from_labels_file(folder, origin)
    classes = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    in_classes = [(path, label) for label, c in enumerate(classes) for path in _pictures(c)]
    if in_classes:
        return [path for path, _ in in_classes], [label for _, label in in_classes]
    loose = _pictures(folder)
    if not loose:
        raise DataError(
            f"{origin} holds no pictures",
            f"pictures end in {', '.join(sorted(_SUFFIXES))}; they lie in the folder itself or "
            "in one folder per class",
        )
    return loose, None


def _pictures(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES and p.is_file())


def _from_labels_file(folder: Path, origin: str) -> tuple[list[Path], list[int]]:
    where = f"{origin}/{LABELS_FILE}"
    try:
        with (folder / LABELS_FILE).open(newline="", encoding="utf-8") as file:
            lines = [line for line in csv.reader(file) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{where} cannot be read ({error})") from None
    if any(len(line) != 2 for line in lines):
        raise DataError(f"{where}: a line has not exactly two columns", "each line is file,label")
    # A header names no file that exists.
    if lines and not (folder / lines[0][0]).is_file():
        lines = lines[1:]
    missing = [name for name, _ in lines if not (folder / name).is_file()]
    if missing:
        raise DataError(f"{where} names {len(missing)} absent files, the first is {missing[0]}")
    if not lines:
        raise DataError(f"{where} names no pictures")
    words = [label.strip() for _, label in lines]
    if all(word.isdigit() for word in words):
        labels = [int(word) for word in words]
    else:
        order = {word: number for number, word in enumerate(sorted(set(words)))}
        labels = [order[word] for word in words]
    return [folder / name for name, _ in lines], labels
