"""One connection to another computer, and the folder there that lives as long as it does.

The first call holds the connection: a guard there makes the folder, waits until its input ends,
ends what still runs in the folder and removes it. Input ends when this side closes it, and also
when this process dies or the line is cut, so that nothing stays behind in any case.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import IO, Self

from tinyflow.errors import ToolError
from tinyflow.targets.ssh.address import Address
from tinyflow.targets.ssh.options import CONNECT_SECONDS, refusal, ssh_command
from tinyflow.targets.tools import tail

FOLDER = "TINYFLOW_SSH_FOLDER"
"""Where there the folder is made; by default in TMPDIR as it is there, or in /tmp."""

LOGIN_SECONDS = CONNECT_SECONDS + 40.0
REMOVE_SECONDS = 30.0

_PLACE = re.compile(r"tinyflow-folder (/.*/tinyflow-[A-Za-z0-9]{8})")
_NO_FOLDER = 3
_LOST = 255
"""What ssh ends with when it fails itself."""

# Scripts are one line without apostrophes and exclamation marks, so that every login shell hands
# them on to sh as they are.
_GUARD = (
    "umask 077; export LC_ALL=C; "
    'd=$(mktemp -d "${1:-${TMPDIR:-/tmp}}/tinyflow-XXXXXXXX") || exit 3; '
    'trap "" HUP INT TERM PIPE; echo "tinyflow-folder $d"; cat >/dev/null; '
    'for p in "$d"/pid.*; do [ -f "$p" ] && kill "${p##*.}"; done; '
    'for i in 1 2 3 4 5; do rm -rf "$d" && break; sleep 1; done; '
    '[ -e "$d" ] || echo removed'
)
_TRACKED = (
    'd=$1; cd "$d/$2" || exit 127; shift 2; export LC_ALL=C TMPDIR="$d"; '
    '"$@" & p=$!; : >"$d/pid.$p"; wait "$p"; r=$?; rm -f "$d/pid.$p"; exit $r'
)


@dataclass(frozen=True)
class Answer:
    """What a call gave; ``code`` is the exit code there, 128 and more for a signal."""

    code: int
    stdout: bytes
    stderr: str


class Connection:
    """A context: entered, it is connected and ``folder`` exists on the other computer."""

    def __init__(self, address: Address, place: str = "") -> None:
        """``place`` is where the folder is made, an absolute path there."""
        self.address = address
        self.folder = ""
        self._place = place
        self._guard: subprocess.Popen[bytes] | None = None
        self._here: tempfile.TemporaryDirectory[str] | None = None
        self._calls: set[subprocess.Popen[bytes]] = set()

    def __enter__(self) -> Self:
        # The path of a socket must be short.
        self._here = tempfile.TemporaryDirectory(prefix="tf-")
        try:
            self.folder = self._connect()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        is_gone = self.close()
        # An error that is under way says more.
        if not is_gone and kind is None:
            raise ToolError(
                f"{self.folder} on {self.address} may not have been removed: the connection was "
                "lost before the answer came",
                "look there",
            )

    def call(
        self,
        script: str,
        arguments: Sequence[str] = (),
        data: bytes | None = None,
        stdout: IO[bytes] | int = subprocess.PIPE,
    ) -> Answer:
        """Runs a script of POSIX sh there, ``data`` on its input. Raises `ToolError` where the
        connection is lost."""
        process = self._start(script, arguments, data is not None, stdout, subprocess.PIPE)
        try:
            out, err = process.communicate(data)
        finally:
            self._end(process)
        return self.finish(process, out or b"", err.decode(errors="replace"))

    def run(self, inside: str, command: Sequence[str]) -> Answer:
        """Runs a program in a folder below ``folder``; it is ended when the connection is."""
        return self.call(_TRACKED, [self.folder, inside, *command])

    def begin(
        self, inside: str, command: Sequence[str], console: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """As `run`, without waiting; what the program prints goes to ``console``."""
        arguments = [self.folder, inside, *command]
        return self._start(_TRACKED, arguments, False, console, subprocess.STDOUT)

    def finish(self, process: subprocess.Popen[bytes], stdout: bytes, stderr: str) -> Answer:
        """The answer of a call that has ended. Raises `ToolError` where the connection is lost."""
        self._calls.discard(process)
        assert self._guard is not None
        if process.returncode == _LOST and self._guard.poll() is not None:
            raise ToolError(f"the connection to {self.address} was lost\n{tail(stderr)}".strip())
        return Answer(process.returncode, stdout, stderr)

    def end_calls(self) -> None:
        """Gives up all calls; what they run there goes on until this is closed."""
        for process in list(self._calls):
            self._end(process)

    def close(self) -> bool:
        """Ends all calls and programs, removes the folder there, and disconnects. Whether the
        folder is known to be gone."""
        self.end_calls()
        guard, self._guard = self._guard, None
        try:
            return guard is not None and self._dismiss(guard)
        finally:
            if self._here is not None:
                self._here.cleanup()
                self._here = None

    def _dismiss(self, guard: subprocess.Popen[bytes]) -> bool:
        timer = Timer(REMOVE_SECONDS, guard.kill)
        timer.start()
        try:
            assert guard.stdin is not None and guard.stdout is not None
            with suppress(BrokenPipeError):
                guard.stdin.close()
            said = guard.stdout.read()
            guard.wait()
            return said.strip() == b"removed"
        finally:
            timer.cancel()
            if guard.poll() is None:
                guard.kill()
                guard.wait()

    def _connect(self) -> str:
        assert self._here is not None
        stderr = Path(self._here.name) / "stderr"
        with stderr.open("wb") as errors:
            guard = subprocess.Popen(
                [*self._ssh(True), _remote(_GUARD, [self._place])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self._guard = guard
        timer = Timer(LOGIN_SECONDS, guard.kill)
        timer.start()
        try:
            assert guard.stdout is not None
            first = guard.stdout.readline().decode(errors="replace").rstrip("\n")
        finally:
            timer.cancel()
        if found := _PLACE.fullmatch(first):
            return found[1]
        if first:
            raise ToolError(
                f"the login shell of {self.address} prints text of its own: '{first[:60]}'",
                "let its start-up files print only where the shell is interactive",
            )
        code = guard.wait()
        said = stderr.read_text(errors="replace")
        if code == _NO_FOLDER:
            raise ToolError(
                f"no folder can be made on {self.address}: {tail(said, 1)}",
                f"name one that can be written with {FOLDER}",
            )
        if code < 0:
            raise ToolError(f"{self.address} did not answer for {LOGIN_SECONDS:g} seconds")
        raise refusal(self.address, said)

    def _start(
        self,
        script: str,
        arguments: Sequence[str],
        is_fed: bool,
        stdout: IO[bytes] | int,
        stderr: int,
    ) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*self._ssh(False), _remote(script, arguments)],
            stdin=subprocess.PIPE if is_fed else subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            # Ctrl-C is for this process alone: the connection is needed to clean up.
            start_new_session=True,
        )
        self._calls.add(process)
        return process

    def _ssh(self, is_master: bool) -> list[str]:
        assert self._here is not None
        return ssh_command(self.address, Path(self._here.name) / "s", is_master)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.kill()
        process.wait()
        self._calls.discard(process)


def _remote(script: str, arguments: Sequence[str]) -> str:
    """One command line that any login shell takes apart into sh and its arguments."""
    return shlex.join(["exec", "sh", "-c", script, "tinyflow", *arguments])
