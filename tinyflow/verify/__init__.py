"""Runs bundles, and holds what they compute against the integer reference and the float model."""

from tinyflow.verify.inference import load_inputs, run_bundle, save_outputs
from tinyflow.verify.taps import Mismatch, Verdict, verify_bundle

__all__ = [
    "Mismatch",
    "Verdict",
    "load_inputs",
    "run_bundle",
    "save_outputs",
    "verify_bundle",
]
