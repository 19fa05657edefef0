"""Data in NumPy files."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tinyflow.data.raw import RawData
from tinyflow.data.spec import InputSpec
from tinyflow.errors import DataError


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name; an .npy file is one array named ``x``."""
    try:
        stored = np.load(path, allow_pickle=False)
        if isinstance(stored, np.ndarray):
            return {"x": stored}
        with stored:
            return dict(stored)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = "it cannot be opened" if isinstance(error, OSError) else "it is damaged"
        raise DataError(
            f"{path.name} is not a readable NumPy file: {reason}",
            "write it with numpy.savez(file, x=..., y=...); pickled objects are not read",
        ) from None


def load_arrays(path: Path, specs: Sequence[InputSpec], rows: slice, origin: str) -> RawData:
    """``x`` (or one array per input, by its name), ``y``, ``x_scale``, ``x_zero_point``."""
    stored = read_arrays(path)
    found: dict[str, np.ndarray] = {}
    scales: dict[str, tuple[float, int]] = {}
    for spec in specs:
        key = spec.name if spec.name in stored else "x"
        if key not in stored or (key == "x" and len(specs) > 1):
            wanted = "x" if len(specs) == 1 else ", ".join(s.name for s in specs)
            raise DataError(
                f"{origin} holds {_listed(stored)}, the model needs {wanted}",
                "write the file with numpy.savez(file, x=..., y=...)"
                if len(specs) == 1
                else "a model with several inputs takes one array per input, by its name",
            )
        found[spec.name] = stored[key][rows] if stored[key].ndim else stored[key]
        stated = _stated_scale(stored, key, origin)
        if stated is not None:
            scales[spec.name] = stated
    labels = stored.get("y")
    return RawData(found, labels if labels is None else labels[rows], origin, scales)


def _stated_scale(
    stored: Mapping[str, np.ndarray], key: str, origin: str
) -> tuple[float, int] | None:
    names = (f"{key}_scale", f"{key}_zero_point")
    given = [name for name in names if name in stored]
    if not given:
        return None
    if len(given) == 1:
        raise DataError(f"{origin} holds {given[0]} alone", f"give both {' and '.join(names)}")
    if any(stored[name].size != 1 for name in names):
        raise DataError(f"{origin}: {' and '.join(names)} must be single numbers")
    return float(stored[names[0]].item()), int(stored[names[1]].item())


def _listed(stored: Mapping[str, np.ndarray]) -> str:
    return "the arrays " + ", ".join(sorted(stored)) if stored else "no array"
