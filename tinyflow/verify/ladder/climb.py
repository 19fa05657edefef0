"""All rungs of a bundle, in order."""

from __future__ import annotations

from collections.abc import Sequence

from tinyflow.bundle import Bundle
from tinyflow.data import Dataset
from tinyflow.progress import SILENT, Progress
from tinyflow.verify.engines import ENGINES
from tinyflow.verify.ladder.compiled import compiled_rung
from tinyflow.verify.ladder.exported import exported_rung
from tinyflow.verify.ladder.floats import FloatModel, float_rungs
from tinyflow.verify.ladder.rung import Ladder


def climb(
    bundle: Bundle,
    data: Dataset,
    runners: Sequence[str],
    source: FloatModel | None = None,
    progress: Progress = SILENT,
) -> Ladder:
    """Compares every tensor of every rung on ``data``; nothing is raised for a difference.

    Without the ``source`` model the ladder begins at the integer reference. A rung whose tools are
    missing says so and is not run.
    """
    graph = bundle.graph
    rungs = list(float_rungs(source, graph, data, progress)) if source is not None else []
    rungs += [compiled_rung(bundle, runner, data, progress) for runner in runners]
    rungs += [exported_rung(engine, graph, data, progress) for engine in ENGINES]
    return Ladder(tuple(rungs))
