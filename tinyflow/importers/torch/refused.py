"""Why operations without a handler are refused, in the user's words."""

from __future__ import annotations

from tinyflow.importers.common.layer import Layer, RefusalError

_RECURRENT = {"lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell"}
_RANDOM = {"rand", "randn", "rand_like", "randn_like", "bernoulli", "multinomial", "randint"}
_TRAINING = {"native_batch_norm", "_native_batch_norm_legit", "_batch_norm_with_update"} | {
    "_native_batch_norm_legit_functional",
    "_batch_norm_with_update_functional",
    "native_dropout",
}


def refusal(layer: Layer) -> RefusalError:
    if layer.op in _RECURRENT:
        return RefusalError(
            f"{layer.op} is a recurrent layer, and those are not supported",
            "use convolutions over time instead",
        )
    if layer.op in _TRAINING:
        return RefusalError(
            f"{layer.op} is in training mode", "call model.eval() before the export"
        )
    if layer.op in _RANDOM:
        return RefusalError(f"{layer.op} gives random numbers", "compute without them")
    return RefusalError(f"{layer.op} is not supported")
