"""PATH in a job of GitHub Actions: the file GITHUB_PATH is for the next steps."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.manager.homes import dotfiles, path_warnings, set_up
from tests.support.machines import Machine


@pytest.fixture
def machine(shell_machine: Machine) -> Machine:
    return shell_machine


@pytest.fixture
def job(machine: Machine) -> Path:
    """The file of a job in which later steps look for their PATH."""
    file = machine.root / "github path"
    file.write_text("/from/another/step\n")
    machine.set(CI="true", GITHUB_ACTIONS="true", GITHUB_PATH=str(file))
    return file


@pytest.mark.parametrize("before", ["", "/from/another/step\n", "/from/another/step"])
def test_a_job_is_set_up(machine: Machine, job: Path, before: str) -> None:
    job.write_text(before)
    run = set_up(machine)
    run.says("Added ~/.local/bin to PATH for the next steps", "In this step: export PATH=")
    expected = [*before.split(), str(machine.layout.launcher.parent)]
    assert job.read_text().splitlines() == expected
    assert dotfiles(machine.home) == {}
    assert path_warnings(run) == []


def test_a_job_that_is_left_alone(machine: Machine, job: Path) -> None:
    set_up(machine, "--no-modify-path")
    set_up(machine, "--dry-run")
    stage = machine.root / "stage"
    shutil.copytree(machine.home, f"{stage}{machine.home}")
    machine.set(DESTDIR=str(stage)).run("use", "0.25.0", "--porcelain").ok()
    assert job.read_text() == "/from/another/step\n"


@pytest.mark.parametrize("kind", ["absent", "folder", "pipe"])
def test_a_job_whose_file_cannot_be_written(machine: Machine, job: Path, kind: str) -> None:
    job.unlink()
    if kind == "folder":
        job.mkdir()
    elif kind == "pipe":
        os.mkfifo(job)
    [warning] = path_warnings(set_up(machine))
    assert "~/.local/bin is not on your PATH" in warning
    assert job.exists() is (kind != "absent")
