"""The compiled bundle on its runners, against what it has to compute."""

from __future__ import annotations

from tinyflow.bundle import Bundle
from tinyflow.data import Dataset
from tinyflow.errors import MissingExtraError, ToolError, UsageError
from tinyflow.progress import Progress
from tinyflow.targets.runners import get_runner
from tinyflow.verify.expected import expected_by
from tinyflow.verify.ladder.rung import Difference, Outcome, Rung, not_run
from tinyflow.verify.taps import verify_dataset


def compiled_rung(bundle: Bundle, runner: str, data: Dataset, progress: Progress) -> Rung:
    """Every tensor at its tap, up to the first difference."""
    name = get_runner(runner).name
    try:
        verdict = verify_dataset(bundle, runner, data, progress)
    except (MissingExtraError, UsageError, ToolError) as error:
        return not_run(name, expected_by(bundle), error.message)
    first = verdict.first_mismatch
    differences: tuple[Difference, ...] = ()
    if first is not None:
        node = bundle.graph.producer(first.tensor)
        differences = (
            Difference(
                first.layer,
                node.op.value if node else "input",
                first.tensor,
                first.largest,
                first.elements,
            ),
        )
    return Rung(
        name,
        verdict.reference,
        Outcome.EQUAL if first is None else Outcome.DIFFERS,
        inputs=verdict.inputs,
        tensors=verdict.tensors_compared,
        differences=differences,
    )
