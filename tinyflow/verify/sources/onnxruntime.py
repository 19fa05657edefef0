"""ONNX models in onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinyflow.errors import MissingExtraError, ModelError
from tinyflow.verify.sources.runtime import Arrays, SampleRuntime

_ERRORS_ONLY = 3


class OnnxRuntime(SampleRuntime):
    """An .onnx file; tensors have the names of the file."""

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise MissingExtraError("running an ONNX model as it is", "onnx") from None
        import onnx

        self.name = f"onnxruntime {onnxruntime.__version__}"
        self._runtime = onnxruntime
        try:
            self._model = onnx.load(path)
            self._session: Any = self._open(())
        # Both libraries raise exceptions of their own kinds; nothing but the file goes in.
        except Exception as error:
            raise ModelError(f"onnxruntime cannot open {path} ({error})") from None
        self._opened: tuple[str, ...] = ()
        self._known = {name for node in self._model.graph.node for name in node.output if name}
        self.inputs = tuple(value.name for value in self._session.get_inputs())
        self.outputs = tuple(value.name for value in self._session.get_outputs())

    def _run_one(self, inputs: Arrays, tensors: tuple[str, ...]) -> Arrays:
        inner = tuple(n for n in tensors if n in self._known and n not in self.outputs)
        if inner != self._opened:
            self._session, self._opened = self._open(inner), inner
        names = [*self.outputs, *inner]
        return dict(zip(names, self._session.run(names, inputs), strict=True))

    def _open(self, inner: Sequence[str]) -> Any:
        """A session that gives out the tensors ``inner`` too."""
        import onnx

        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in inner)
        options = self._runtime.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        options.intra_op_num_threads = 1
        return self._runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
