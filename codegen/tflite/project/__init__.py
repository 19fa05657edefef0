"""The C++ project around a .tflite file."""

from tinyflow.codegen.tflite.project.arena import Arena
from tinyflow.codegen.tflite.project.make import Project, make_project

__all__ = ["Arena", "Project", "make_project"]
