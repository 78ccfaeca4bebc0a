"""Keeps the suite short: only the core of the contract meets every shell in each run.

WASP_TESTS_FULL=1 runs everything with everything.
"""

from __future__ import annotations

import os
import zlib

import pytest

from tests.support.frontends import SHELLS, FrontEnd

FULL = os.environ.get("WASP_TESTS_FULL", "") not in ("", "0")


def sample(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Splits the collected tests into those to run and those to leave out.

    A test marked `core` meets every front end, any other Python and one shell. Which shell is a
    matter of the test's name, so that each shell meets an equal share. Of a test with many cases,
    each meets Python or a shell, and so does one marked `single`, as others show that all leave the
    same. One marked `thorough` is left out: it takes long for what it adds.
    """
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        (kept if FULL or _chosen(item) else left).append(item)
    return kept, left


def _chosen(item: pytest.Item) -> bool:
    if item.get_closest_marker("thorough"):
        return False
    front_end = _front_end_of(item)
    if front_end is None or item.get_closest_marker("core"):
        return True
    # By a hash and not by counting, so that a test chosen in the whole run is chosen alone too.
    number = zlib.crc32(_case(item, front_end).encode())
    shell = SHELLS[number % len(SHELLS)]
    if item.get_closest_marker("single") or _has_cases(item):
        return front_end is shell if number % 97 % 2 else not front_end.is_shell
    return front_end is shell or not front_end.is_shell


def _has_cases(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and len(item.callspec.params) > 1


def _front_end_of(item: pytest.Item) -> FrontEnd | None:
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
        return None
    for fixture in ("front_end", "shell"):
        front_end = item.callspec.params.get(fixture)
        if isinstance(front_end, FrontEnd):
            return front_end
    return None


def _case(item: pytest.Item, front_end: FrontEnd) -> str:
    """The name of a test and its case, without the part that names the front end."""
    test, _, case = item.nodeid.rpartition("::")[2].partition("[")
    parts = case.rstrip("]").split("-")
    own = front_end.name.split("-")
    for start in range(len(parts) - len(own) + 1):
        if parts[start : start + len(own)] == own:
            parts = parts[:start] + parts[start + len(own) :]
            break
    return f"{test}[{'-'.join(parts)}]"
