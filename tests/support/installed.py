"""An installed Wasp without an installer: wasp-bin is a stub, all else is as a user has it."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support import frontends
from tests.support.certificates import Authority
from tests.support.collector import Collector
from tests.support.frontends import REPOSITORY
from tests.support.machines import Run, World
from tests.support.processes import COLLECTING, survivors
from tests.support.terminals import Terminal

VERSION = "0.25.0"
HOUR = 60 * 60
#: Tells what reaches it.
STUB = """\
#!/bin/sh
case ${1-} in
    arguments) shift && for word; do printf '<%s>\\n' "$word"; done ;;
    environment) exec /usr/bin/env -0 ;;
    exit) exit "$2" ;;
    opted-out) echo "${WASP_TELEMETRY_DISABLE-no} ${WASP_AUTO_NEWS_DISABLE-no}" ;;
    read) while read -r line; do echo "read: $line"; done ;;
    wait)
        trap 'echo got TERM; exit 7' TERM
        echo "ready $$"
        read -r _ || :
        ;;
    *) echo "0.25.0 $#" ;;
esac
"""
#: As /bin/sh may be.
SHELLS = [front_end.name for front_end in frontends.SHELLS]


def interpreter(name: str) -> list[str]:
    """The command line of a shell, before the script; the test is skipped where it is not there."""
    return frontends.BY_NAME[name].interpreter()


def real_python() -> str:
    """This Python itself, as a version manager's own start takes long."""
    return os.path.realpath(sys.executable)


def launcher_text(version: str, root: Path | str, python: str) -> bytes:
    """The launcher with its three lines filled in."""
    text = (REPOSITORY / "installed" / "launcher").read_bytes()
    for name, value in (("version", version), ("root", str(root)), ("python", python)):
        line = f"\n_wasp_{name}=''\n".encode()
        assert text.count(line) == 1, f"the manager replaces the line {line!r}"
        text = text.replace(line, os.fsencode(f"\n_wasp_{name}={shlex.quote(value)}\n"))
    return text


class Installed(World):
    """A home with Wasp in it and a project, and what its commands print and leave."""

    def __init__(self, base: Path, authority: Authority, collector: Collector) -> None:
        self.base = base
        self.collector = collector
        self.home = base / "home"
        self.folder = self.home / "my app"
        self.folder.mkdir(parents=True)
        (self.folder / ".wasproot").touch()
        environment = {
            "HOME": str(self.home),
            "PATH": "/usr/bin:/bin",
            "SSL_CERT_FILE": str(authority.bundle),
            "WASP_TELEMETRY_URL": collector.url,
            "WASP_NEWS_SERVER_URL": f"{collector.server.url}/news",
            "WASP_AUTO_NEWS_DISABLE": "1",
            COLLECTING: "1",
        }
        super().__init__(base / "here", environment)
        self.put(self.home / ".local")

    def put(self, prefix: Path, *, version: str = VERSION, python: str | None = None) -> None:
        """Puts Wasp below a prefix, as the manager does."""
        self.prefix = prefix
        self.root = prefix / "share" / "wasp-lang"
        self.binary = self.root / version / "wasp-bin"
        self.launcher = prefix / "bin" / "wasp"
        for folder in (self.binary.parent / "data", self.launcher.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self.binary.write_text(STUB)
        for file in (
            "telemetry_ping.py",
            "installed/telemetry_messages.py",
            "installed/project_version.sh",
        ):
            shutil.copyfile(REPOSITORY / file, self.root / Path(file).name)
        (self.root / "wasp-installer.sh").write_text("printf '<%s>\\n' \"$@\"\n")
        chosen = real_python() if python is None else python
        self.launcher.write_bytes(launcher_text(version, self.root, chosen))
        for program in (self.binary, self.launcher):
            program.chmod(0o755)

    def came_from(self, source: str, url: str) -> None:
        """Notes where the version came from."""
        receipt = {"version": VERSION, "source": source, "url": url}
        (self.root / VERSION / ".receipt.json").write_text(json.dumps(receipt))

    def run(self, argv: Sequence[str], folder: Path | None = None, stdin: str = "") -> Run:
        """Runs a program of this user's to its end."""
        return self.run_program(argv, stdin=stdin, cwd=folder or self.folder)

    def called(self, *arguments: str, folder: Path | None = None, shell: str = "dash") -> Run:
        """Runs `wasp`, which may leave a process in the background."""
        return self.run([*interpreter(shell), str(self.launcher), *arguments], folder)

    def used(self, *arguments: str, folder: Path | None = None, shell: str = "dash") -> Run:
        """Runs `wasp`, and returns when its background process has ended, too."""
        run = self.called(*arguments, folder=folder, shell=shell)
        self.settle()
        return run

    def stop(self) -> None:
        """Ends what still waits for a collector that hangs."""
        survivors(self.mark, patience=0)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[subprocess.Popen[bytes]]:
        """A command that runs until the block ends."""
        argv = [str(self.launcher), "wait"]
        process = self.start_program(argv, cwd=self.folder, stdin=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == f"ready {process.pid}\n".encode()
        try:
            yield process
        finally:
            process.communicate()
            self.settle()

    def reads(self, *arguments: str, shell: str = "dash", option: str = "-u") -> str:
        """All that a command shows on a terminal, but the stub's own line."""
        argv = [*interpreter(shell), option, str(self.launcher), *(arguments or ["version"])]
        terminal = Terminal(argv, self.environment, self.folder)
        terminal.finish()
        self.settle()
        return terminal.shown.replace("\r\n", "\n").replace("0.25.0 1\n", "")

    @property
    def cache(self) -> Path:
        return self.home / ".cache" / "wasp" / "telemetry"

    @property
    def state_file(self) -> Path:
        [file] = self.cache.glob("project-*")
        return file

    @property
    def state(self) -> list[str]:
        """When the pauses of other commands and of builds end, and what is told of a deploy."""
        return self.state_file.read_text().rstrip("\n").split(" ")

    @property
    def failed(self) -> bool:
        """Whether the pause of other commands is that after a failure."""
        return int(self.state[0]) < time.time() + 3 * HOUR

    def age(self, seconds: int) -> None:
        """Moves the project's attempts into the past; less than nothing, into the future."""
        *ends, deploy = self.state
        moved = [str(int(end) - seconds if int(end) else 0) for end in ends]
        self.state_file.write_text(" ".join([*moved, deploy]) + "\n")

    def files(self) -> list[str]:
        """Everything in the home."""
        return sorted(str(path.relative_to(self.home)) for path in self.home.rglob("*"))
