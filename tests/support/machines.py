"""A machine as the installer sees it: a fresh home, a PATH, an environment, and what it printed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tests.support.certificates import Authority
from tests.support.collector import Collector
from tests.support.frontends import BY_NAME, FrontEnd, existing
from tests.support.porcelain import from_porcelain
from tests.support.processes import COLLECTING, MARK, marked, survivors
from tests.support.releases import Upstream
from tests.support.toolboxes import Toolbox, standard_toolbox
from tests.support.trees import Layout

if TYPE_CHECKING:
    from typing_extensions import Self

# Long enough for eight runs at once on a slow machine; a run that needs it has failed anyway.
RUN_LIMIT = 60.0

_PYTHON_SLEEP = """
import time


def sleep(seconds):
    with open({log!r}, "a") as log:
        log.write(f"{{seconds:g}}\\n")


time.sleep = sleep
"""


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
        value = self.json["warnings"]
        assert isinstance(value, list), self
        return [str(item) for item in value]

    def ok(self) -> Run:
        """Itself, when the run ended well."""
        assert self.code == 0, self
        return self

    def failed(self, code: int, slug: str | None = None) -> Run:
        """Itself, when the run failed with this exit code, cleanly told and (with --json) named."""
        assert self.code == code, self
        lines = self.stderr.splitlines()
        causes = [line for line in lines if line.startswith("error: ")]
        assert len(causes) == 1, self
        assert "Traceback" not in self.stderr, self
        if slug is not None:
            assert self.json["status"] == "error", self
            assert self.json["code"] == code, self
            assert self.json["error"] == slug, self
            assert self.json["message"], self
        return self

    def says(self, *words: str) -> Run:
        """Itself, when every one of the words is on stderr, whatever their case."""
        text = self.stderr.lower()
        missing = [word for word in words if word.lower() not in text]
        assert not missing, f"not said: {missing}\n{self}"
        return self

    def is_silent_about(self, *words: str) -> Run:
        """Itself, when none of the words is on stderr, whatever their case."""
        text = self.stderr.lower()
        present = [word for word in words if word.lower() in text]
        assert not present, f"said: {present}\n{self}"
        return self

    def __str__(self) -> str:
        command = " ".join(self.argv)
        return (
            f"$ {command}\nexit code {self.code}\n"
            f"--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}\n---"
        )


@dataclass
class Machine:
    """Runs one front end, or the installed Wasp, in a world of its own."""

    front_end: FrontEnd
    root: Path
    toolbox: Toolbox
    authority: Authority
    upstream: Upstream
    telemetry_url: str
    python_cache: Path
    environment: dict[str, str] = field(default_factory=dict)
    wrapper: list[str] = field(default_factory=list)
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        self.home = self.root / "home"
        self.temporary = self.root / "tmp"
        self.here = self.root / "here"
        for folder in (self.home, self.temporary, self.here):
            folder.mkdir(parents=True, exist_ok=True)
        self.environment = {**self._plain_environment(), **self.environment}

    def _plain_environment(self) -> dict[str, str]:
        bundle = str(self.authority.bundle)
        return {
            "HOME": str(self.home),
            "PATH": str(self.toolbox.folder),
            "TMPDIR": str(self.temporary),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "SHELL": "/bin/bash",
            "SSL_CERT_FILE": bundle,
            "CURL_CA_BUNDLE": bundle,
            "REQUESTS_CA_BUNDLE": bundle,
            "WGETRC": str(self.authority.wgetrc),
            "WASP_NPM_REGISTRY": self.upstream.npm_url,
            "WASP_GITHUB_URL": self.upstream.github_url,
            "WASP_TELEMETRY_DISABLE": "1",
            "WASP_TELEMETRY_URL": self.telemetry_url,
            "WASP_NEWS_SERVER_URL": self.telemetry_url,
            # No byte code beside the sources, and no compiling anew in every run.
            "PYTHONPYCACHEPREFIX": str(self.python_cache),
            MARK: self.mark,
        }

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

    def wait_for_background(self) -> None:
        """Returns once no process of this machine is left."""
        alive = survivors(self.mark, patience=30.0)
        assert not alive, f"still running: {alive}"

    def processes(self) -> dict[int, str]:
        """The living processes of this machine, with their command lines."""
        return marked(self.mark)

    def move_home(self, name: str) -> Path:
        """Gives the machine a fresh home of this name."""
        self.home = self.root / name
        self.home.mkdir(parents=True)
        self.environment["HOME"] = str(self.home)
        return self.home

    def set(self, **variables: str | None) -> Self:
        """Sets variables for every run from now on; None takes one away."""
        for name, value in variables.items():
            if value is None:
                self.environment.pop(name, None)
            else:
                self.environment[name] = value
        return self

    def with_umask(self, mask: int) -> Self:
        """Every run from now on has this umask."""
        self.wrapper = ["/bin/sh", "-c", f'umask {mask:03o}; exec "$@"', "sh"]
        return self

    def without_waiting(self) -> Self:
        """Pauses between attempts end at once; `pauses()` tells how long they would have been."""
        log = self.root / "pauses"
        log.write_text("")
        self.toolbox.script("sleep", f"echo \"$1\" >>'{log}'")
        patch = self.root / "python"
        patch.mkdir()
        (patch / "sitecustomize.py").write_text(_PYTHON_SLEEP.format(log=str(log)))
        return self.set(PYTHONPATH=str(patch))

    def pauses(self) -> list[float]:
        """The pauses of at least a second that `without_waiting` has spared."""
        asked = [float(line) for line in (self.root / "pauses").read_text().split()]
        return [pause for pause in asked if pause >= 1]

    def run(
        self,
        *arguments: str,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Run:
        """Runs the front end to its end."""
        return self.run_program(self._argv(arguments), stdin=stdin, env=env, cwd=cwd)

    def _argv(self, arguments: Sequence[str]) -> list[str]:
        """The sh program has --porcelain where install.py has --json."""
        if self.front_end.is_shell:
            arguments = ["--porcelain" if word == "--json" else word for word in arguments]
        return self.front_end.argv(*arguments)

    def install(self, version: str | None = None, *options: str, **kwargs: Any) -> Run:
        """Runs `install` with --json, which most tests look at."""
        chosen = [] if version is None else ["--version", version]
        return self.run("install", "--json", *chosen, *options, **kwargs)

    def wasp(self, *arguments: str, stdin: str | None = None, shell: Sequence[str] = ()) -> Run:
        """Runs the installed launcher, directly or as a script of the given shell."""
        return self.run_program([*shell, str(self.layout.launcher), *arguments], stdin=stdin)

    def run_program(
        self,
        argv: Sequence[str],
        *,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Run:
        process = self.start_program(argv, env=env, cwd=cwd, stdin=subprocess.PIPE)
        try:
            out, err = process.communicate((stdin or "").encode(), timeout=RUN_LIMIT)
        except subprocess.TimeoutExpired:
            end_group(process)
            out, err = process.communicate()
            text = Run(list(argv), -1, out.decode(errors="replace"), err.decode(errors="replace"))
            raise AssertionError(f"did not end\n{text}") from None
        return Run(list(argv), process.returncode, out.decode(), err.decode())

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> Background:
        """Starts the front end in a process group of its own, and goes on."""
        argv = self._argv(arguments)
        return Background(argv, self.start_program(argv, env=env))

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

    def result(self) -> Run:
        try:
            out, err = self.process.communicate(timeout=RUN_LIMIT)
        except subprocess.TimeoutExpired:
            end_group(self.process)
            raise AssertionError(f"did not end: {' '.join(self.argv)}") from None
        return Run(
            self.argv,
            self.process.returncode,
            out.decode(errors="replace"),
            err.decode(errors="replace"),
        )


def end_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def own_signals() -> Iterator[None]:
    """Signals as on a terminal, for children too, however the test runner was started.

    A runner in the background of a script ignores SIGINT, and what is ignored is inherited:
    the shells under test could not be interrupted at all.
    """
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGQUIT)}
    ignored = [number for number, action in previous.items() if action is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


AnyMachine = TypeVar("AnyMachine", bound=Machine)


class MachineRoom:
    """Builds machines, and at the end checks that they are clean."""

    def __init__(
        self,
        folder: Path,
        authority: Authority,
        upstream: Upstream,
        telemetry_url: str,
        python_cache: Path,
    ) -> None:
        self._folder = folder
        self._authority = authority
        self._upstream = upstream
        self._telemetry_url = telemetry_url
        self._python_cache = python_cache
        self._machines: list[Machine] = []

    def build(self, front_end: FrontEnd | str, name: str = "machine") -> Machine:
        """A fresh machine: empty home, standard tools, no Node.js."""
        return self.build_as(Machine, front_end, name)

    def build_as(
        self, kind: type[AnyMachine], front_end: FrontEnd | str, name: str = "machine"
    ) -> AnyMachine:
        chosen = BY_NAME[front_end] if isinstance(front_end, str) else front_end
        root = self._folder / name
        machine = kind(
            front_end=existing(chosen),
            root=root,
            toolbox=standard_toolbox(root / "tools"),
            authority=self._authority,
            upstream=self._upstream,
            telemetry_url=self._telemetry_url,
            python_cache=self._python_cache,
        )
        self._machines.append(machine)
        return machine

    def check_leftovers(self) -> None:
        for machine in self._machines:
            alive = survivors(machine.mark)
            assert not alive, f"still running: {alive}"
            assert not list(machine.temporary.iterdir()), "files were left in TMPDIR"
            assert not list(machine.here.iterdir()), "files were left in the current folder"
        staging = [
            path
            for pattern in (".staging-*", ".wasp-staging-*")
            for path in self._folder.rglob(pattern)
        ]
        assert not staging, f"unfinished installs were left: {staging}"
