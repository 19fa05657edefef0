"""What a user asks for: the options of a compilation, and the file that holds them."""

from tinyflow.project.file import FILE_NAME, parse_project, project_template, read_project
from tinyflow.project.options import (
    OPTIONS,
    RANDOM,
    CompileOptions,
    Option,
    make_options,
    option,
)

__all__ = [
    "FILE_NAME",
    "OPTIONS",
    "RANDOM",
    "CompileOptions",
    "Option",
    "make_options",
    "option",
    "parse_project",
    "project_template",
    "read_project",
]
