"""A bundle on a batch of inputs: from files to integers, and back to real numbers."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinyflow.bundle import Bundle
from tinyflow.data import DataOptions, Dataset, InputSpec, Preprocess, load_data
from tinyflow.data.arrays import load_arrays
from tinyflow.data.raw import RawData, to_dataset
from tinyflow.data.spec import to_source
from tinyflow.errors import BundleError, DataError
from tinyflow.ir import DType
from tinyflow.ir.serialize import npz_bytes
from tinyflow.progress import SILENT, Progress
from tinyflow.targets.runners import get_runner

Arrays = dict[str, np.ndarray]


def bundle_specs(bundle: Bundle) -> tuple[InputSpec, ...]:
    """The inputs of the source model that a bundle was made from. Raises `BundleError`."""
    try:
        return tuple(_spec(entry) for entry in bundle.manifest["inputs"])
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(bundle, "manifest.json", error) from None


def _spec(entry: Mapping[str, Any]) -> InputSpec:
    source = DType(entry["source_dtype"])
    return InputSpec(
        entry["name"],
        tuple(entry["shape"]),
        tuple(entry["layout"]),
        source if source.is_integer else None,
    )


def bundle_data_options(bundle: Bundle) -> DataOptions:
    """The preprocessing that a bundle's manifest carries. Raises `BundleError`."""
    try:
        entry = bundle.manifest["preprocess"]
        return DataOptions(Preprocess.from_json(entry), entry["x_scale"], entry["x_zero_point"])
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(bundle, "manifest.json", error) from None


def _damaged(bundle: Bundle, file: str, error: Exception) -> BundleError:
    return BundleError(f"{file} of '{bundle.path}' is damaged ({error!r})", "compile again")


def load_inputs(bundle: Bundle, path: Path, raw: bool = False) -> Arrays:
    """An .npy or .npz file as the integers [n, ...] that the compiled model takes, stored layout.

    Integers of a ``raw`` file are taken as they are. Raises `DataError` where they do not fit.
    """
    if not path.is_file():
        raise DataError(f"there is no file '{path}'")
    specs = bundle_specs(bundle)
    found = load_arrays(path, specs, slice(None), path.name)
    options = bundle_data_options(bundle)
    if raw:
        types = {name: bundle.graph.tensors[name].dtype for name in bundle.graph.inputs}
        specs = tuple(InputSpec(s.name, s.shape, s.layout, types[s.name]) for s in specs)
        _check_raw(found, types)
        found = RawData(found.arrays, None, found.origin)
        options = DataOptions(options.preprocess)
    return to_dataset(found, specs, options).codes(bundle.graph)


def _check_raw(found: RawData, types: Mapping[str, DType]) -> None:
    for name, array in found.arrays.items():
        if array.dtype.kind in "iu" and array.dtype != types[name].numpy:
            raise DataError(
                f"{found.origin}: --raw takes {types[name].value} for the input '{name}', "
                f"the array is {array.dtype}"
            )


def run_bundle(
    bundle: Bundle,
    runner: str,
    inputs: Mapping[str, np.ndarray],
    raw: bool = False,
    progress: Progress = SILENT,
) -> Arrays:
    """The outputs [n, ...] in the source model's layout: real numbers, or integers with ``raw``.

    ``inputs`` are integers in the stored layout, as `load_inputs` gives them.
    """
    result = get_runner(runner).run(
        bundle, inputs, progress=lambda done, total: progress.count(f"run on {runner}", done, total)
    )
    graph = bundle.graph
    return {
        name: to_source(graph, name, codes if raw else graph.tensors[name].params.dequantize(codes))
        for name, codes in result.outputs.items()
    }


def save_outputs(path: Path, outputs: Mapping[str, np.ndarray]) -> None:
    """One output as .npy; any number of them as .npz, by name."""
    if path.suffix not in (".npy", ".npz"):
        raise DataError(f"'{path}' is neither .npy nor .npz", "name the outputs' file so")
    if path.suffix == ".npy" and len(outputs) > 1:
        raise DataError(
            f"the model has {len(outputs)} outputs, an .npy file holds one",
            "name the outputs' file .npz",
        )
    if path.suffix == ".npy":
        buffer = io.BytesIO()
        np.save(buffer, next(iter(outputs.values())), allow_pickle=False)
        data = buffer.getvalue()
    else:
        data = npz_bytes(outputs)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise DataError(f"'{path}' cannot be written ({error.strerror})") from None


def bundle_dataset(bundle: Bundle, data: str | None, limit: int | None) -> Dataset:
    """The first ``limit`` inputs of ``data``, or of the bundle's own test vectors."""
    dataset = (
        load_data(data, bundle_specs(bundle), bundle_data_options(bundle))
        if data is not None
        else test_vectors(bundle)
    )
    return dataset if limit is None else dataset.head(limit)


def test_vectors(bundle: Bundle) -> Dataset:
    """The inputs of the bundle's own self-test. Raises `BundleError`."""
    arrays = {}
    for index, name in enumerate(bundle.graph.inputs):
        file = f"test_vectors/input_{index}.npy"
        try:
            arrays[name] = np.load(io.BytesIO(bundle.read(file)), allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise _damaged(bundle, file, error) from None
    return Dataset(arrays, None, "test vectors")
