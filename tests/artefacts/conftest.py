"""What `make dist` makes, made once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.frontends import CHECKOUT
from tests.support.locks import locked

EPOCH = 1_700_000_000


def make(
    sources: Path, folder: Path, wheels: Path, environment: Mapping[str, str] | None = None
) -> None:
    """`make dist` of these sources, into a folder; `wheels` keeps what is downloaded for it."""
    done = subprocess.run(
        [sys.executable, "-B", "-m", "artefacts", str(folder), "--wheels", str(wheels)],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "SOURCE_DATE_EPOCH": str(EPOCH),
            **(environment or {}),
            "PYTHONPATH": str(sources / "packaging"),
        },
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def wheels(shared_folder: Path) -> Path:
    return shared_folder / "wheels"


@pytest.fixture(scope="session")
def dist(shared_folder: Path, wheels: Path) -> Path:
    """The folder with the artefacts."""
    folder = shared_folder / "dist"
    with locked(folder):
        if not folder.exists():
            partly = folder.with_suffix(".part")
            make(CHECKOUT, partly, wheels)
            partly.rename(folder)
    return folder


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has nothing but its standard library; WASP_TESTS_PYTHON may name an older."""
    folder = tmp_path_factory.mktemp("bare") / "python"
    python = os.environ.get("WASP_TESTS_PYTHON") or sys.executable
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / "bin" / "python"
