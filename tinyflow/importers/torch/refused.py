"""Why operations without a handler are refused, in the user's words."""

from __future__ import annotations

from tinyflow.importers.common.layer import Layer, RefusalError

_RECURRENT = {"lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell"}
_RANDOM = {"rand", "randn", "rand_like", "randn_like", "bernoulli", "multinomial", "randint"}
_BATCH_STATISTICS = {"native_batch_norm", "_native_batch_norm_legit", "_batch_norm_with_update"} | {
    "_native_batch_norm_legit_functional",
    "_batch_norm_with_update_functional",
}
_OBSERVERS = {"_fused_moving_avg_obs_fq_helper", "_fused_moving_avg_obs_fq_helper_functional"}


def refusal(layer: Layer) -> RefusalError:
    if layer.op in _RECURRENT:
        return RefusalError(
            f"{layer.op} is a recurrent layer, and those are not supported",
            "use convolutions over time instead",
        )
    if layer.op in _BATCH_STATISTICS:
        return RefusalError(
            "its batch normalization is in training mode: it takes the statistics of its input",
            "call model.eval() before the export; one without statistics of its own "
            "(track_running_stats=False) must be trained with them",
        )
    if layer.op == "native_dropout":
        return RefusalError(
            "its dropout is in training mode", "call model.eval() before the export"
        )
    if layer.op in _OBSERVERS:
        return RefusalError(
            "it observes ranges: the model is prepared for quantization, but not converted",
            "call convert_pt2e before the export",
        )
    if layer.op.startswith("quantized_decomposed.choose_qparams"):
        return RefusalError(
            "its scale is computed while the model runs",
            "quantize activations statically, with scales from calibration",
        )
    if layer.op in _RANDOM:
        return RefusalError(f"{layer.op} gives random numbers", "compute without them")
    return RefusalError(f"{layer.op} is not supported")
