"""Why layers of a Keras model are refused, in the user's words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tinyflow.errors import Obstacle
from tinyflow.importers.keras.names import Naming

_RECURRENT = frozenset(
    {"Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRU", "LSTM", "RNN", "SimpleRNN"}
)


def obstacles(found: Iterable[Obstacle], naming: Naming) -> list[Obstacle]:
    """What the .tflite importer says of single operations, by Keras layers; a recurrent layer
    becomes many operations, which are one obstacle."""
    listed = []
    for obstacle in found:
        path = naming.layer(obstacle.layer)
        kind = naming.layers[path].kind if path in naming.layers else ""
        listed.append(
            Obstacle(
                path,
                f"{kind} is a recurrent layer, and those are not supported",
                "use convolutions over time instead",
            )
            if kind in _RECURRENT
            else replace(obstacle, layer=path or obstacle.layer)
        )
    return list(dict.fromkeys(listed))
