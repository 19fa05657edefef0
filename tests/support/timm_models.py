"""timm's networks, importable beside any build of torchvision.

timm imports torchvision, whose module registers meta functions for operators of its compiled
library. Where that library does not load, the operators are missing and the import fails; declared
beforehand, they are never called.
"""

from __future__ import annotations

import sys
from typing import Any

import torch

DECLARATIONS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_library: list[torch.library.Library] = []


def timm_model(name: str, num_classes: int = 1000) -> Any:
    """timm's network of that name in evaluation mode, freshly initialized."""
    if "torchvision" not in sys.modules and not _library:
        library = torch.library.Library("torchvision", "DEF")
        for declaration in DECLARATIONS.values():
            library.define(declaration)
        _library.append(library)
    import timm

    return timm.create_model(name, pretrained=False, num_classes=num_classes).eval()
