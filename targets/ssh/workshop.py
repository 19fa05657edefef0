"""A bundle on another computer: its sources, what was built of them, and its runs."""

from __future__ import annotations

import signal
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

from tinyflow.bundle import Bundle
from tinyflow.errors import ToolError, UsageError
from tinyflow.targets.build import compile_flags, host_sources
from tinyflow.targets.build_tflite_micro import needs_tflite_micro
from tinyflow.targets.flags import INCLUDE_FOLDERS, OPTIMIZE_FLAGS, VERIFY_FLAGS
from tinyflow.targets.load import load_target
from tinyflow.targets.model import System
from tinyflow.targets.ssh.connection import Answer, Connection
from tinyflow.targets.tools import tail

COMPILERS = ("gcc", "cc", "clang")
LINUX_MACHINE = "aarch64"
"""What ``uname -m`` says where programs of `System.LINUX` run."""

COMPILERS_AT_ONCE = 4
SPARE_BYTES = 4 << 20
_BACKENDS = (None, "c", "tvm")
"""Those that give C sources; bundles of tests name none."""

_BUNDLE = "bundle"
_ILLEGAL_INSTRUCTION = 128 + signal.SIGILL
_FULL = "No space left on device"


class Workshop:
    """One bundle below the folder of an entered connection. Programs are built when they are
    first asked for."""

    def __init__(self, connection: Connection, bundle: Bundle) -> None:
        """Copies the sources. Raises `UsageError` where the bundle's model is not in C, and
        `ToolError` where the other computer cannot build it."""
        self.connection = connection
        self.bundle = bundle
        backend = bundle.manifest["target"].get("backend")
        if backend not in _BACKENDS or needs_tflite_micro(bundle.path):
            raise UsageError(
                f"'{bundle.path}' was compiled with --backend {backend}, and only bundles of C "
                "sources run over ssh",
                "compile with --backend c",
            )
        self.compiler = self._find_compiler()
        self._own_flags = self._choose_flags()
        self._objects: set[str] = set()
        self._programs: dict[tuple[str, bool], str] = {}
        self._send_sources()

    def program(self, application: str, verify: bool = False) -> str:
        """The path there of the program of app/``application``.c. Raises `ToolError`."""
        key = (application, verify)
        if key not in self._programs:
            self._programs[key] = self._build(application, verify)
        return self._programs[key]

    def make_folder(self, name: str) -> None:
        self._check(self.connection.call('mkdir "$1"', [self._path(name)]), "making a folder")

    def remove_folder(self, name: str) -> None:
        self._check(self.connection.call('rm -rf "$1"', [self._path(name)]), "removing a folder")

    def send(self, data: bytes, file: str) -> None:
        """Writes a file there. Raises `ToolError` where there is no room."""
        self._check(self.connection.call('cat >"$1"', [self._path(file)], data), f"copying {file}")

    def fetch(self, file: str, to: Path) -> None:
        with to.open("wb") as data:
            answer = self.connection.call('cat "$1"', [self._path(file)], stdout=data)
        self._check(answer, f"fetching {file}")

    def sizes(self, files: Sequence[str]) -> int:
        """Bytes of the files there that exist, together."""
        script = 'for f in "$@"; do [ -f "$f" ] && wc -c <"$f"; done; exit 0'
        answer = self.connection.call(script, [self._path(file) for file in files])
        return sum(int(word) for word in answer.stdout.split() if word.isdigit())

    def need_room(self, nbytes: int, what: str) -> None:
        """Raises `ToolError` where less is free there than ``what`` needs. A computer that does
        not tell is believed to have room."""
        answer = self.connection.call('LC_ALL=C df -Pk "$1"', [self.connection.folder])
        words = answer.stdout.decode(errors="replace").split("\n")[1:2]
        columns = words[0].split() if words else []
        if len(columns) < 6 or not columns[3].isdigit():
            return
        free = 1024 * int(columns[3])
        if free < nbytes + SPARE_BYTES:
            raise self._no_room(
                f"{what} needs {(nbytes + SPARE_BYTES) / 2**20:.1f} MB, "
                f"{free / 2**20:.1f} MB are free"
            )

    def failure(self, answer: Answer, purpose: str, text: str | None = None) -> ToolError:
        """What a failed call says, in a sentence."""
        said = answer.stderr if text is None else text
        if _FULL in said:
            return self._no_room(f"{purpose} filled the disk")
        code = answer.code
        kind = f"signal {code - 128}" if code > 128 else f"exit code {code}"
        shown = tail(said)
        hint = ""
        if code == _ILLEGAL_INSTRUCTION:
            hint = "the bundle was compiled for a core with more instructions than this one has"
        return ToolError(
            f"{purpose} on {self.connection.address} failed with {kind}"
            + (f"\n{shown}" if shown else ""),
            hint,
        )

    def _no_room(self, reason: str) -> ToolError:
        place = self.connection.folder.rpartition("/")[0] or "/"
        return ToolError(
            f"there is no room in {place} on {self.connection.address}: {reason}",
            "free some, or name another folder there with TINYFLOW_SSH_FOLDER",
        )

    def _path(self, relative: str) -> str:
        return f"{self.connection.folder}/{relative}"

    def _check(self, answer: Answer, purpose: str) -> None:
        if answer.code != 0:
            raise self.failure(answer, purpose)

    def _find_compiler(self) -> str:
        script = 'for c in "$@"; do command -v "$c" && exit 0; done; exit 1'
        answer = self.connection.call(script, COMPILERS)
        if answer.code != 0:
            raise ToolError(
                f"there is no C compiler on {self.connection.address}",
                "install one there: sudo apt-get install gcc libc6-dev",
            )
        return answer.stdout.decode(errors="replace").strip()

    def _choose_flags(self) -> tuple[str, ...]:
        """Those of the target's core, on a computer that can have such a core. Any other gets
        the plain C beside each vector instruction."""
        target = load_target(self.bundle.target)
        machine = self.connection.call("uname -m").stdout.decode(errors="replace").strip()
        return target.flags if target.system is System.LINUX and machine == LINUX_MACHINE else ()

    def _send_sources(self) -> None:
        data = _pack(self.bundle.path)
        # As sources, in object files, and in the two programs that a comparison builds.
        self.need_room(4 * len(data), "building the bundle")
        script = 'mkdir "$1" && tar -xmf - -C "$1"'
        self._check(self.connection.call(script, [self._path(_BUNDLE)], data), "copying the bundle")

    def _build(self, application: str, verify: bool) -> str:
        bundle_dir = self.bundle.path
        if not (bundle_dir / "app" / f"{application}.c").is_file():
            raise ToolError(f"'{bundle_dir}' has no app/{application}.c", "compile the model again")
        sources = host_sources(bundle_dir, application)
        kind = "verify" if verify else "release"
        flags = [OPTIMIZE_FLAGS[self.bundle.optimize], *(VERIFY_FLAGS if verify else ())]
        compile_ = [self.compiler, *self._own_flags, *compile_flags(flags)]
        # Object files lie beside their sources, and programs share them.
        objects = {f"{source}.{kind}.o": source for source in sources}

        def compile_one(name: str) -> None:
            self._compile([*compile_, "-c", objects[name], "-o", name])

        missing = [name for name in objects if name not in self._objects]
        pool = ThreadPoolExecutor(COMPILERS_AT_ONCE)
        try:
            list(pool.map(compile_one, missing))
        except BaseException:
            self.connection.end_calls()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        self._objects.update(missing)
        program = f"{application}.{kind}"
        self._compile([self.compiler, *self._own_flags, *objects, "-o", program])
        return self._path(f"{_BUNDLE}/{program}")

    def _compile(self, command: Sequence[str]) -> None:
        self._check(self.connection.run(_BUNDLE, command), "building the bundle")


def watch(
    process: subprocess.Popen[bytes],
    every: float,
    look: Callable[[], None],
) -> None:
    """Waits for the end of a process and calls ``look`` in between, each ``every`` seconds."""
    while True:
        try:
            process.wait(every)
            return
        except subprocess.TimeoutExpired:
            look()


def _pack(bundle_dir: Path) -> bytes:
    """An archive of all that a build reads."""
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as files:
        for folder in INCLUDE_FOLDERS:
            for path in sorted((bundle_dir / folder).rglob("*")):
                if path.is_file():
                    data = path.read_bytes()
                    entry = tarfile.TarInfo(path.relative_to(bundle_dir).as_posix())
                    entry.size = len(data)
                    entry.mode = 0o600
                    files.addfile(entry, BytesIO(data))
    return archive.getvalue()
