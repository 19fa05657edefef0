"""Bundles built and run over ssh, on a real sshd on loopback."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from tests.support.bundles import look_up, random_codes, write_tables_bundle
from tests.support.linux_arm import needs_linux_arm
from tests.support.paths import ROOT
from tests.support.sshd import Server, needs_sshd, running_server
from tinyflow.bundle import read_bundle
from tinyflow.errors import ToolError, UsageError
from tinyflow.targets.runners import get_runner
from tinyflow.targets.ssh import Connection, Workshop, parse_address

pytestmark = needs_sshd

PROGRAMS = (
    *("as", "cat", "df", "gcc", "getconf", "grep", "ld", "mkdir", "mktemp", "rm", "sh", "sleep"),
    *("tar", "tr", "uname", "wc"),
)
"""All that runs there beside the shell that logs in, as docs/ssh.md says, and what gcc calls."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose programs are `PROGRAMS` and no others."""
    folder = tmp_path_factory.mktemp("ssh")
    (folder / "bin").mkdir()
    for program in PROGRAMS:
        (folder / "bin" / program).symlink_to(str(shutil.which(program)))
    with running_server(folder / "server", {"PATH": str(folder / "bin")}) as server:
        yield server


@pytest.fixture
def server(shared: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    use(shared, monkeypatch)
    yield shared
    assert shared.left() == []


def use(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYFLOW_SSH_CONFIG", str(server.config))
    monkeypatch.setenv("TINYFLOW_SSH_FOLDER", str(server.there))


@pytest.mark.parametrize("spec", ["device", "{user}@127.0.0.1:{port}"])
def test_outputs_and_taps(server: Server, tmp_path: Path, spec: str) -> None:
    place = spec.format(user=getpass.getuser(), port=server.port)
    bundle = read_bundle(write_tables_bundle(tmp_path / "bundle"))
    x = random_codes(40)
    seen: list[tuple[int, int]] = []
    with get_runner(f"ssh:{place}") as runner:
        result = runner.run(
            bundle, {"x": x}, taps=True, progress=lambda done, total: seen.append((done, total))
        )
        (folder,) = server.left()
        assert (server.there / folder).stat().st_mode & 0o077 == 0
        released = runner.run(bundle, {"x": x[:1]})
    expected = {"y": look_up(x), "z": look_up(look_up(x))}
    assert result.taps is not None and result.taps.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(result.taps[name], array)
        np.testing.assert_array_equal(result.outputs[name], array)
        np.testing.assert_array_equal(released.outputs[name], array[:1])
    assert seen[-1] == (40, 40)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return (tinyflow_status)1;", "the model did not run"),
        ("this is no C;", r"building the bundle on device failed.*\n(.*\n)*.*src/tables.c"),
        ("*(volatile int32_t *)0 = 1;", "failed with signal 11"),
        ("__builtin_trap();", "signal 4"),
    ],
)
def test_what_fails_there_is_told_and_removed(
    server: Server, tmp_path: Path, body: str, says: str
) -> None:
    bundle = read_bundle(write_tables_bundle(tmp_path / "b", body=body))
    with pytest.raises(ToolError, match=says):
        get_runner("ssh:device").run(bundle, {"x": random_codes(1)})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_leaves_nothing(
    server: Server, tmp_path: Path, number: signal.Signals
) -> None:
    """Neither files nor processes, and even where this side is killed."""
    folder = write_tables_bundle(tmp_path / "b", body="for (;;) { }")
    np.save(tmp_path / "x.npy", random_codes(1))
    script = (
        "import numpy, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from pathlib import Path; from tinyflow.bundle import read_bundle; "
        "from tinyflow.targets.runners import get_runner; "
        "bundle = read_bundle(Path(sys.argv[1])); "
        "get_runner('ssh:device').run(bundle, {'x': numpy.load(sys.argv[2])})"
    )
    command = [sys.executable, "-c", script, str(folder), str(tmp_path / "x.npy")]
    # A killed process leaves its own temporary folder; its path must be short for a socket.
    with TemporaryDirectory(prefix="t") as place:
        environment = {**os.environ, "TMPDIR": place}
        client = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, env=environment)
        try:
            wait_for(lambda: processes_in(server.there) != [])
            client.send_signal(number)
            client.wait(30)
            wait_for(lambda: processes_in(server.there) == [] and server.left() == [])
        finally:
            client.kill()
            client.wait()


