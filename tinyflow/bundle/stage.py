"""Writing a bundle: in a folder beside its place, moved there once it is complete."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tinyflow.bundle.layout import MANIFEST
from tinyflow.errors import BundleError


@contextmanager
def stage_bundle(output: Path) -> Iterator[Path]:
    """An empty folder to write the bundle into; it becomes ``output`` when the block ends well.

    Whatever lies at ``output`` stays as it is until then, and for good when the block raises:
    nothing half-written remains. Raises `BundleError` where ``output`` is a file, a folder that
    is not a bundle, or a place that cannot be written.
    """
    place = output.expanduser().resolve()
    _check_replaceable(place, output)
    created = _make_parents(place.parent, output)
    try:
        workshop = _make_workshop(place, output)
        try:
            staging = workshop / "bundle"
            staging.mkdir()
            yield staging
            if not (staging / MANIFEST).is_file():
                raise RuntimeError(f"a staged bundle has no {MANIFEST}")
            _check_replaceable(place, output)
            _swap(staging, place, workshop / "previous", output)
            created = []
        finally:
            shutil.rmtree(workshop, ignore_errors=True)
    finally:
        for folder in created:
            with suppress(OSError):
                folder.rmdir()


def _check_replaceable(place: Path, output: Path) -> None:
    try:
        if place.exists() and not place.is_dir():
            raise BundleError(
                f"the output '{output}' is a file, not a folder", "choose another folder"
            )
        is_other = place.is_dir() and any(place.iterdir()) and not (place / MANIFEST).is_file()
    except OSError as error:
        raise _unwritable(output, error) from None
    if is_other:
        raise BundleError(
            f"the folder '{output}' holds other things than a bundle: it has no {MANIFEST}",
            "choose an empty or a new folder; TinyFlow replaces only its own bundles",
        )


def _make_parents(parent: Path, output: Path) -> list[Path]:
    """Creates the missing folders; returns them, the innermost first."""
    missing = [p for p in (parent, *parent.parents) if not p.exists()]
    root = next(p for p in (parent, *parent.parents) if p.exists())
    if not root.is_dir():
        raise BundleError(
            f"the output '{output}' lies below '{root}', which is a file", "choose another folder"
        )
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        for folder in missing:
            with suppress(OSError):
                folder.rmdir()
        raise _unwritable(output, error) from None
    return missing


def _make_workshop(place: Path, output: Path) -> Path:
    """A private folder on the same file system, so that moving out of it is a rename."""
    try:
        return Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".partial", dir=place.parent))
    except OSError as error:
        raise _unwritable(output, error) from None


def _swap(staging: Path, place: Path, previous: Path, output: Path) -> None:
    """Puts the new bundle in the old one's place; on failure the old one is back where it was."""
    had_previous = place.exists()
    try:
        if had_previous:
            place.rename(previous)
        try:
            staging.rename(place)
        except BaseException:
            if had_previous:
                previous.rename(place)
            raise
    except OSError as error:
        raise _unwritable(output, error) from None


def _unwritable(output: Path, error: OSError) -> BundleError:
    reason = (error.strerror or str(error)).lower()
    return BundleError(
        f"the bundle cannot be written to '{output}': {reason}", "choose another folder with -o"
    )
