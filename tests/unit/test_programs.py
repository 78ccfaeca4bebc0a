"""Other programs: how they end, whatever ends them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import MARK, survivors
from tests.support.trees import Layout
from wasp_installer import Console, Options, install
from wasp_installer.errors import InterruptedRunError
from wasp_installer.placing.staging import Staging
from wasp_installer.programs import TOO_LONG, Ended, Program, run
from wasp_installer.signals import raise_on_signals


def test_how_it_ended() -> None:
    for script, ended in (
        ("echo a; echo b >&2", Ended(0, "a\n", "b\n")),
        ("exit 3", Ended(3)),
        ("kill -9 $$", Ended(137)),
        ("printf '\\377'", Ended(0, "\udcff")),
    ):
        assert run(["/bin/sh", "-c", script]) == ended


def test_one_that_takes_too_long_is_ended_with_all_that_it_has_started() -> None:
    mark = uuid.uuid4().hex
    script = "trap '' TERM; sleep 600 & wait"
    ended = run(["/bin/sh", "-c", script], 0.1, environment={**os.environ, MARK: mark})
    assert ended.code == TOO_LONG
    # A process that was killed is gone a moment later.
    assert survivors(mark) == {}


@pytest.mark.parametrize("is_stopped", [True, False])
def test_one_that_is_ended_may_clean_up_and_say_why(tmp_path: Path, is_stopped: bool) -> None:
    trap = f"trap '>{tmp_path}/clean; echo ended; exit 3' TERM"
    command = ["/bin/sh", "-c", f"{trap}; echo began; while :; do sleep 0.01; done"]
    with Program(command) as program:
        assert program._process.stdout is not None
        assert os.read(program._process.stdout.fileno(), 6) == b"began\n"
        ended = program.stop() if is_stopped else Ended(3, "ended\n")
    # Some shells tell of the child that the signal ended, too.
    assert (ended.code, ended.stdout) == (3, "ended\n")
    assert (tmp_path / "clean").exists()


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """They end a run, as in install.py; afterwards they are as before."""
    before = {number: signal.getsignal(number) for number in (2, 15, 1)}
    raise_on_signals()
    yield
    for number, action in before.items():
        signal.signal(number, action)


def test_a_signal_during_a_start_leaves_nothing_running(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_no_signal_ends_the_cleaning_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remove = shutil.rmtree

    def interrupted(path: Path, ignore_errors: bool) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        remove(path, ignore_errors)

    with Staging(tmp_path / "prefix" / "share") as staged:
        (staged.new / "wasp-bin").touch()
        monkeypatch.setattr(shutil, "rmtree", interrupted)
    assert list(tmp_path.iterdir()) == []


def test_when_a_version_is_in_its_place_no_signal_ends_the_rest(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.plant("0.25.0")
    there = Options(prefix=str(layout.prefix), wanted="0.25.0", no_modify_path=True)
    assert install(there, Console(quiet=True)).status == "already-installed"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
