"""tinyflow.toml: the options of a compilation, written down in the project's folder."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyflow.errors import UsageError
from tinyflow.project.options import OPTIONS, Option

FILE_NAME = "tinyflow.toml"

_BY_KEY = {option.key: option for option in OPTIONS}
_SECTIONS = {key.partition(".")[0] for key in _BY_KEY if "." in key}


def read_project(folder: Path) -> dict[str, Any]:
    """The options in ``folder``'s tinyflow.toml by field name; empty where there is no file."""
    path = folder / FILE_NAME
    if not path.is_file():
        return {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{FILE_NAME} is not sound TOML: {error}") from None
    return parse_project(document)


def parse_project(document: Mapping[str, Any]) -> dict[str, Any]:
    """Checks a document's keys and values; raises `UsageError` naming the first bad one."""
    values: dict[str, Any] = {}
    for key, value in _flatten(document).items():
        option = _BY_KEY.get(key)
        if option is None:
            raise _unknown(key)
        values[option.field] = (
            _parse_table(option, value) if option.table else _parse(option, value)
        )
    return values


def _flatten(document: Mapping[str, Any]) -> dict[str, Any]:
    """Sections' keys get their section's name before them: ``limits.max-ram``."""
    flat: dict[str, Any] = {}
    for key, value in document.items():
        if key not in _SECTIONS:
            flat[key] = value
        elif isinstance(value, dict):
            flat.update({f"{key}.{inner}": v for inner, v in value.items()})
        else:
            raise UsageError(f"{FILE_NAME}: '{key}' is a section", f"write [{key}] above its keys")
    return flat


def _parse(option: Option, value: object, where: str = "") -> Any:
    try:
        return option.parse(value)
    except ValueError as error:
        key = where or option.key
        raise UsageError(f"{FILE_NAME}: '{key}' is {value!r}: {error}") from None


def _parse_table(option: Option, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(
            f"{FILE_NAME}: '{option.key}' is a table of input names",
            f"write [{option.key}] and below it: input_name = {option.example}",
        )
    return {name: _parse(option, v, f"{option.key}.{name}") for name, v in value.items()}


def _unknown(key: str) -> UsageError:
    # A key in the wrong section is as likely as a misspelt one: its last part alone counts too.
    leaf = key.rpartition(".")[2]
    names = {known.rpartition(".")[2]: known for known in _BY_KEY}
    near = difflib.get_close_matches(key, _BY_KEY, 1, cutoff=0.75)
    near = near or [names[n] for n in difflib.get_close_matches(leaf, names, 1, cutoff=0.0)]
    section, _, name = near[0].rpartition(".")
    place = f" in section [{section}]" if section else ""
    return UsageError(f"{FILE_NAME}: unknown key '{key}'", f"the nearest key is '{name}'{place}")


def project_template(model: str | None, target: str | None) -> str:
    """A commented tinyflow.toml; options that are not given stand there as comments."""
    given = {"model": model, "target": target}
    lines = [
        "# TinyFlow project: with this file, 'tinyflow compile' is a whole command here.",
        "# The command line wins over this file. Paths are relative to this folder.",
    ]
    section = ""
    for option in sorted(OPTIONS, key=lambda o: (o.table, "." in o.key)):
        head, _, name = option.key.rpartition(".")
        if option.table:
            lines += [
                "",
                f"# {option.help}",
                f"# [{option.key}]",
                f"# input_name = {option.example}",
            ]
            continue
        if head != section:
            section = head
            lines += ["", f"[{section}]"]
        value = given.get(option.field)
        lines += ["", f"# {option.help}"]
        lines.append(f"{name} = {json.dumps(value)}" if value else f"# {name} = {option.example}")
    return "\n".join(lines) + "\n"
