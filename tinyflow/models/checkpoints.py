"""Trained weights into our networks, from the key layouts in which they are published.

The authors' names are ours. timm's names of EdgeNeXt and Next-ViT are translated; training
scripts wrap the weights in a dictionary with other things, which are left aside.
"""

from __future__ import annotations

import argparse
import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tinyflow.errors import ModelError
from tinyflow.models.family import Family

WRAPPERS = {
    Family.TINYNEXT: ("model", "state_dict"),
    Family.EDGENEXT: ("model_ema", "model", "state_dict"),
    Family.NEXTVIT: ("model", "state_dict"),
}
"""Where the weights are within a file, the best ones first."""

SHOWN_NAMES = 4

Weights = dict[str, torch.Tensor]


def load_checkpoint(model: nn.Module, path: str | Path, weights: str | None = None) -> nn.Module:
    """Fills ``model`` with the weights of a file and returns it, in evaluation mode.

    ``weights`` is the entry of the file to take, by default the first of WRAPPERS that is there. A
    backbone takes a classifier's file and leaves its head aside. Nothing but tensors is ever
    loaded. Raises ModelError when the file cannot be read or its weights are not the model's.
    """
    content = _read(Path(path))
    found = _unwrap(content, model.family, weights, Path(path).name)
    renamed = RENAMES[model.family](_without_prefix(found), model)
    fitted = _fit(renamed, model, Path(path).name)
    model.load_state_dict(fitted, strict=False)
    return model.eval()


def _read(path: Path) -> object:
    # The options of the training script, which some published files hold beside the weights.
    harmless = [argparse.Namespace]
    try:
        with torch.serialization.safe_globals(harmless):
            return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ModelError(f"{path}: there is no such file") from None
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path}: holds more than tensors, or is no checkpoint of PyTorch",
            'save the weights alone where you trust the file: torch.save({"model": '
            'torch.load(file, weights_only=False)["model"]}, other_file)',
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as a checkpoint of PyTorch: {error}") from error


def _is_weights(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) > 0
        and all(isinstance(tensor, torch.Tensor) for tensor in value.values())
    )


def _unwrap(content: object, family: Family, wanted: str | None, file: str) -> Weights:
    if wanted is None and _is_weights(content):
        return dict(content)  # type: ignore[call-overload]
    entries: Mapping[str, Any] = content if isinstance(content, Mapping) else {}
    for name in WRAPPERS[family] if wanted is None else (wanted,):
        if _is_weights(entries.get(name)):
            return dict(entries[name])
    places = wanted or ", ".join(WRAPPERS[family])
    raise ModelError(
        f"{file}: no weights under {places}",
        f"the file has {', '.join(map(str, entries)) or 'no entries'}",
    )


def _without_prefix(weights: Weights) -> Weights:
    """Training on several devices puts every name behind ``module.``."""
    prefix = "module."
    if not all(name.startswith(prefix) for name in weights):
        return weights
    return {name.removeprefix(prefix): value for name, value in weights.items()}


def _rename(weights: Weights, rules: Mapping[str, str | Callable[[re.Match[str]], str]]) -> Weights:
    renamed = {}
    for name, value in weights.items():
        for pattern, replacement in rules.items():
            name = re.sub(pattern, replacement, name)
        renamed[name] = value
    return renamed


def _rename_tinynext(weights: Weights, _: nn.Module) -> Weights:
    return weights


def _rename_edgenext(weights: Weights, _: nn.Module) -> Weights:
    """From timm's names; the authors' names stay."""
    return _rename(
        weights,
        {
            r"^stem\.": "downsample_layers.0.",
            r"^stages\.(\d+)\.downsample\.": r"downsample_layers.\1.",
            r"^stages\.(\d+)\.blocks\.": r"stages.\1.",
            r"\.conv_dw\.": ".dwconv.",
            r"\.mlp\.fc(\d)\.": r".pwconv\1.",
            r"^head\.norm\.": "norm.",
            r"^head\.fc\.": "head.",
        },
    )


def _rename_nextvit(weights: Weights, model: nn.Module) -> Weights:
    """From timm's names, whose blocks are numbered within stages; the authors' names stay."""

    def flat(match: re.Match[str]) -> str:
        stage, block = int(match[1]), int(match[2])
        return f"features.{sum(model.depths[:stage]) + block}."

    return _rename(
        weights,
        {
            r"^stages\.(\d+)\.blocks\.(\d+)\.": flat,
            r"\.mlp\.fc(\d)\.": r".mlp.conv\1.",
            r"^head\.fc\.": "proj_head.0.",
        },
    )


RENAMES: dict[Family, Callable[[Weights, nn.Module], Weights]] = {
    Family.TINYNEXT: _rename_tinynext,
    Family.EDGENEXT: _rename_edgenext,
    Family.NEXTVIT: _rename_nextvit,
}


def _fit(weights: Weights, model: nn.Module, file: str) -> Weights:
    """The weights in the model's shapes; raises ModelError when names or shapes do not fit."""
    expected = model.state_dict()
    unused = [name for name in weights if name not in expected]
    if not model.has_head:
        unused = [name for name in unused if not name.startswith(model.head_layers)]
    missing = [
        name
        for name in expected
        if name not in weights and not name.endswith("num_batches_tracked")
    ]
    if missing or unused:
        raise ModelError(
            f"{file}: these are not the weights of this {model.family.value}: "
            + "; ".join(_names(missing, "missing") + _names(unused, "not in the model")),
            "build the model of the size that was trained",
        )
    return {
        name: _in_shape(weights[name], value.shape, name, model, file)
        for name, value in expected.items()
        if name in weights
    }


def _names(names: list[str], what: str) -> list[str]:
    if not names:
        return []
    more = ", ..." if len(names) > SHOWN_NAMES else ""
    return [f"{len(names)} {what} ({', '.join(names[:SHOWN_NAMES])}{more})"]


def _in_shape(
    value: torch.Tensor, shape: torch.Size, name: str, model: nn.Module, file: str
) -> torch.Tensor:
    if value.shape == shape:
        return value
    # A 1x1 convolution and a linear layer are the same numbers.
    if value.shape[:2] == shape[:2] and {*value.shape[2:], *shape[2:]} <= {1}:
        return value.reshape(shape)
    if name.startswith(model.head_layers) and value.shape[1:] == shape[1:]:
        raise ModelError(
            f"{file}: its head '{name}' has {value.shape[0]} classes, the model's has {shape[0]}",
            f"build the model with num_classes={value.shape[0]}",
        )
    raise ModelError(
        f"{file}: '{name}' has the shape {tuple(value.shape)}, the model's has {tuple(shape)}",
        "build the model of the size that was trained",
    )
