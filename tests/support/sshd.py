"""A real sshd for tests: on loopback, with keys of its own, all in one temporary folder."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = {
    "ssh": shutil.which("ssh"),
    "ssh-keygen": shutil.which("ssh-keygen"),
    "sshd": shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"),
}

_MISSING = [name for name, path in PROGRAMS.items() if path is None]

needs_sshd = pytest.mark.skipif(
    bool(_MISSING), reason=f"{' and '.join(_MISSING)} must be installed: scripts/setup test"
)


@dataclass(frozen=True)
class Server:
    """``config`` is for ``ssh -F``: it names the server ``device``. ``there`` is where bundles
    are put."""

    folder: Path
    port: int

    @property
    def config(self) -> Path:
        return self.folder / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def there(self) -> Path:
        return self.folder / "there"

    def left(self) -> list[str]:
        """What runs have left behind."""
        return sorted(path.name for path in self.there.iterdir())


def make_key(path: Path) -> str:
    """Writes a new key and gives its public part."""
    command = [str(PROGRAMS["ssh-keygen"]), "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]
    subprocess.run(command, check=True)
    return path.with_suffix(".pub").read_text().strip()


@contextmanager
def running_server(
    folder: Path, environment: Mapping[str, str] | None = None, options: str = ""
) -> Iterator[Server]:
    """``environment`` is what programs find there, ``options`` are lines of sshd_config."""
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    server = Server(folder, port)
    server.there.mkdir()
    host_key = make_key(folder / "host_key")
    user_key = make_key(folder / "user_key")
    (folder / "authorized_keys").write_text(f"{user_key}\n")
    server.known_hosts.write_text(f"[127.0.0.1]:{port} {host_key}\n")
    server.config.write_text(_client(folder, port))
    (folder / "sshd_config").write_text(_server(folder, port, environment or {}, options))
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    log = folder / "sshd.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [str(PROGRAMS["sshd"]), "-D", "-e", "-f", folder / "sshd_config"],
            stdin=subprocess.DEVNULL,
            stderr=stderr,
        )
    try:
        _await(port, process, log)
        yield server
    finally:
        process.terminate()
        process.wait()


def _client(folder: Path, port: int) -> str:
    return f"""Host device
    HostName 127.0.0.1
    Port {port}
Host *
    User {getpass.getuser()}
    IdentityFile {folder}/user_key
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile /dev/null
"""


def _server(folder: Path, port: int, environment: Mapping[str, str], options: str) -> str:
    variables = " ".join(f'"{name}={value}"' for name, value in environment.items())
    return f"""ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
{f"SetEnv {variables}" if variables else ""}
{options}
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        if process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.recv(1)
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"sshd did not start: {log.read_text(errors='replace')}")
