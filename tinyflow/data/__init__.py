"""Calibration and test data: from files, folders and Python objects to a model's inputs."""

from tinyflow.data.dataset import Dataset, random_dataset
from tinyflow.data.load import DataOptions, load_data
from tinyflow.data.preprocess import Preprocess
from tinyflow.data.spec import InputSpec, input_specs

__all__ = [
    "DataOptions",
    "Dataset",
    "InputSpec",
    "Preprocess",
    "input_specs",
    "load_data",
    "random_dataset",
]
