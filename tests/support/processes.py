"""Our processes: recognized by a mark in their environment, and gone when a test ends."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MARK = "WASP_TEST_MARK"


def marked(mark: str) -> dict[int, str]:
    """The living processes that carry the mark, with their command lines."""
    found: dict[int, str] = {}
    needle = f"{MARK}={mark}".encode()
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if needle in environment(Path(entry.path)).split(b"\0"):
                command = Path(entry.path, "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(entry.name)] = command.decode(errors="replace").strip()
    return found


def environment(process: Path) -> bytes:
    """What stands in the environment of a process, a folder of /proc.

    One that is just becoming another program shows none, and is waited for. A thread of the kernel
    and a process that has ended have no program (OSError).
    """
    deadline = time.monotonic() + 0.2
    while not (found := (process / "environ").read_bytes()) and time.monotonic() < deadline:
        (process / "exe").readlink()
        time.sleep(0.001)
    return found


def survivors(mark: str, patience: float = 3.0) -> dict[int, str]:
    """The marked processes that do not end by themselves; they are ended here, one by one."""
    deadline = time.monotonic() + patience
    while (left := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in left:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    return left


def sleeping_elsewhere() -> int:
    """The id of a process that has just ended, and so of none that lives."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


# Set for processes that may send events, to a collector on this machine.
COLLECTING = "WASP_TESTS_COLLECTING"


@contextlib.contextmanager
def telemetry_guard() -> Iterator[None]:
    """Refuses to start any process whose environment would let telemetry out."""
    is_active = [True]

    def watch(event: str, details: tuple[Any, ...]) -> None:
        if event != "subprocess.Popen" or not is_active:
            return
        environment = os.environ if details[3] is None else details[3]
        for name in ("WASP_TELEMETRY_URL", "WASP_NEWS_SERVER_URL"):
            host = urlsplit(environment.get(name, "")).hostname
            if host not in ("127.0.0.1", "collector.invalid"):
                raise RuntimeError(f"{details[1]} would run with {name} on another machine")
        if environment.get("WASP_TELEMETRY_DISABLE") != "1" and COLLECTING not in environment:
            raise RuntimeError(f"{details[1]} would run without WASP_TELEMETRY_DISABLE=1")

    # An audit hook cannot be taken away again.
    sys.addaudithook(watch)
    yield
    is_active.clear()
