"""Where the files of tests are kept: in memory, where there is room for them."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

_IN_MEMORY = Path("/dev/shm")
# Tests of archives that are far too large fill up to a gigabyte each.
_WANTED_BYTES = 6 * 1024**3


def keep_files_in_memory(config: pytest.Config) -> None:
    """Unless another place was asked for: each test makes some hundred files, for a moment."""
    if config.getoption("basetemp") is None and "TMPDIR" not in os.environ and _takes_programs():
        tempfile.tempdir = str(_IN_MEMORY)


def _takes_programs() -> bool:
    try:
        flags = os.statvfs(_IN_MEMORY).f_flag
        room = min(shutil.disk_usage(_IN_MEMORY).free, _available_memory())
    except (OSError, AttributeError):
        return False
    return os.access(_IN_MEMORY, os.W_OK) and not flags & os.ST_NOEXEC and room >= _WANTED_BYTES


def _available_memory() -> int:
    """In bytes: https://docs.kernel.org/filesystems/proc.html#meminfo"""
    found = re.search(r"^MemAvailable: +(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
