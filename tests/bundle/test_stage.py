"""A bundle appears complete or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyflow.bundle import stage_bundle, write_files
from tinyflow.errors import BundleError


def write(place: Path, text: str) -> None:
    with stage_bundle(place) as staging:
        write_files(staging, {"manifest.json": text.encode(), "src/model.c": b"/* C */\n"})


def tree(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_a_new_bundle_in_new_folders(tmp_path: Path) -> None:
    write(tmp_path / "a/b/bundle", "1")
    assert (tmp_path / "a/b/bundle/manifest.json").read_text() == "1"
    assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["bundle"]


def test_a_bundle_replaces_a_bundle_whole(tmp_path: Path) -> None:
    write(tmp_path / "bundle", "1")
    (tmp_path / "bundle/old.txt").write_text("old")
    write(tmp_path / "bundle", "2")
    assert tree(tmp_path / "bundle").keys() == {"manifest.json", "src", "src/model.c"}
    assert (tmp_path / "bundle/manifest.json").read_text() == "2"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_an_empty_folder_becomes_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    write(tmp_path / "bundle", "1")
    assert (tmp_path / "bundle/manifest.json").is_file()


def test_the_folder_of_a_bundle_is_not_private(tmp_path: Path) -> None:
    write(tmp_path / "bundle", "1")
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "bundle").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_bundle_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    write(tmp_path / "bundle", "1")
    before = tree(tmp_path)
    with pytest.raises(error), stage_bundle(tmp_path / "bundle") as staging:
        write_files(staging, {"manifest.json": b"2"})
        raise error
    assert tree(tmp_path) == before


def test_a_failure_leaves_no_new_folders(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), stage_bundle(tmp_path / "a/b/c"):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_a_bundle_without_manifest_is_not_put_in_place(tmp_path: Path) -> None:
    write(tmp_path / "bundle", "1")
    before = tree(tmp_path)
    with pytest.raises(RuntimeError), stage_bundle(tmp_path / "bundle") as staging:
        write_files(staging, {"src/model.c": b""})
    assert tree(tmp_path) == before


def test_a_failed_move_brings_the_old_bundle_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "bundle", "1")
    before = tree(tmp_path)
    rename = Path.rename

    def fail_for_the_new_one(self: Path, target: Path) -> Path:
        if self.name == "bundle" and self.parent != tmp_path:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_new_one)
    with pytest.raises(BundleError, match="no space left on device"):
        write(tmp_path / "bundle", "2")
    assert tree(tmp_path) == before


def test_a_folder_that_is_no_bundle_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/thesis.txt").write_text("dear")
    before = tree(tmp_path)
    with pytest.raises(BundleError, match=r"it has no manifest\.json"):
        write(tmp_path / "home", "1")
    assert tree(tmp_path) == before


def test_a_folder_that_fills_up_in_the_meantime_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(BundleError, match=r"it has no manifest\.json"),
        stage_bundle(tmp_path / "home") as staging,
    ):
        write_files(staging, {"manifest.json": b"1"})
        write_files(tmp_path / "home", {"thesis.txt": b"dear"})
    assert tree(tmp_path) == {"home": None, "home/thesis.txt": b"dear"}


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(BundleError, match="is a file, not a folder"):
        write(tmp_path / "file", "1")
    with pytest.raises(BundleError, match="which is a file"):
        write(tmp_path / "file/bundle", "1")
    assert tree(tmp_path) == {"file": b"text"}


def test_a_place_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(BundleError, match="cannot be written to '/proc/bundle'"):
        write(Path("/proc/bundle"), "1")
    with pytest.raises(BundleError, match="cannot be written to '/proc/a/bundle'"):
        write(Path("/proc/a/bundle"), "1")


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write(tmp_path / "link", "1")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/manifest.json").is_file()
