"""Signals: they end a run, but not its cleaning up, nor what has begun to be in its place."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.trees import Layout
from wasp_installer import Console, Options, install
from wasp_installer.errors import InterruptedRunError
from wasp_installer.placing.staging import Staging
from wasp_installer.programs import Program
from wasp_installer.signals import raise_on_signals


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """They end a run, as in install.py; afterwards they are as before."""
    before = {number: signal.getsignal(number) for number in (2, 15, 1)}
    raise_on_signals()
    yield
    for number, action in before.items():
        signal.signal(number, action)


def test_one_during_a_start_leaves_nothing_running(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("subprocess.Popen", Interrupted)
    with pytest.raises(InterruptedRunError) as caught:
        Program([sys.executable, "-c", "input()"], stdin=b"")
    assert caught.value.code == 143
    [process] = started
    assert process.poll() is not None


def test_none_ends_the_cleaning_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remove = shutil.rmtree

    def interrupted(path: Path, ignore_errors: bool) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        remove(path, ignore_errors)

    with Staging(tmp_path / "prefix" / "share") as staged:
        (staged.new / "wasp-bin").touch()
        monkeypatch.setattr(shutil, "rmtree", interrupted)
    assert list(tmp_path.iterdir()) == []


def test_when_a_version_is_in_its_place_none_ends_the_rest(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.plant("0.25.0")
    there = Options(prefix=str(layout.prefix), wanted="0.25.0", no_modify_path=True)
    assert install(there, Console(quiet=True)).status == "already-installed"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
