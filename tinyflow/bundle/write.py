"""Files of a bundle, byte for byte the same for the same contents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyflow.errors import BundleError


def json_bytes(document: Any) -> bytes:
    """JSON with sorted keys. NaN and infinity are refused: a figure that is not known is None."""
    return (json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def write_files(directory: Path, files: Mapping[str, bytes]) -> None:
    """Writes files by their path relative to ``directory``. Raises `BundleError`."""
    for relative, data in sorted(files.items()):
        path = directory / relative
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise BundleError(f"'{relative}' of the bundle cannot be written: {reason}") from None
