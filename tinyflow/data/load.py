"""Finds out what kind of data a DATA argument names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tinyflow.data.arrays import load_arrays
from tinyflow.data.dataset import Dataset
from tinyflow.data.images import load_images
from tinyflow.data.iterable import load_iterable
from tinyflow.data.raw import DataOptions, RawData, to_dataset
from tinyflow.data.spec import InputSpec
from tinyflow.errors import DataError

__all__ = ["DataOptions", "load_data", "split_rows"]

_ROWS = re.compile(r"^(?P<place>.+)\[(?P<start>-?\d*):(?P<stop>-?\d*)(?::(?P<step>\d*))?\]$")
_PYTHON_OBJECT = re.compile(r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")


def split_rows(argument: str) -> tuple[str, slice]:
    """``data.npz[:100]`` is the first hundred inputs of data.npz; without brackets, all."""
    match = _ROWS.match(argument)
    if match is None:
        return argument, slice(None)
    bounds = [int(part) if part else None for part in match.group("start", "stop", "step")]
    if bounds[2] == 0:
        raise DataError(f"{argument}: a step of 0 selects nothing")
    return match["place"], slice(*bounds)


def load_data(
    argument: str, specs: Sequence[InputSpec], options: DataOptions | None = None
) -> Dataset:
    """The inputs that ``argument`` names: an .npz file, a folder of pictures or
    ``package.module:iterable``, each with an optional ``[start:stop]``.

    Raises `DataError` where there are none, or where they do not fit the model.
    """
    place, rows = split_rows(argument)
    raw = _load(place, specs, rows)
    return to_dataset(raw, specs, options or DataOptions())


def _load(place: str, specs: Sequence[InputSpec], rows: slice) -> RawData:
    path = Path(place)
    if path.is_dir():
        return load_images(path, specs, rows, place)
    if path.suffix in (".npz", ".npy"):
        if not path.is_file():
            raise DataError(f"there is no data file {place}")
        return load_arrays(path, specs, rows, path.name)
    if _PYTHON_OBJECT.match(place):
        return load_iterable(place, specs, rows, place)
    raise DataError(
        f"there are no data at {place}",
        "DATA is a folder of pictures, an .npz file or package.module:iterable",
    )
