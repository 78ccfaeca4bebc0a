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
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import frontends
from tests.support.certificates import Authority
from tests.support.collector import Collector
from tests.support.frontends import REPOSITORY
from tests.support.machines import Run
from tests.support.processes import COLLECTING, MARK, marked, survivors
from tests.support.terminals import Terminal

if TYPE_CHECKING:
    from typing_extensions import Self

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
        text = text.replace(line, f"\n_wasp_{name}={shlex.quote(value)}\n".encode(*os_encoding()))
    return text


def os_encoding() -> tuple[str, str]:
    """How names of files become bytes."""
    return sys.getfilesystemencoding(), "surrogateescape"


class Installed:
    """A home with Wasp in it and a project, and what its commands print and leave."""

    def __init__(self, base: Path, authority: Authority, collector: Collector) -> None:
        self.base = base
        self.collector = collector
        self.mark = uuid.uuid4().hex
        self.home = base / "home"
        self.folder = self.home / "my app"
        self.folder.mkdir(parents=True)
        (self.folder / ".wasproot").touch()
        self.here = base / "here"
        self.here.mkdir()
        self.environment = {
            "HOME": str(self.home),
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "SSL_CERT_FILE": str(authority.bundle),
            "WASP_TELEMETRY_URL": collector.url,
            "WASP_NEWS_SERVER_URL": f"{collector.server.url}/news",
            "WASP_AUTO_NEWS_DISABLE": "1",
            COLLECTING: "1",
            MARK: self.mark,
        }
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

    def set(self, **variables: str | None) -> Self:
        """Sets variables for every command from now on; None takes one away."""
        for name, value in variables.items():
            if value is None:
                self.environment.pop(name, None)
            else:
                self.environment[name] = value
        return self

    def run(self, argv: Sequence[str], folder: Path | None = None, stdin: str = "") -> Run:
        """Runs a program of this user's to its end."""
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            cwd=folder or self.folder,
            env=self.environment,
            text=True,
            errors="surrogateescape",
            timeout=60,
        )
        return Run(argv, done.returncode, done.stdout, done.stderr)

    def called(self, *arguments: str, folder: Path | None = None, shell: str = "dash") -> Run:
        """Runs `wasp`, which may leave a process in the background."""
        return self.run([*interpreter(shell), str(self.launcher), *arguments], folder)

    def used(self, *arguments: str, folder: Path | None = None, shell: str = "dash") -> Run:
        """Runs `wasp`, and returns when its background process has ended, too."""
        run = self.called(*arguments, folder=folder, shell=shell)
        self.settle()
        return run

    def settle(self) -> None:
        """Returns once no process of this user is left."""
        alive = survivors(self.mark, patience=30.0)
        assert not alive, f"still running: {alive}"

    def stop(self) -> None:
        """Ends what still waits for a collector that hangs."""
        survivors(self.mark, patience=0)

    def processes(self) -> dict[int, str]:
        """The living processes of this user, with their command lines."""
        return marked(self.mark)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[subprocess.Popen[bytes]]:
        """A command that runs until the block ends."""
        process = subprocess.Popen(
            [str(self.launcher), "wait"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
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
