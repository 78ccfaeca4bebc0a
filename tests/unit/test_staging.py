"""Staging: what is left, and what is told."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from wasp_installer import InstallerError
from wasp_installer.placing.staging import Staging


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "share").write_text("a file")
    with pytest.raises(InstallerError) as caught, Staging(tmp_path / "share"):
        raise AssertionError("there is no folder to stage in")
    assert caught.value.code == 7
    assert "share" in caught.value.message


@pytest.mark.usefixtures("_signals")
def test_no_signal_ends_the_cleaning_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remove = shutil.rmtree

    def interrupted(path: Path, ignore_errors: bool) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        remove(path, ignore_errors)

    with Staging(tmp_path / "prefix" / "share") as staged:
        (staged.new / "wasp-bin").touch()
        monkeypatch.setattr(shutil, "rmtree", interrupted)
    assert list(tmp_path.iterdir()) == []
