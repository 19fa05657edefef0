"""Opens a model by what lies at its path."""

from __future__ import annotations

from pathlib import Path

from tinyflow.importers.keras.worker.keras_file import open_keras
from tinyflow.importers.keras.worker.model import OpenModel
from tinyflow.importers.keras.worker.saved_model import open_saved_model


def open_model(path: Path) -> OpenModel:
    """A Keras file, or a SavedModel folder."""
    return open_saved_model(path) if path.is_dir() else open_keras(path)