def processes_in(folder: Path) -> list[str]:
    """The harnesses that run below ``folder``."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            program = str((entry / "exe").readlink()) if entry.name.isdigit() else ""
        except OSError:
            continue
        if program.startswith(f"{folder}/") and "harness" in program:
            found.append(program)
    return found


def wait_for(condition: object, seconds: float = 60.0) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_what_does_not_run_over_ssh_is_refused(server: Server, tmp_path: Path) -> None:
    bundle = read_bundle(write_tables_bundle(tmp_path / "b"))
    with pytest.raises(UsageError, match="no sanitizers"):
        get_runner("ssh:device").run(bundle, {"x": random_codes(1)}, sanitize=True)
    (bundle.path / "cmake").mkdir()
    (bundle.path / "cmake" / "tflite_micro.cmake").touch()
    with pytest.raises(UsageError, match="only bundles of C sources"):
        get_runner("ssh:device").run(bundle, {"x": random_codes(1)})


def test_lack_of_room_is_told_before_anything_is_copied(server: Server, tmp_path: Path) -> None:
    bundle = read_bundle(write_tables_bundle(tmp_path / "b"))
    with Connection(parse_address("device"), str(server.there)) as connection:
        workshop = Workshop(connection, bundle)
        with pytest.raises(ToolError, match=r"no room in .*there on device: running.* MB are free"):
            workshop.need_room(1 << 60, "running")
        workshop.send(b"abc", "bundle/file")
        assert workshop.sizes(["bundle/file", "bundle/none"]) == 3


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for tar says what a full disk makes it say."""
    programs = tmp_path / "bin"
    programs.mkdir()
    write_program(programs / "tar", "echo tar: No space left on device >&2; exit 2")
    path = f"{programs}:/usr/bin:/bin"
    bundle = read_bundle(write_tables_bundle(tmp_path / "b"))
    with running_server(tmp_path / "server", {"PATH": path}) as server:
        use(server, monkeypatch)
        with pytest.raises(ToolError, match=r"no room in .*: copying the bundle filled the disk"):
            get_runner("ssh:device").run(bundle, {"x": random_codes(1)})
        assert server.left() == []


@needs_linux_arm
def test_a_board_gets_the_flags_of_its_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stand-ins make this computer look like a Jetson: its uname, and a gcc whose programs the
    emulator runs."""
    programs = tmp_path / "bin"
    programs.mkdir()
    write_program(programs / "uname", "echo aarch64")
    write_program(
        programs / "gcc",
        f"""echo "$@" >>{tmp_path}/calls
for last; do :; done
case $last in *.o) exec aarch64-linux-gnu-gcc "$@";; esac
aarch64-linux-gnu-gcc -static "$@" && mv "$last" "$last.elf" || exit 1
echo "exec qemu-aarch64 -cpu cortex-a57 $PWD/$last.elf" >"$last" && chmod +x "$last\"""",
    )
    bundle = read_bundle(write_tables_bundle(tmp_path / "b", "jetson-nano"))
    x = random_codes(3)
    path = {"PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin"}
    with running_server(tmp_path / "server", path) as server:
        use(server, monkeypatch)
        result = get_runner("ssh:device").run(bundle, {"x": x}, taps=True)
        assert server.left() == []
    np.testing.assert_array_equal(result.outputs["z"], look_up(look_up(x)))
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == 6 and all(call.startswith("-mcpu=cortex-a57 ") for call in calls)


def write_program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_missing_compiler_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in set(PROGRAMS) - {"gcc"}:
        (programs / program).symlink_to(str(shutil.which(program)))
    bundle = read_bundle(write_tables_bundle(tmp_path / "b"))
    with running_server(tmp_path / "server", {"PATH": str(programs)}) as server:
        use(server, monkeypatch)
        with pytest.raises(ToolError, match="there is no C compiler on device") as caught:
            get_runner("ssh:device").run(bundle, {"x": random_codes(1)})
        assert "apt-get install gcc" in caught.value.hint
        assert server.left() == []
