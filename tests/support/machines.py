"""A machine as the installer sees it: a fresh home, a PATH, an environment, and what it printed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tests.support.certificates import Authority
from tests.support.collector import Collector
from tests.support.frontends import BY_NAME, CHECKOUT, FrontEnd
from tests.support.porcelain import from_porcelain
from tests.support.processes import COLLECTING, MARK, marked, survivors
from tests.support.releases import Upstream
from tests.support.toolboxes import Toolbox, standard_toolbox
from tests.support.trees import Layout

if TYPE_CHECKING:
    from typing_extensions import Self

# Long enough for eight runs at once on a slow machine; a run that needs it has failed anyway.
RUN_LIMIT = 60.0


@dataclass(frozen=True)
class Run:
    """What one run of a program gave."""

    argv: Sequence[str]
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object that `--json` prints; anything beside it is a failure.

        The sh program says the same in "key=value" lines.
        """
        if "--porcelain" in self.argv:
            return from_porcelain(self.stdout)
        try:
            value = json.loads(self.stdout)
        except ValueError as error:
            raise AssertionError(f"stdout is not one JSON object ({error})\n{self}") from None
        assert isinstance(value, dict), self
        return value

    def warnings(self) -> list[str]:
        """What was warned of, one text per warning."""
        return [str(item) for item in self.json["warnings"]]

    def ok(self) -> Run:
        """Itself, when the run ended well."""
        assert self.code == 0, self
        return self

    def failed(self, code: int, slug: str | None = None) -> Run:
        """Itself, when the run failed with this exit code, cleanly told and (with --json) named."""
        assert self.code == code, self
        causes = [line for line in self.stderr.splitlines() if line.startswith("error: ")]
        assert len(causes) == 1, self
        assert "Traceback" not in self.stderr, self
        if slug is not None:
            told = [self.json[key] for key in ("status", "code", "error")]
            assert told == ["error", code, slug], self
            assert self.json["message"], self
        return self

    def says(self, *words: str) -> Run:
        """Itself, when every one of the words is on stderr, whatever their case."""
        missing = [word for word in words if word.lower() not in self.stderr.lower()]
        assert not missing, f"not said: {missing}\n{self}"
        return self

    def is_silent_about(self, *words: str) -> Run:
        """Itself, when none of the words is on stderr, whatever their case."""
        present = [word for word in words if word.lower() in self.stderr.lower()]
        assert not present, f"said: {present}\n{self}"
        return self

    def __str__(self) -> str:
        return (
            f"$ {' '.join(self.argv)}\nexit code {self.code}\n"
            f"--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}\n---"
        )


@dataclass
class Background:
    """A run that goes on while the test does something to it."""

    argv: Sequence[str]
    process: subprocess.Popen[bytes]

    def interrupt_group(self, number: signal.Signals) -> None:
        """Signals the whole group, as a terminal does for Ctrl-C."""
        os.killpg(self.process.pid, number)

    def interrupt_process(self, number: signal.Signals) -> None:
        """Signals the front end alone, as `kill` and most supervisors do."""
        os.kill(self.process.pid, number)

    def result(self, stdin: str = "") -> Run:
        """What came of it, at its end."""
        try:
            out, err = self.process.communicate(stdin.encode(), timeout=RUN_LIMIT)
        except subprocess.TimeoutExpired:
            end_group(self.process)
            raise AssertionError(f"did not end: {self.process.communicate()}") from None
        texts = (text.decode(errors="surrogateescape") for text in (out, err))
        return Run(self.argv, self.process.returncode, *texts)


def end_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


class World:
    """A user: an environment, a current folder, and the processes that carry a mark."""

    def __init__(self, here: Path, environment: Mapping[str, str]) -> None:
        here.mkdir(parents=True)
        self.here = here
        self.mark = uuid.uuid4().hex
        self.wrapper: list[str] = []
        self.environment = {"LANG": "C.UTF-8", "TERM": "xterm-256color", MARK: self.mark}
        self.environment.update(environment)

    def set(self, **variables: str | None) -> Self:
        """Sets variables for every run from now on; None takes one away."""
        for name, value in variables.items():
            if value is None:
                self.environment.pop(name, None)
            else:
                self.environment[name] = value
        return self

    def processes(self) -> dict[int, str]:
        """The living processes of this user, with their command lines."""
        return marked(self.mark)

    def settle(self) -> None:
        """Returns once no process of this user is left."""
        alive = survivors(self.mark, patience=30.0)
        assert not alive, f"still running: {alive}"

    def run_program(
        self,
        argv: Sequence[str],
        *,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Run:
        process = self.start_program(argv, env=env, cwd=cwd, stdin=subprocess.PIPE)
        return Background(argv, process).result(stdin or "")

    def start_program(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self.wrapper, *argv],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self.environment, **(env or {})},
            cwd=cwd or self.here,
            start_new_session=True,
        )


