"""How well published latencies of the Jetson Nano are estimated, and estimates for other models.

    python -m benchmarks.nano_latency [MODEL ...] [--write]

For each published series: what was published, what the fit to all networks gives, and the error
of the estimate for each network from a fit to all others. Then estimates for MODELs of
`tinyflow models`, each labelled with the runtime that it stands for and with that error.

--write counts the work of the published networks anew (MobileViT through timm) and writes
tinyflow/estimate/published.json. Nothing here is measured, and the figures do not vary.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tinyflow.estimate import Fit, Work, estimate, fit_series, load_series, work_of

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ROOT / "tinyflow" / "estimate" / "published.json"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("models", metavar="MODEL", nargs="*")
    parser.add_argument("--write", action="store_true", help="count the networks' work anew")
    options = parser.parse_args(arguments)
    if options.write:
        write()
    fits = [fit_series(series) for series in load_series().values()]
    for fit in fits:
        print(table(fit), end="\n\n")
    for name in options.models:
        work = count(name)
        for fit in fits:
            print(f"{name}: {estimate(work, fit)}")
    return 0


def table(fit: Fit) -> str:
    series = fit.series
    lines = [f"{series.device}, {series.conditions} ({series.source})"]
    lines.append(f"{'network':<16}{'published':>11}{'fitted':>9}{'left out':>10}")
    for point, error in zip(series.points, fit.left_out, strict=True):
        fitted = fit.ms(point.work)
        lines.append(f"{point.model:<16}{point.ms:>8.2f} ms{fitted:>9.2f}{100 * error:>9.1f}%")
    launch, flop, element = fit.costs
    lines.append(
        f"error left out: {100 * fit.mean_error:.1f}% on average, {100 * fit.worst_error:.1f}% at "
        f"worst; {1000 * launch:.1f} us a launch, {1e-6 / flop if flop else 0:.0f} GFLOP/s, "
        f"{1e6 * element:.2f} ms a million normalized elements"
    )
    return "\n".join(lines)


def count(model: str, resolution: int | None = None) -> Work:
    """The work of a network of `tinyflow models`, or of timm's MobileViT."""
    import torch

    from tinyflow.importers.torch import import_module
    from tinyflow.models import build_model, model_spec
    from tinyflow.passes import run_passes

    if model.startswith("mobilevit"):
        from tests.support.timm_models import timm_model

        network, side = timm_model(model), resolution or 256
    else:
        spec = model_spec(model)
        side = resolution or spec.resolution
        network = build_model(model, spec.classes, side)
    graph = import_module(network.eval(), (torch.zeros(1, 3, side, side),), model)
    return work_of(run_passes(graph))


def write() -> None:
    document: dict[str, Any] = json.loads(PUBLISHED.read_text())
    counted: dict[tuple[str, int], Work] = {}
    for series in document.values():
        for point in series["points"]:
            key = (point["model"], point["resolution"])
            if key not in counted:
                counted[key] = count(*key)
            point |= asdict(counted[key])
    PUBLISHED.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
