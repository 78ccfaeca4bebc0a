"""Other programs: how they end, whatever ends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from wasp_installer.errors import InterruptedRunError
from wasp_installer.programs import TOO_LONG, Ended, Program, run


@pytest.mark.parametrize(
    ("script", "ended"),
    [
        ("echo a; echo b >&2", Ended(0, "a\n", "b\n")),
        ("exit 3", Ended(3)),
        ("kill -9 $$", Ended(137)),
        ("printf '\\377'", Ended(0, "\udcff")),
    ],
)
def test_how_it_ended(script: str, ended: Ended) -> None:
    assert run(["/bin/sh", "-c", script]) == ended


def test_one_that_takes_too_long_is_ended_with_all_that_it_has_started() -> None:
    with Program(["/bin/sh", "-c", "trap '' TERM; sleep 600 & echo $!; wait"]) as program:
        assert program._process.stdout is not None
        child = int(program._process.stdout.readline())
        assert program.wait(0.1).code == TOO_LONG
    # A process that was killed is gone a moment later.
    ends = time.monotonic() + 10
    while _runs(child) and time.monotonic() < ends:
        time.sleep(0.01)
    assert not _runs(child)


def test_one_that_is_ended_may_clean_up(tmp_path: Path) -> None:
    script = f"trap '>{tmp_path}/clean; exit' TERM; echo began; while :; do sleep 0.01; done"
    with Program(["/bin/sh", "-c", script]) as program:
        assert program._process.stdout is not None
        assert os.read(program._process.stdout.fileno(), 6) == b"began\n"
    assert (tmp_path / "clean").exists()


def test_one_that_is_stopped_may_say_why() -> None:
    script = "trap 'echo ended; exit 3' TERM; echo began; while :; do sleep 0.01; done"
    with Program(["/bin/sh", "-c", script]) as program:
        assert program._process.stdout is not None
        assert os.read(program._process.stdout.fileno(), 6) == b"began\n"
        ended = program.stop()
    # Some shells tell of the child that the signal ended, too.
    assert (ended.code, ended.stdout) == (3, "ended\n")


def _runs(pid: int) -> bool:
    """Whether it has not ended; one that nobody has asked for yet (Z) has."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.usefixtures("_signals")
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
