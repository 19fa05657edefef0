"""From a .tflite file back to what a reader of it has to know."""

from __future__ import annotations

from tinyflow.codegen.tflite.file import OperatorUse, TfliteFile
from tinyflow.codegen.tflite.flatbuffer import schema


def read_tflite(data: bytes) -> TfliteFile:
    """A file of one graph. Which nodes it was written from stands in no file: these are left empty.

    Raises `MissingExtraError`.
    """
    names = schema()
    model = names.Model.GetRootAs(data, 0)
    graph = model.Subgraphs(0)
    builtins = {code: name for name, code in vars(names.BuiltinOperator).items()}
    uses = []
    for entry in map(model.OperatorCodes, range(model.OperatorCodesLength())):
        # Old files have the one, and new ones for new operators only the other.
        code = max(entry.BuiltinCode(), entry.DeprecatedBuiltinCode())
        custom = code == names.BuiltinOperator.CUSTOM
        name = entry.CustomCode().decode() if custom else builtins[code]
        uses.append(OperatorUse(name, code, custom))
    tensors = map(graph.Tensors, range(graph.TensorsLength()))
    indices = {tensor.Name().decode(): index for index, tensor in enumerate(tensors)}
    return TfliteFile(data, indices, tuple(uses))
