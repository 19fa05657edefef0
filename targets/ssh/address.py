"""What stands behind ``--on ssh:``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tinyflow.errors import UsageError

# No part may begin with a hyphen, which ssh would take for an option, and none may hold what a
# shell understands: a ProxyCommand of the user's configuration is handed to one.
_ADDRESS = re.compile(
    r"(?:(?P<user>[A-Za-z0-9_.][A-Za-z0-9_.+@-]*)@)?"
    r"(?:\[(?P<literal>[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?)\]|(?P<host>[A-Za-z0-9_.][A-Za-z0-9_.-]*))"
    r"(?::(?P<port>[0-9]{1,5}))?"
)


@dataclass(frozen=True)
class Address:
    """A host, or a name of the user's ssh configuration. None is what that says."""

    host: str
    user: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        """As ssh takes it, without the port."""
        return f"{self.user}@{self.host}" if self.user else self.host


def parse_address(text: str) -> Address:
    """``[USER@]HOST[:PORT]``, an IPv6 address in brackets. Raises `UsageError`."""
    found = _ADDRESS.fullmatch(text)
    port = int(found["port"]) if found and found["port"] else None
    if found is None or port == 0 or (port or 0) > 65535:
        raise UsageError(
            f"'ssh:{text}' names no computer",
            "write ssh:USER@HOST or ssh:USER@HOST:PORT; an IPv6 address stands in brackets",
        )
    return Address(found["literal"] or found["host"], found["user"], port)
