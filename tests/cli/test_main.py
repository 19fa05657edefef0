"""The command line itself: help, usage, streams and exit codes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tinyflow import __version__
from tinyflow.cli import targets_command
from tinyflow.cli.console import Console, pairs, table
from tinyflow.cli.main import COMMANDS, main, make_parser
from tinyflow.errors import DataError, GateError

PROGRAM = [sys.executable, "-m", "tinyflow"]
HEAVY = ("numpy", "onnx", "onnxsim", "jinja2", "PIL", "ai_edge_litert", "tqdm", "torch")


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("arguments", [[], *[[name] for name in COMMANDS]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from tinyflow.cli.main import main\n"
        "try:\n"
        f"    main([*{arguments!r}, '--help'])\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("usage: tinyflow")


def test_help_answers_in_half_a_second() -> None:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        call("--help")
        times.append(time.perf_counter() - start)
    assert min(times) < 0.5


def test_package_offers_its_api_without_loading_it() -> None:
    code = (
        "import sys, tinyflow\n"
        "assert {'compile', 'quantize_model', 'read_bundle'} <= set(dir(tinyflow))\n"
        "assert 'numpy' not in sys.modules\n"
        "assert callable(tinyflow.compile) and callable(tinyflow.read_bundle)\n"
        "assert callable(tinyflow.quantize_model)\n"
        "import tinyflow.quantize\n"
        "assert tinyflow.quantize.quantize_model is tinyflow.quantize_model\n"
        "assert not hasattr(tinyflow, 'no_such_thing')\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"tinyflow {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["compile", "--no-such"], "unrecognized arguments: --no-such"),
        (["compile", "--max-ram", "lots"], "'lots': expected a size"),
        (["compile", "--shape", "1x2"], "'1x2': expected NAME="),
        (["compile", "--input-range", "x=1"], "'x=1': expected two numbers"),
        (["compile", "--optimize", "fun"], "expected one of balanced, size, speed"),
        (["verify", "d", "--inputs", "0"], "'0': expected a whole number from 1 on"),
        (["run", "d", "--inputs", "x.npy"], "required: --outputs"),
    ],
)
def test_misuse_is_a_sentence_and_exit_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert message in err
    assert "\n\nhint: 'tinyflow" in err


def test_targets_as_text_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets"]) == 0
    text = capsys.readouterr().out
    assert "cortex-m4" in text
    assert "mps2-an386" in text
    assert main(["targets", "--json"]) == 0
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert listed["cortex-m4"]["emulator"] == "mps2-an386"
    assert listed["cortex-m4"]["clock_hz"] is None
    assert listed["nucleo-l4r5zi"]["ram_bytes"] == 640 * 1024
    assert listed["host"]["ram_bytes"] is None


def test_errors_and_their_exit_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for error, code in ((DataError("bad data", "give better"), 1), (GateError("too big"), 3)):

        def fail(*_: object, error: Exception = error) -> int:
            raise error

        monkeypatch.setattr(targets_command, "run", fail)
        assert main(["targets"]) == code
        assert str(error) in capsys.readouterr().err


def test_bugs_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise KeyError("a bug")

    monkeypatch.setattr(targets_command, "run", fail)
    with pytest.raises(KeyError):
        main(["targets"])


def test_interruption_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(targets_command, "run", interrupt)
    assert main(["targets"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m tinyflow targets | true; echo ${{PIPESTATUS[0]}}"
    answer = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "0"
    assert answer.stderr == ""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_and_bars_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for stream, no_colour, coloured in (
        (Terminal(), "", True),
        (Terminal(), "1", False),
        (io.StringIO(), "", False),
    ):
        monkeypatch.setenv("NO_COLOR", no_colour)
        console = Console(io.StringIO(), stream)
        console.error(DataError("what: where", "do this"))
        console.count("work", 1, 2)
        console.count("work", 2, 2)
        text = stream.getvalue()
        assert ("\033[1;31merror\033[0m: what: where" in text) is coloured
        assert "\n\nhint: do this" in text
        assert ("work" in text) is stream.isatty()


def test_columns() -> None:
    text = table(["NAME", "N"], [["a", "5"], ["long", "-"]])
    assert text == "NAME  N\na     5\nlong  -"
    assert pairs({"a": "1", "long": "2"}) == "a     1\nlong  2"


def test_every_option_has_help() -> None:
    parser = make_parser()
    (commands,) = [a for a in parser._actions if a.dest == "command"]
    assert commands.choices is not None
    for name in COMMANDS:
        for action in commands.choices[name]._actions:
            assert action.help, f"{name} {action.dest}"


def test_init_writes_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "net.onnx", "--target", "cortex-m4"]) == 0
    text = (tmp_path / "tinyflow.toml").read_text()
    assert 'model = "net.onnx"' in text
    assert 'target = "cortex-m4"' in text
    assert main(["init"]) == 2
    assert "already" in capsys.readouterr().err
    assert (tmp_path / "tinyflow.toml").read_text() == text
