"""The integer reference: each operation in NumPy, the definition that every backend must equal."""

from __future__ import annotations

from tinyflow.quantize.reference.run import REFERENCE, run_reference, run_reference_batched

__all__ = ["REFERENCE", "run_reference", "run_reference_batched"]
