"""PyTorch: exported programs (.pt2) and modules, translated layer by layer."""

from __future__ import annotations

from tinyflow.importers.torch.program import import_module, import_program, load

__all__ = ["import_module", "import_program", "load"]
