"""Other programs: how they end, whatever ends them."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from tests.support.processes import MARK, survivors
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
