"""A plugin for pytest: notes which functions of the code each test has run, in whatever process.

The code was changed (`traced`) so that each function appends its name to one file.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.mutants.sandbox import INSIDE

TRACE = f"{INSIDE}/trace"
NOTES = "notes"
_reports: list[pytest.TestReport] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    trace = Path(TRACE)
    trace.write_bytes(b"")
    trace.chmod(0o666)
    _reports.clear()
    result = yield
    note = {
        "test": item.nodeid,
        "passed": all(report.passed for report in _reports),
        "seconds": round(sum(report.duration for report in _reports), 3),
        "ran": sorted(set(trace.read_text(errors="replace").split())),
    }
    with Path(INSIDE, NOTES).open("a") as notes:
        notes.write(json.dumps(note) + "\n")
    return result


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _reports.append(report)
