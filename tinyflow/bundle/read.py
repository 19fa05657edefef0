"""Reading a bundle back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tinyflow.bundle.layout import GRAPH, MANIFEST, REPORT, SCHEMA_VERSION
from tinyflow.errors import BundleError
from tinyflow.ir import Graph


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle on disk. ``manifest`` is the contents of manifest.json."""

    path: Path
    manifest: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The model's name, as it stands in file names and in the C API."""
        return str(self.manifest["model"]["name"])

    @property
    def target(self) -> str:
        """The name of the target that the bundle was compiled for. Raises `BundleError` where
        the model was only quantized."""
        name = self.manifest["target"]["name"]
        if name is None:
            raise BundleError(
                f"'{self.path}' holds a quantized model, which was not compiled for a target",
                f"tinyflow compile {self.path / GRAPH} --target T",
            )
        return str(name)

    @property
    def optimize(self) -> str:
        """The goal that the bundle is compiled for: balanced, size or speed."""
        return str(self.manifest.get("options", {}).get("optimize", "balanced"))

    @property
    def is_lowered(self) -> bool:
        """Whether layers were lowered to builtin operators of TFLite at a cost: then the bundle
        computes what its .tflite file says, and not what its graph does."""
        return bool(self.manifest.get("tflite", {}).get("lowered"))

    @cached_property
    def graph(self) -> Graph:
        """The quantized graph. Raises `BundleError` or `ModelError`."""
        from tinyflow.ir import serialize

        data = self.read(GRAPH)
        return serialize.from_bytes(data, str(self.path / GRAPH))

    @property
    def report(self) -> dict[str, Any]:
        """The contents of report.json."""
        return _parse(self.read(REPORT), self.path / REPORT)

    def read(self, relative: str) -> bytes:
        """A file of the bundle. Raises `BundleError` where it is missing."""
        try:
            return (self.path / relative).read_bytes()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise BundleError(
                f"the bundle '{self.path}' has no readable {relative}: {reason}",
                "compile the model again",
            ) from None


def read_bundle(path: Path) -> Bundle:
    """The bundle in the folder ``path``. Raises `BundleError` where there is none."""
    if not path.exists():
        raise BundleError(f"there is no bundle '{path}'", "make one with tinyflow compile")
    if not path.is_dir() or not (path / MANIFEST).is_file():
        raise BundleError(
            f"'{path}' is not a bundle: it has no {MANIFEST}",
            "name a folder that tinyflow compile made",
        )
    bundle = Bundle(path, {})
    manifest = _parse(bundle.read(MANIFEST), path / MANIFEST)
    version = manifest.get("schema_version")
    if version != SCHEMA_VERSION:
        raise BundleError(
            f"'{path}' is a bundle of schema {version}, this TinyFlow reads {SCHEMA_VERSION}",
            "compile the model again with this version",
        )
    for part, kinds in (("model", str), ("target", str | None)):
        entry = manifest.get(part)
        if not isinstance(entry, dict) or not isinstance(entry.get("name", 0), kinds):
            raise BundleError(
                f"the manifest of '{path}' does not name its {part}", "compile the model again"
            )
    return Bundle(path, manifest)


def _parse(data: bytes, origin: Path) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except ValueError as error:
        raise BundleError(
            f"'{origin}' is not sound JSON: {error}", "compile the model again"
        ) from None
    if not isinstance(document, dict):
        raise BundleError(f"'{origin}' holds no JSON object", "compile the model again")
    return document
