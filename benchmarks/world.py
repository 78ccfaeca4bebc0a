"""A user with Wasp and a project, for the benchmarks that run the installed `wasp`.

What its telemetry sends or asks for stays on this machine. The binary, whose address for events is
fixed, gets to the collector through a proxy that is the collector itself, and could not take any
other server for the real one: it trusts only the benchmark's own authority.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import certifi

import telemetry_ping
from benchmarks.collector import Collector, DeadNetwork, serving
from benchmarks.install import facts_of, newest_release, npm_install, sh_install
from benchmarks.machine import install_from_pypi, output_of, tool
from benchmarks.measure import BenchmarkError, Command, Subject, run_once
from benchmarks.mirror import HOST, make_certificates

# What is read in a launcher: words that may be quoted, and go over several lines.
KNOWN = ("version", "root", "python")
ASSIGNMENT = re.compile(rf"""(?m)^_wasp_({"|".join(KNOWN)})=((?:'[^']*'|\\'|[^'\s])*)$""")
OLDER_VERSION = "0.1.0"


@dataclass(frozen=True)
class Launcher:
    """An installed launcher: the binary that it starts, and what it runs in the background."""

    path: Path
    version: str
    binary: Path
    python: str
    ping: Sequence[str]


@dataclass(frozen=True)
class Authorities:
    """The benchmark's own certificate authority, as systems keep theirs.

    Alone, among all that Mozilla trusts, and in a folder where each is found by its hash.
    """

    alone: Path
    among_all: Path
    hashed: Path


@dataclass(frozen=True)
class World:
    """The user's folders, what is installed there, and what stands for the outside."""

    folder: Path
    path: str
    launcher: Launcher
    #: Of a prefix with two versions; projects that want the older one, by the line that says so.
    launcher_of_two: Path
    wanting_projects: Mapping[int, Path]
    npm_wasp: Path
    posthog: Path
    authorities: Authorities
    collector: Collector
    dead: DeadNetwork
    facts: Mapping[str, str]

    def command(
        self, arguments: Sequence[str], variables: Mapping[str, str], cache: str = "none"
    ) -> Command:
        """Return a command that the user gives in the project, with a cache of that name."""
        project = project_in(self.folder)
        environment = {
            "HOME": str(home_in(self.folder)),
            "LANG": "C.UTF-8",
            "PATH": self.path,
            "PWD": str(project),
            "SYSTEM_CERTIFICATE_PATH": str(self.authorities.alone),
            "WASP_NEWS_SERVER_URL": self.collector.origin,
            "WASP_TELEMETRY_URL": self.collector.url,
            "XDG_CACHE_HOME": str(self.cache(cache)),
            **variables,
        }
        return Command(arguments, environment, project)

    def cache(self, name: str) -> Path:
        """Return where the cache of that name is."""
        return self.folder / "caches" / name

    def check(self) -> None:
        """Raise when more or less came to the collector than was due."""
        for arrivals in (self.collector.events, self.collector.tunnels, self.collector.lookups):
            arrivals.check()


@contextlib.contextmanager
def world_in(folder: Path, *, direct: bool) -> Iterator[World]:
    """Give a world with the newest Wasp, installed by install.sh and by npm."""
    project_in(folder).mkdir()
    (project_in(folder) / ".wasproot").touch()
    # Telemetry makes a cache, and nothing above it.
    (folder / "caches").mkdir()
    with newest_release(folder, direct=direct) as setting:
        home, npm_home = home_in(folder), folder / "npm"
        install(sh_install(setting), home)
        install(npm_install(setting), npm_home)
        path, facts = setting.path, facts_of(setting)
    launcher = read_launcher(home / ".local" / "bin" / "wasp")
    posthog = install_from_pypi(launcher.python, "posthog", folder / "venv")
    authorities, key_file = make_authorities(folder / "authorities")
    collector, dead = Collector(key_file), DeadNetwork()
    say_it_came_from(collector.origin, launcher.binary.with_name(".receipt.json"))
    with serving(collector.server, collector.proxy_server, dead):
        yield World(
            folder=folder,
            path=path,
            launcher=launcher,
            launcher_of_two=with_two_versions(launcher, folder / "two"),
            wanting_projects={line: wanting_project(folder, line) for line in (10, 60, 300)},
            npm_wasp=npm_home / "bin" / "wasp",
            posthog=posthog,
            authorities=authorities,
            collector=collector,
            dead=dead,
            facts={**facts, **facts_about(launcher, posthog)},
        )


def home_in(folder: Path) -> Path:
    return folder / "home"


def project_in(folder: Path) -> Path:
    return folder / "project"


def install(subject: Subject, home: Path) -> None:
    """Let a subject of the install benchmark install Wasp, and check that it has."""
    home.mkdir()
    run_once(subject.command(home), home / "install.log")
    if subject.proof is not None:
        run_once(subject.proof(home), home / "proof.log")


def read_launcher(path: Path) -> Launcher:
    """Return what a launcher starts; raise when it would leave telemetry to the binary."""
    text = path.read_text(encoding="utf-8")
    values = {name: "".join(shlex.split(value)) for name, value in ASSIGNMENT.findall(text)}
    if len(values) != len(KNOWN) or not os.access(values["python"], os.X_OK):
        raise BenchmarkError(f"{path} has no Python to run, or is not as it was")
    version, root, python = (values[name] for name in KNOWN)
    code = "import sys; sys.path.insert(0, sys.argv[1])\nimport telemetry_ping; "
    code += "telemetry_ping.run(sys.argv[2:])"
    ping = [python, "-I", "-S", "-B", "-c", code, root, "invoked", version, "version"]
    return Launcher(path, version, Path(root, version, "wasp-bin"), python, ping)


def with_two_versions(launcher: Launcher, prefix: Path) -> Path:
    """Link the installed version into another prefix twice; return the launcher there."""
    old, new = launcher.binary.parents[1], prefix / "share" / "wasp-lang"
    shutil.copytree(old, new, symlinks=True, copy_function=os.link)
    other = new / OLDER_VERSION
    shutil.copytree(new / launcher.version, other, symlinks=True, copy_function=os.link)
    path = prefix / "bin" / "wasp"
    path.parent.mkdir()
    path.write_text(launcher.path.read_text(encoding="utf-8").replace(str(old), str(new)))
    path.chmod(0o755)
    return path


def wanting_project(folder: Path, line: int) -> Path:
    """Make a project that says in this line of main.wasp which version it wants."""
    project = folder / f"project-{line}"
    project.mkdir()
    (project / ".wasproot").touch()
    before = ["app myApp {", *["  // Nothing of interest here."] * (line - 2)]
    text = "\n".join([*before, f'  wasp: {{ version: "^{OLDER_VERSION}" }}', "}", ""])
    (project / "main.wasp").write_text(text)
    return project


def say_it_came_from(origin: str, receipt: Path) -> None:
    """Note that a version was installed from a registry at `origin`, later asked for newer ones."""
    known = json.loads(receipt.read_text(encoding="utf-8"))
    known["url"] = origin + urlsplit(known["url"]).path
    receipt.write_text(json.dumps(known), encoding="utf-8")


def make_authorities(folder: Path) -> tuple[Authorities, Path]:
    """Write an authority in all three ways, and a key for the collector, whatever it is called."""
    hashed = folder / "hashed"
    hashed.mkdir(parents=True)
    real_host = urlsplit(telemetry_ping.DEFAULT_URL).hostname or ""
    alone, key_file = make_certificates(folder, HOST, real_host)
    among_all = folder / "all.pem"
    among_all.write_bytes(Path(certifi.where()).read_bytes() + alone.read_bytes())
    name = output_of(tool("openssl"), "x509", "-noout", "-subject_hash", "-in", str(alone))
    (hashed / f"{name}.0").write_bytes(alone.read_bytes())
    return Authorities(alone, among_all, hashed), key_file


def facts_about(launcher: Launcher, posthog: Path) -> dict[str, str]:
    """Return what the figures of telemetry depend on."""
    about = "import platform, ssl; print(platform.python_version(), 'with', ssl.OPENSSL_VERSION)"
    version = "from importlib.metadata import version; print(version('posthog'))"
    return {
        "launcher": f"run by {os.path.realpath('/bin/sh')}, with Python"
        f" {output_of(launcher.python, '-I', '-c', about)}",
        "beside it": f"posthog-python {output_of(str(posthog), '-I', '-c', version)}",
        "telemetry": "to a collector on this machine",
    }


def remembered(cache: Path) -> list[Path]:
    """Return the files with a project's last event, and with what is known of messages."""
    folder = cache / "wasp" / "telemetry"
    return [*folder.glob("project-*"), *folder.glob("messages*")]


def forgetting(cache: Path) -> Callable[[], None]:
    """Return what makes a cache that of a new project, on a machine that has an id."""

    def forget() -> None:
        for file in remembered(cache):
            file.unlink()

    return forget
