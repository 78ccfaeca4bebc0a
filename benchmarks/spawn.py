"""Runs one command and prints what the operating system counted for it, as JSON.

A process inherits the peak memory of the one that it was spawned from, so the whole benchmark would
show in every figure. This small program stands between the two: started with `python -I -S`, it is
only some 10 MiB itself, which is then the least that any command can show.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    """Run `spawn.py LOG COMMAND [ARGUMENT …]`; the command's output goes to the file LOG."""
    log, command = sys.argv[1], sys.argv[2:]
    writing = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, writing, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=files)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    counted = {
        "exit_code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status),
        "wall_s": wall,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * unit,
    }
    print(json.dumps(counted))


main()
