"""How figures are written for people. A figure that was not measured is a dash."""

from __future__ import annotations

from collections.abc import Sequence

NONE = "\N{EN DASH}"


def size(nbytes: int | float | None) -> str:
    """Bytes; KB is 1024."""
    if nbytes is None:
        return NONE
    if nbytes < 1024:
        return f"{nbytes:.0f} B"
    if nbytes < 1024 * 1024:
        return f"{nbytes / 1024:.1f} KB"
    return f"{nbytes / 1024 / 1024:.2f} MB"


def count(value: int | float | None) -> str:
    """1,234, or 2.66 M from a million on."""
    if value is None:
        return NONE
    return f"{value / 1e6:,.2f} M" if value >= 1e6 else f"{value:,.0f}"


def exact(value: int | None) -> str:
    """1,234,567"""
    return NONE if value is None else f"{value:,}"


def milliseconds(value: float | None) -> str:
    """Three significant digits, 100 and more without a fraction."""
    if value is None:
        return NONE
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"


def clock(hertz: int | None) -> str:
    return NONE if hertz is None else f"{hertz / 1e6:g} MHz"


def percent(value: float | None, digits: int = 2) -> str:
    return NONE if value is None else f"{value:.{digits}f}%"


def decibel(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f} dB"


def points(value: float | None) -> str:
    """Percentage points with their sign."""
    return NONE if value is None else f"{value:+.2f} pp"


def interval(bounds: Sequence[float] | None, digits: int = 2) -> str:
    return "" if bounds is None else f"{bounds[0]:.{digits}f} to {bounds[1]:.{digits}f}"
