"""Skipping, in one place: what a machine lacks is said, and CI allows no skip at all."""

from __future__ import annotations

import os

import pytest

NO_SKIP = os.environ.get("WASP_TESTS_NO_SKIP", "") not in ("", "0")


def need(present: bool, otherwise: str) -> None:
    """Skips the test, saying why, unless what it needs is present."""
    if not present:
        pytest.skip(otherwise)


def need_root(what: str) -> None:
    need(os.name == "posix" and os.geteuid() == 0, f"{what} needs root")
