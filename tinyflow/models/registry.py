"""The models by name: family, size, resolution and how their pictures are prepared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tinyflow.errors import MissingExtraError, UsageError
from tinyflow.models.family import Family
from tinyflow.models.preprocessing import IMAGENET, PIXEL_LESS_128, Preprocessing
from tinyflow.models.sizes import EdgeNeXtSize, NextViTSize, TinyNeXtSize, nextvit_size

if TYPE_CHECKING:
    from torch import nn

Size = TinyNeXtSize | EdgeNeXtSize | NextViTSize


class Task(Enum):
    CLASSIFICATION = "classification"
    DETECTION = "detection"
    SEGMENTATION = "segmentation"


@dataclass(frozen=True)
class ModelSpec:
    """One model of the catalogue, with the resolution and classes it was published with."""

    name: str
    family: Family
    size: Size
    resolution: int
    preprocessing: Preprocessing
    classes: int = 1000
    task: Task = Task.CLASSIFICATION


TINYNEXT = {
    "tinynext_t": TinyNeXtSize((32, 64, 96, 192), (3, 3, 6, 2)),
    "tinynext_s": TinyNeXtSize((32, 64, 96, 192), (3, 3, 8, 3)),
    "tinynext_m": TinyNeXtSize((32, 64, 128, 256), (4, 4, 9, 4), (2, 2, 2, 1.5)),
}
EDGENEXT = {
    "edgenext_xxs": EdgeNeXtSize((24, 48, 88, 168), (2, 2, 6, 2), heads=4),
    "edgenext_xs": EdgeNeXtSize((32, 64, 100, 192), (3, 3, 9, 3), heads=4),
    "edgenext_s": EdgeNeXtSize((48, 96, 160, 304), (3, 3, 9, 3), heads=8),
    "edgenext_b": EdgeNeXtSize((80, 160, 288, 584), (3, 3, 9, 3), heads=8),
    "edgenext_xxs_bn_hs": EdgeNeXtSize((24, 48, 88, 168), (2, 2, 6, 2), 4, batch_norm=True),
    "edgenext_xs_bn_hs": EdgeNeXtSize((32, 64, 100, 192), (3, 3, 9, 3), 4, batch_norm=True),
    "edgenext_s_bn_hs": EdgeNeXtSize((48, 96, 160, 304), (3, 3, 9, 3), 8, batch_norm=True),
}
NEXTVIT = {
    "nextvit_s": nextvit_size(2),
    "nextvit_b": nextvit_size(4),
    "nextvit_l": nextvit_size(6),
}

SPECS: dict[str, ModelSpec] = {
    spec.name: spec
    for spec in (
        *(
            ModelSpec(name, Family.TINYNEXT, size, 224, PIXEL_LESS_128)
            for name, size in TINYNEXT.items()
        ),
        *(ModelSpec(name, Family.EDGENEXT, size, 256, IMAGENET) for name, size in EDGENEXT.items()),
        *(ModelSpec(name, Family.NEXTVIT, size, 224, IMAGENET) for name, size in NEXTVIT.items()),
        *(
            ModelSpec(f"{name}_ssdlite", family, size, 320, means, 80, Task.DETECTION)
            for name, family, size, means in (
                ("tinynext_s", Family.TINYNEXT, TINYNEXT["tinynext_s"], PIXEL_LESS_128),
                ("tinynext_m", Family.TINYNEXT, TINYNEXT["tinynext_m"], PIXEL_LESS_128),
                ("edgenext_s", Family.EDGENEXT, EDGENEXT["edgenext_s"], IMAGENET),
            )
        ),
        *(
            ModelSpec(
                f"{name}_deeplabv3",
                Family.TINYNEXT,
                TINYNEXT[name],
                512,
                PIXEL_LESS_128,
                21,
                Task.SEGMENTATION,
            )
            for name in ("tinynext_s", "tinynext_m")
        ),
    )
}


def list_models() -> tuple[str, ...]:
    """Every name that `build_model` takes."""
    return tuple(SPECS)


def model_spec(name: str) -> ModelSpec:
    """The entry of a name; raises UsageError, which lists the names, for an unknown one."""
    if name not in SPECS:
        raise UsageError(f"no model is called '{name}'", f"the models are {', '.join(SPECS)}")
    return SPECS[name]


def _classifier(size: Any, num_classes: int, resolution: int) -> nn.Module:
    from tinyflow.models.edgenext import EdgeNeXt
    from tinyflow.models.nextvit import NextViT
    from tinyflow.models.tinynext import TinyNeXt

    classes: dict[type, Callable[..., nn.Module]] = {
        TinyNeXtSize: TinyNeXt,
        EdgeNeXtSize: EdgeNeXt,
        NextViTSize: NextViT,
    }
    return classes[type(size)](size, num_classes, resolution)


def _backbone(size: Any, resolution: int) -> nn.Module:
    from tinyflow.models.edgenext import EdgeNeXtBackbone
    from tinyflow.models.tinynext import TinyNeXtBackbone

    classes: dict[type, Callable[..., nn.Module]] = {
        TinyNeXtSize: TinyNeXtBackbone,
        EdgeNeXtSize: EdgeNeXtBackbone,
    }
    return classes[type(size)](size, resolution)


def _detector(size: Any, num_classes: int, resolution: int) -> nn.Module:
    from tinyflow.models.ssdlite import SsdLite

    return SsdLite(_backbone(size, resolution), num_classes)


def _segmenter(size: Any, num_classes: int, resolution: int) -> nn.Module:
    from tinyflow.models.deeplabv3 import DeepLabV3

    return DeepLabV3(_backbone(size, resolution), num_classes)


BUILDERS: dict[Task, Callable[[Any, int, int], nn.Module]] = {
    Task.CLASSIFICATION: _classifier,
    Task.DETECTION: _detector,
    Task.SEGMENTATION: _segmenter,
}


def build_network(
    size: Size, num_classes: int, resolution: int, task: Task = Task.CLASSIFICATION
) -> nn.Module:
    """A network of any size, published or not, in evaluation mode, freshly initialized.

    Next-ViT is built for classification only. Raises MissingExtraError without PyTorch.
    """
    if find_spec("torch") is None:
        raise MissingExtraError("building a model", "torch")
    return BUILDERS[task](size, num_classes, resolution).eval()


def build_model(
    name: str, num_classes: int | None = None, resolution: int | None = None
) -> nn.Module:
    """A model of the catalogue in evaluation mode, freshly initialized.

    Takes [batch, 3, resolution, resolution] in float32. Classes and resolution are the published
    ones unless given: 1000 classes, 80 of a detector, 21 of a segmenter. Raises UsageError for an
    unknown name and MissingExtraError without PyTorch.
    """
    spec = model_spec(name)
    return build_network(
        spec.size, num_classes or spec.classes, resolution or spec.resolution, spec.task
    )
