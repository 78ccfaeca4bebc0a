"""A copy of the checkout that is shut in: no network, no other process, no other place to write to.

Broken code may remove what it should not, end what is not its own, or send an event to the world.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.code import REPOSITORY

#: Git ignores it.
FOLDER = REPOSITORY / ".mutants"
#: A file in a copy with the names of tests.
CHOSEN = "chosen"
#: Where the copy is, for who is in it: a short path that other users may enter, too.
INSIDE = "/mnt"
#: The exit code of what took too long.
TOO_LONG = 124

# As process 1 bash also buries the children of others, which are else seen as alive.
_SHUT_IN = """
set -e
mount --bind "$1" /mnt
while read -r _ folder _; do
    case $folder in
        /mnt | /proc | /proc/* | /sys | /sys/* | /dev) ;;
        *) mount -o remount,bind,ro "$folder" 2>/dev/null || : ;;
    esac
done </proc/self/mounts
mount -t tmpfs -o size=6g tmpfs /tmp
cd /mnt
.venv/bin/python -c 'import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 0x41))'
shift
set +e
"$@"
exit $?
"""


class Copy:
    """A copy of all that git knows or would add, below FOLDER."""

    _times = itertools.count(int(time.time()) - 1_000_000)

    def __init__(self, name: str) -> None:
        self.folder = FOLDER / name
        shutil.rmtree(self.folder, ignore_errors=True)
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=REPOSITORY, capture_output=True, check=True).stdout
        for each in filter(None, names.decode().split("\0")):
            if (REPOSITORY / each).exists():
                (self.folder / each).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(REPOSITORY / each, self.folder / each, follow_symlinks=False)
        (self.folder / ".venv").symlink_to(Path(sys.prefix).resolve())

    def write(self, file: str, text: str) -> None:
        """Puts this text into a file, and install.sh together again."""
        path = self.folder / file
        path.write_text(text, encoding="utf-8")
        # Python compiles anew what has another time, by the second, or another size.
        moment = next(self._times)
        os.utime(path, (moment, moment))
        if not file.startswith(("wasp_installer/", "install.py", "tests/")):
            assemble = [sys.executable, "-B", "packaging/assemble.py"]
            subprocess.run(assemble, cwd=self.folder, check=True)

    def run_tests(self, arguments: Sequence[str], limit_s: float | None = None) -> tuple[int, str]:
        """Runs pytest in it; returns its exit code and what it printed."""
        command = [
            *("unshare", "--mount", "--pid", "--net", "--fork", "--mount-proc", "--kill-child"),
            *("bash", "-c", _SHUT_IN, "bash", str(self.folder)),
            *(".venv/bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("--hypothesis-seed=0", "--tb=line", *arguments),
        ]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WASP_")}
        kept.pop("TMPDIR", None)
        try:
            done = subprocess.run(
                command,
                env={**kept, "WASP_TELEMETRY_DISABLE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=limit_s,
            )
        except subprocess.TimeoutExpired:
            return TOO_LONG, ""
        return done.returncode, done.stdout.decode(errors="replace")
