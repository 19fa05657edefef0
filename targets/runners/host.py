"""On this computer, compiled with gcc."""

from __future__ import annotations

from tinyflow.bundle import Bundle
from tinyflow.targets.build import build_host
from tinyflow.targets.load import HOST, load_target
from tinyflow.targets.runners.cache import build_once
from tinyflow.targets.runners.runner import ProgramRunner


class HostRunner(ProgramRunner):
    """``sanitize`` adds the address and undefined-behaviour sanitizers: any finding fails."""

    name = "host"

    def prepare(self, bundle: Bundle, taps: bool, sanitize: bool) -> list[str]:
        program = build_once(
            bundle.path,
            f"host verify={taps} sanitize={sanitize} {bundle.optimize}",
            lambda path: build_host(
                bundle.path, load_target(HOST), path, taps, sanitize, optimize=bundle.optimize
            ),
        )
        return [str(program)]
