"""What another computer is and how fast its clocks run, read from its files and by uname."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tinyflow.targets.ssh.connection import Connection

# One line for each file: its path, an equals sign, and its first line. Nothing of NVIDIA's tools
# is run: the power mode stands in a file that they keep.
_READ = (
    'r=$1; export LC_ALL=C; echo "machine=$(uname -m)"; echo "kernel=$(uname -sr)"; '
    'echo "processors=$(getconf _NPROCESSORS_ONLN)"; '
    'for f in "$r"/proc/device-tree/model "$r"/etc/nv_tegra_release "$r"/var/lib/nvpmodel/status '
    '"$r"/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq '
    '"$r"/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_max_freq '
    '"$r"/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor '
    '"$r"/sys/class/devfreq/*/cur_freq "$r"/sys/class/devfreq/*/max_freq; do '
    '[ -r "$f" ] && echo "${f#"$r"}=$(tr -d "[:cntrl:]" <"$f")"; done; '
    'grep "POWER_MODEL ID" "$r/etc/nvpmodel.conf" 2>/dev/null; '
    'grep -m 1 "model name" "$r/proc/cpuinfo" 2>/dev/null; exit 0'
)

_CPU = "/sys/devices/system/cpu/"
_DEVFREQ = "/sys/class/devfreq/"
_GPU = re.compile(r"gpu|gv11b|ga10b|gp10b")
"""What the devices of Tegra's GPUs are called."""


@dataclass(frozen=True)
class Device:
    """None is what the computer does not tell. Clocks are in Hz; of several cores the fastest."""

    title: str
    machine: str
    cores: int | None
    system: str
    power_mode: str | None = None
    governor: str | None = None
    cpu_clock_hz: int | None = None
    cpu_most_hz: int | None = None
    gpu_clock_hz: int | None = None
    gpu_most_hz: int | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def read_device(connection: Connection, root: str = "") -> Device:
    """``root`` is where its files lie, for tests. Changes nothing there."""
    answer = connection.call(_READ, [root])
    return parse_device(answer.stdout.decode(errors="replace"))


def parse_device(text: str) -> Device:
    lines = [_plain(line) for line in text.splitlines()]
    facts = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("<"))
    modes = dict(_modes(lines))
    machine = facts.get("machine", "")
    processors = facts.get("processors", "")
    model = next((line for line in lines if line.startswith("model name")), "")
    title = facts.get("/proc/device-tree/model") or model.partition(":")[2].strip() or machine
    return Device(
        title=title,
        machine=machine,
        cores=int(processors) if processors.isdigit() else None,
        system=", ".join(filter(None, (facts.get("kernel"), _release(facts)))),
        power_mode=_power_mode(facts, modes),
        governor=_first(facts, _CPU, "scaling_governor"),
        cpu_clock_hz=_most(facts, _CPU, "scaling_cur_freq", 1000),
        cpu_most_hz=_most(facts, _CPU, "scaling_max_freq", 1000),
        gpu_clock_hz=_most(facts, _DEVFREQ, "cur_freq", 1, _GPU),
        gpu_most_hz=_most(facts, _DEVFREQ, "max_freq", 1, _GPU),
    )


def _plain(line: str) -> str:
    """Without what a terminal would act on."""
    return "".join(c for c in line if c.isprintable())


def _modes(lines: list[str]) -> list[tuple[int, str]]:
    """Names of power modes by number, of lines such as ``< POWER_MODEL ID=0 NAME=MAXN >``."""
    found = (re.search(r"POWER_MODEL ID=(\d+) NAME=(\S+)", line) for line in lines)
    return [(int(match[1]), match[2]) for match in found if match]


def _power_mode(facts: Mapping[str, str], modes: Mapping[int, str]) -> str | None:
    found = re.search(r"pmode:(\d+)", facts.get("/var/lib/nvpmodel/status", ""))
    if found is None:
        return None
    number = int(found[1])
    return modes.get(number, str(number))


def _release(facts: Mapping[str, str]) -> str | None:
    """NVIDIA's release, of a line such as ``# R32 (release), REVISION: 7.1, ...``."""
    text = facts.get("/etc/nv_tegra_release", "")
    found = re.search(r"R(\d+) \(release\), REVISION: ([\d.]+)", text)
    return f"L4T {found[1]}.{found[2]}" if found else None


def _named(facts: Mapping[str, str], folder: str, name: str) -> dict[str, str]:
    return {
        path: value
        for path, value in facts.items()
        if path.startswith(folder) and path.endswith(f"/{name}")
    }


def _first(facts: Mapping[str, str], folder: str, name: str) -> str | None:
    return next(iter(_named(facts, folder, name).values()), None)


def _most(
    facts: Mapping[str, str],
    folder: str,
    name: str,
    unit: int,
    device: re.Pattern[str] | None = None,
) -> int | None:
    found = _named(facts, folder, name)
    values = [
        unit * int(value)
        for path, value in found.items()
        if value.isdigit() and (device is None or device.search(path))
    ]
    return max(values, default=None)
