"""What is read of another computer: its files as a Jetson Nano has them, and those of this one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.sshd import needs_sshd, running_server
from tinyflow.profile.timed import describe_device
from tinyflow.targets.ssh import Connection, Device, parse_address, read_device

NANO = {
    "proc/device-tree/model": "NVIDIA Jetson Nano Developer Kit\0",
    "etc/nv_tegra_release": "# R32 (release), REVISION: 7.1, GCID: 29818004, BOARD: t210ref\n",
    "etc/nvpmodel.conf": "# comment\n< POWER_MODEL ID=0 NAME=MAXN >\nCPU_ONLINE CORE_0 1\n"
    "< POWER_MODEL ID=1 NAME=5W >\n< PM_CONFIG DEFAULT=0 >\n",
    "var/lib/nvpmodel/status": "pmode:0001 fmode:quiet\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "921600\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq": "1479000\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "schedutil\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "1479000\n",
    "sys/class/devfreq/57000000.gpu/cur_freq": "76800000\n",
    "sys/class/devfreq/57000000.gpu/max_freq": "921600000\n",
    "sys/class/devfreq/vic/cur_freq": "1000000000\n",
}


@needs_sshd
def test_a_nano_and_this_computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "it's a root"
    for name, text in NANO.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    with running_server(tmp_path / "server") as server:
        monkeypatch.setenv("TINYFLOW_SSH_CONFIG", str(server.config))
        with Connection(parse_address("device"), str(server.there)) as connection:
            nano = read_device(connection, str(root))
            here = read_device(connection)
    system = os.uname()
    assert nano == Device(
        title="NVIDIA Jetson Nano Developer Kit",
        machine=system.machine,
        cores=os.cpu_count(),
        system=f"{system.sysname} {system.release}, L4T 32.7.1",
        power_mode="5W",
        governor="schedutil",
        cpu_clock_hz=1_479_000_000,
        cpu_most_hz=1_479_000_000,
        gpu_clock_hz=76_800_000,
        gpu_most_hz=921_600_000,
    )
    assert describe_device(nano).endswith(
        "L4T 32.7.1, power mode 5W, CPU at 1479 of 1479 MHz (schedutil), GPU at 76.8 of 921.6 MHz"
    )
    assert (here.machine, here.cores) == (system.machine, os.cpu_count())
    assert here.title and here.system == f"{system.sysname} {system.release}"
