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
