"""How the user's OpenSSH client is called."""

from __future__ import annotations

import os
from pathlib import Path

from tinyflow.errors import ToolError, UsageError
from tinyflow.targets.ssh.address import Address
from tinyflow.targets.tools import find_program

CONFIG = "TINYFLOW_SSH_CONFIG"
"""Names a file that stands in for the user's and the system's ssh configuration (``ssh -F``)."""

CONNECT_SECONDS = 20

_FIXED = (
    # Nobody is asked anything: only keys and agents log in, and a host key that is not known
    # ends the connection whatever the configuration says.
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
    "NoHostAuthenticationForLocalhost=no",
    # The other computer gets nothing to reach back with.
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    "EscapeChar=none",
    "LogLevel=ERROR",
    f"ConnectTimeout={CONNECT_SECONDS}",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=3",
)


def ssh_command(address: Address, socket: Path, is_master: bool) -> list[str]:
    """``ssh`` up to the host; what runs there follows. ``socket`` is the connection that all
    calls share. Raises `ToolError` where there is no ssh."""
    command = [find_program("ssh", f"reaching {address}")]
    if config := os.environ.get(CONFIG):
        if not Path(config).is_file():
            raise UsageError(f"{CONFIG} names '{config}', which is no file")
        command += ["-F", config]
    master = "yes" if is_master else "no"
    shared = (f"ControlMaster={master}", f"ControlPath={socket}", "ControlPersist=no")
    command += [part for option in (*_FIXED, *shared) for part in ("-o", option)]
    if address.user is not None:
        command += ["-l", address.user]
    if address.port is not None:
        command += ["-p", str(address.port)]
    return [*command, "--", address.host]


def refusal(address: Address, stderr: str) -> ToolError:
    """What ssh says when it does not connect, in a sentence."""
    ssh = f"ssh {f'-p {address.port} ' if address.port else ''}{address}"
    said = stderr.strip().splitlines()
    last = said[-1] if said else "it said nothing"
    if "HOST IDENTIFICATION HAS CHANGED" in stderr or "has changed and you have" in stderr:
        return ToolError(
            f"{address} shows another host key than the one you know: it is another computer, "
            "or someone stands between",
            f"find out why; only then forget the old key with ssh-keygen -R and run {ssh}",
        )
    if "revoked" in stderr.lower() and "host key" in stderr.lower():
        return ToolError(f"the host key of {address} has been revoked")
    if "Host key verification failed" in stderr or "host key is known for" in stderr:
        return ToolError(
            f"the host key of {address} is not known, and TinyFlow accepts none by itself",
            f"run {ssh} once, compare the fingerprint that it shows with the computer's own, "
            "and accept it there",
        )
    if "Permission denied (" in stderr or "Too many authentication failures" in stderr:
        return ToolError(
            f"{address} refuses the login",
            f"put your public key there with ssh-copy-id, and load a key that has a passphrase "
            f"with ssh-add: {ssh} must log in without asking for anything",
        )
    if "Bad configuration option" in stderr or "terminating, " in stderr:
        return ToolError(f"ssh does not read its configuration: {last}")
    return ToolError(f"{address} cannot be reached: {last}", f"try {ssh}")