class Machine(World):
    """Runs one front end, or the installed Wasp, in a world of its own."""

    def __init__(
        self,
        front_end: FrontEnd,
        root: Path,
        authority: Authority,
        upstream: Upstream,
    ) -> None:
        self.front_end, self.root = front_end, root
        self.authority, self.upstream = authority, upstream
        self.home, self.temporary = root / "home", root / "tmp"
        for folder in (self.home, self.temporary):
            folder.mkdir(parents=True)
        self.toolbox: Toolbox = standard_toolbox(root / "tools")
        bundle = str(authority.bundle)
        environment = {
            "HOME": str(self.home),
            "PATH": str(self.toolbox.folder),
            "TMPDIR": str(self.temporary),
            "SHELL": "/bin/bash",
            **dict.fromkeys(("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"), bundle),
            "WGETRC": str(authority.wgetrc),
            "WASP_NPM_REGISTRY": upstream.npm_url,
            "WASP_GITHUB_URL": upstream.github_url,
            **{name: value for name, value in os.environ.items() if name in _TELEMETRY},
            # No byte code beside the sources, and no compiling anew in every run.
            "PYTHONPYCACHEPREFIX": str(CHECKOUT / "byte-code"),
        }
        super().__init__(root / "here", environment)

    @property
    def layout(self) -> Layout:
        """The default prefix in this machine's home."""
        return Layout(self.home / ".local")

    def collects(self, collector: Collector) -> Self:
        """Telemetry is on, goes to this collector, and there is a Python to send it."""
        python = self.toolbox.folder / "python3"
        if not python.exists():
            python.symlink_to(os.path.realpath(sys.executable))
        self.set(WASP_TELEMETRY_DISABLE=None, WASP_TELEMETRY_URL=collector.url)
        return self.set(**{COLLECTING: "1"})

    wait_for_background = World.settle

    def move_home(self, name: str) -> Path:
        """Gives the machine a fresh home of this name."""
        self.home = self.root / name
        self.home.mkdir(parents=True)
        self.environment["HOME"] = str(self.home)
        return self.home

    def with_umask(self, mask: int) -> Self:
        """Every run from now on has this umask."""
        self.wrapper = ["/bin/sh", "-c", f'umask {mask:03o}; exec "$@"', "sh"]
        return self

    def without_waiting(self) -> Self:
        """Pauses between attempts end at once."""
        self.toolbox.script("sleep", ":")
        patch = self.root / "python"
        patch.mkdir()
        (patch / "sitecustomize.py").write_text("import time\ntime.sleep = lambda seconds: None\n")
        return self.set(PYTHONPATH=str(patch))

    def _argv(self, arguments: Sequence[str]) -> list[str]:
        """The sh program has --porcelain where install.py has --json."""
        if self.front_end.is_shell:
            arguments = ["--porcelain" if word == "--json" else word for word in arguments]
        return self.front_end.argv(*arguments)

    def run(self, *arguments: str, **options: Any) -> Run:
        """Runs the front end to its end; the options are those of `run_program`."""
        return self.run_program(self._argv(arguments), **options)

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> Background:
        """Starts the front end in a process group of its own, and goes on."""
        argv = self._argv(arguments)
        return Background(argv, self.start_program(argv, env=env))

    def install(self, version: str | None = None, *options: str, **kwargs: Any) -> Run:
        """Runs `install` with --json, which most tests look at."""
        chosen = [] if version is None else ["--version", version]
        return self.run("install", "--json", *chosen, *options, **kwargs)

    def wasp(self, *arguments: str, stdin: str | None = None, shell: Sequence[str] = ()) -> Run:
        """Runs the installed launcher, directly or as a script of the given shell."""
        return self.run_program([*shell, str(self.layout.launcher), *arguments], stdin=stdin)


_TELEMETRY = ("WASP_TELEMETRY_DISABLE", "WASP_TELEMETRY_URL", "WASP_NEWS_SERVER_URL")
AnyMachine = TypeVar("AnyMachine", bound=Machine)


@dataclass
class MachineRoom:
    """Builds machines, and at the end checks that they are clean."""

    folder: Path
    authority: Authority
    upstream: Upstream
    machines: list[Machine] = field(default_factory=list)

    def build(self, front_end: FrontEnd | str, name: str = "machine") -> Machine:
        """A fresh machine: empty home, standard tools, no Node.js."""
        return self.build_as(Machine, front_end, name)

    def build_as(
        self, kind: type[AnyMachine], front_end: FrontEnd | str, name: str = "machine"
    ) -> AnyMachine:
        chosen = BY_NAME[front_end] if isinstance(front_end, str) else front_end
        machine = kind(chosen, self.folder / name, self.authority, self.upstream)
        self.machines.append(machine)
        return machine

    def check_leftovers(self) -> None:
        for machine in self.machines:
            alive = survivors(machine.mark)
            assert not alive, f"still running: {alive}"
            assert not list(machine.temporary.iterdir()), "files were left in TMPDIR"
            assert not list(machine.here.iterdir()), "files were left in the current folder"
        staging = {*self.folder.rglob(".staging-*"), *self.folder.rglob(".wasp-staging-*")}
        assert not staging, f"unfinished installs were left: {staging}"
