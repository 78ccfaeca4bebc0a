"""Staging: what is put in its place, what is put back, and what is left."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.getters.deliveries import LINUX
from wasp_installer import InstallerError
from wasp_installer.placing import receipts, staging
from wasp_installer.placing.receipts import Release, is_installed
from wasp_installer.placing.staging import Staging


def put(folder: Path, word: str, version: str = "0.25.0") -> None:
    """A version in its folder, whose binary says this word."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wasp-bin").write_text(word)
    (folder / "wasp-bin").chmod(0o755)
    receipts.write(folder, Release(version, "file"), LINUX)


@pytest.mark.parametrize(
    ("there", "replace", "stays"),
    [("whole", False, "old"), ("whole", True, "new"), ("cut", False, "new"), ("", False, "new")],
)
def test_a_version_that_another_run_has_put_there_is_kept(
    tmp_path: Path, there: str, replace: bool, stays: str
) -> None:
    place = tmp_path / "share" / "0.25.0"
    with Staging(tmp_path / "share") as staged:
        put(staged.new, "new")
        if there:
            put(place, "old")
        if there == "cut":
            receipt = place / ".receipt.json"
            receipt.write_text(receipt.read_text()[:-20])
        staged.place("0.25.0", replace=replace)
    assert (place / "wasp-bin").read_text() == stays
    assert [path.name for path in (tmp_path / "share").iterdir()] == ["0.25.0"]


@pytest.mark.parametrize(
    ("start", "end", "whole"),
    [(0, None, True), (0, -1, False), (0, -20, False), (1, None, False), (0, 0, False)],
)
def test_a_receipt_that_was_cut_is_none(
    tmp_path: Path, start: int, end: int | None, whole: bool
) -> None:
    put(tmp_path, "")
    receipt = tmp_path / ".receipt.json"
    receipt.write_text(receipt.read_text()[start:end])
    assert is_installed(tmp_path, "0.25.0") is whole
    assert not is_installed(tmp_path, "0.25.1")
    (tmp_path / "wasp-bin").chmod(0o644)
    assert not is_installed(tmp_path, "0.25.0")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "share").write_text("a file")
    with pytest.raises(InstallerError) as caught, Staging(tmp_path / "share"):
        raise AssertionError("there is no folder to stage in")
    assert caught.value.code == 7
    assert "share" in caught.value.message


def test_a_version_that_cannot_be_replaced_comes_back(tmp_path: Path) -> None:
    place = tmp_path / "share" / "0.25.0"
    put(place, "old")
    with Staging(tmp_path / "share") as staged:
        staged.new.rmdir()
        with pytest.raises(InstallerError):
            staged.place("0.25.0", replace=True)
    assert (place / "wasp-bin").read_text() == "old"
    assert [path.name for path in (tmp_path / "share").iterdir()] == ["0.25.0"]


@pytest.mark.usefixtures("_signals")
def test_no_signal_ends_the_cleaning_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remove = staging.remove_tree

    def interrupted(path: Path) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        remove(path)

    with Staging(tmp_path / "prefix" / "share") as staged:
        put(staged.new, "")
        monkeypatch.setattr(staging, "remove_tree", interrupted)
    assert list(tmp_path.iterdir()) == []
