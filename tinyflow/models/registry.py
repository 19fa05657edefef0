"""The models by name: family, size, resolution and how their pictures are prepared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from tinyflow.errors import UsageError
from tinyflow.models.family import Family
from tinyflow.models.preprocessing import IMAGENET, PIXEL_LESS_128, Preprocessing
from tinyflow.models.sizes import EdgeNeXtSize, NextViTSize, TinyNeXtSize, nextvit_size

if TYPE_CHECKING:
    from torch import nn

Size = TinyNeXtSize | EdgeNeXtSize | NextViTSize


class Task(Enum):
    CLASSIFICATION = "classification"


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


def _build_tinynext(size: TinyNeXtSize, num_classes: int, resolution: int) -> nn.Module:
    from tinyflow.models.tinynext import TinyNeXt

    return TinyNeXt(size, num_classes, resolution)


def _build_edgenext(size: EdgeNeXtSize, num_classes: int, resolution: int) -> nn.Module:
    from tinyflow.models.edgenext import EdgeNeXt

    return EdgeNeXt(size, num_classes, resolution)


def _build_nextvit(size: NextViTSize, num_classes: int, resolution: int) -> nn.Module:
    from tinyflow.models.nextvit import NextViT

    return NextViT(size, num_classes, resolution)


BUILDERS: dict[type, Callable[[Any, int, int], nn.Module]] = {
    TinyNeXtSize: _build_tinynext,
    EdgeNeXtSize: _build_edgenext,
    NextViTSize: _build_nextvit,
}


def build_network(size: Size, num_classes: int, resolution: int) -> nn.Module:
    """A classifier of any size, published or not, in evaluation mode, freshly initialized."""
    return BUILDERS[type(size)](size, num_classes, resolution).eval()


def build_model(name: str, num_classes: int = 1000, resolution: int | None = None) -> nn.Module:
    """A model of the catalogue in evaluation mode, freshly initialized.

    Takes [batch, 3, resolution, resolution] in float32; ``resolution`` is the published one unless
    given. Raises UsageError for an unknown name.
    """
    spec = model_spec(name)
    return build_network(spec.size, num_classes, resolution or spec.resolution)
