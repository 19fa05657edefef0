"""Logging in: what is refused, and in which words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sshd import Server, make_key, needs_sshd, running_server
from tinyflow.errors import ToolError, UsageError
from tinyflow.targets.ssh import Address, Connection, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("nano", Address("nano")),
        ("me@nano", Address("nano", "me")),
        ("me@10.0.0.7:2222", Address("10.0.0.7", "me", 2222)),
        ("a@b@host", Address("host", "a@b")),
        ("[fe80::1%eth0]:22", Address("fe80::1%eth0", None, 22)),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address


NO_ADDRESSES = (
    *("", "-oProxyCommand=x", "me@", "@host", "me@-host", "-l@host", "h:0", "h:65536", "h:x"),
    *("a b", "h;id", "$(id)@h", "`id`", "fe80::1", "h\n"),
)


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError, match="names no computer"):
        parse_address(text)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("ssh") / "server") as server:
        yield server


@pytest.fixture
def server(shared: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("TINYFLOW_SSH_CONFIG", str(shared.config))
    return shared


def connect(place: str, folder: str) -> None:
    with Connection(parse_address(place), folder) as connection:
        answer = connection.call('cat; printf "%s" "$@"', ["it's", '"$HOME" \\n'], b"in ")
        assert (answer.code, answer.stdout) == (0, b'in it\'s"$HOME" \\n')


def refused(place: str, folder: Path | str, says: str) -> ToolError:
    with pytest.raises(ToolError, match=says) as caught:
        connect(place, str(folder))
    return caught.value


@needs_sshd
def test_it_connects_and_quotes(server: Server) -> None:
    connect("device", str(server.there))
    assert server.left() == []


@needs_sshd
def test_an_unknown_host_key_is_not_accepted(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the user's configuration says of unknown hosts."""
    known = tmp_path / "known_hosts"
    config = tmp_path / "config"
    text = server.config.read_text().replace(str(server.known_hosts), str(known))
    config.write_text(f"StrictHostKeyChecking no\nUpdateHostKeys yes\n{text}")
    monkeypatch.setenv("TINYFLOW_SSH_CONFIG", str(config))
    error = refused("device", server.there, "the host key of device is not known")
    assert "run ssh device once, compare the fingerprint" in error.hint
    assert not known.exists()


@needs_sshd
def test_another_host_key_is_an_alarm(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = tmp_path / "known_hosts"
    other = make_key(tmp_path / "other")
    known.write_text(f"[127.0.0.1]:{server.port} {other}\n")
    config = tmp_path / "config"
    config.write_text(server.config.read_text().replace(str(server.known_hosts), str(known)))
    monkeypatch.setenv("TINYFLOW_SSH_CONFIG", str(config))
    refused("device", server.there, "device shows another host key than the one you know")


@needs_sshd
def test_a_refused_login_is_told(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_key(tmp_path / "key")
    config = tmp_path / "config"
    text = server.config.read_text().replace(f"{server.folder}/user_key", f"{tmp_path}/key")
    config.write_text(text)
    monkeypatch.setenv("TINYFLOW_SSH_CONFIG", str(config))
    error = refused("device", server.there, "device refuses the login")
    assert "ssh-copy-id" in error.hint and "ssh-add" in error.hint


@needs_sshd
def test_nobody_there_is_told(server: Server) -> None:
    refused("127.0.0.1:1", server.there, "127.0.0.1 cannot be reached: .*[Cc]onnection refused")


@needs_sshd
def test_a_folder_that_cannot_be_made_is_told(server: Server, tmp_path: Path) -> None:
    error = refused("device", tmp_path / "none", "no folder can be made on device: .*No such file")
    assert "TINYFLOW_SSH_FOLDER" in error.hint


@needs_sshd
def test_a_shell_that_talks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = 'ForceCommand echo welcome; eval "$SSH_ORIGINAL_COMMAND"'
    with running_server(tmp_path / "server", options=options) as server:
        monkeypatch.setenv("TINYFLOW_SSH_CONFIG", str(server.config))
        refused("device", server.there, "device prints text of its own: 'welcome'")
        assert server.left() == []


def test_a_configuration_that_is_no_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("ssh") is None:
        pytest.skip("ssh must be installed: scripts/setup test")
    monkeypatch.setenv("TINYFLOW_SSH_CONFIG", "/none/such")
    with pytest.raises(UsageError, match="TINYFLOW_SSH_CONFIG names '/none/such'"):
        connect("device", "")


def test_a_missing_ssh_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    error = refused("device", "", "reaching device needs ssh, which is not installed")
    assert error.hint == "sudo apt-get install openssh-client"
