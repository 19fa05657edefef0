"""Data from a Python object named ``package.module:iterable``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from tinyflow.data.raw import RawData
from tinyflow.data.spec import InputSpec
from tinyflow.errors import DataError


def load_iterable(place: str, specs: Sequence[InputSpec], rows: slice, origin: str) -> RawData:
    """Each item is one input, or a pair (input, label).

    An input is an array without batch axis; for a model with several inputs it is a dict of
    arrays by input name. A callable is called without arguments to get the iterable.
    """
    items = list(_take(_resolve(place), rows))
    if not items:
        raise DataError(f"{origin} yields no inputs")
    pairs = [item if isinstance(item, tuple) and len(item) == 2 else (item, None) for item in items]
    columns: dict[str, list[np.ndarray]] = {spec.name: [] for spec in specs}
    for value, _ in pairs:
        for spec in specs:
            columns[spec.name].append(_sample(value, spec, len(specs), origin))
    labels = [label for _, label in pairs]
    known = None if any(label is None for label in labels) else np.asarray(labels)
    return RawData({name: np.stack(column) for name, column in columns.items()}, known, origin)


def _resolve(place: str) -> Iterable[Any]:
    module_name, _, attribute = place.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        value = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise DataError(
            f"{place} cannot be found ({error})",
            "DATA is a folder of pictures, an .npz file or package.module:iterable",
        ) from None
    if callable(value):
        value = value()
    if not isinstance(value, Iterable):
        raise DataError(f"{place} is a {type(value).__name__}, which cannot be iterated over")
    return value


def _take(items: Iterable[Any], rows: slice) -> Iterable[Any]:
    bounds = (rows.start or 0, rows.stop if rows.stop is not None else 0)
    if min(bounds) < 0:
        return list(items)[rows]
    return islice(items, rows.start, rows.stop, rows.step)


def _sample(value: Any, spec: InputSpec, inputs: int, origin: str) -> np.ndarray:
    if isinstance(value, dict):
        if spec.name not in value:
            raise DataError(f"{origin}: an item lacks the input '{spec.name}'")
        value = value[spec.name]
    elif inputs > 1:
        raise DataError(
            f"{origin}: the model has {inputs} inputs, an item holds one",
            "yield a dict of arrays by input name",
        )
    array = np.asarray(value)
    if array.shape == spec.shape:
        array = array[0]
    if array.shape != spec.shape[1:]:
        raise DataError(
            f"{origin}: input '{spec.name}' expects the shape {list(spec.shape[1:])}, "
            f"an item has {list(array.shape)}"
        )
    return array
