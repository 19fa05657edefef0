"""report.json, the page that is drawn from it, and its summary for a terminal."""

from tinyflow.report.document import (
    add_ladder,
    add_verdict,
    draw_report,
    no_accuracy,
    no_memory,
    read_report,
    write_report,
)
from tinyflow.report.latency import add_latency, add_profile
from tinyflow.report.summary import summarize

__all__ = [
    "add_ladder",
    "add_latency",
    "add_profile",
    "add_verdict",
    "draw_report",
    "no_accuracy",
    "no_memory",
    "read_report",
    "summarize",
    "write_report",
]
