"""The whole install, by each front end, against npm's and against the least that it could take.

All get the same release from the same server: a mirror on this machine that serves the real
packages, or with `--direct` the registry itself.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from benchmarks.machine import (
    install_node,
    network_environment,
    node_platform,
    output_of,
    tool,
    trusting,
)
from benchmarks.measure import BenchmarkError, Command, Options, Report, Subject, interleave
from benchmarks.mirror import fetch_json, mirror_of

ROOT = Path(__file__).parent.parent
MAIN = "@wasp.sh/wasp-cli"
# A Node that the release accepts (its engines.node): npm leaves the binary out on an older one.
NODE_VERSION = "24.21.0"
FLOOR = "curl | tar"
NPM = "npm"


@dataclass(frozen=True)
class Setting:
    """What all subjects share: where the release is, the tools, the environment."""

    registry: str
    archive: str
    npm: str
    npm_settings: Path
    path: str
    network: Mapping[str, str]

    def environment(self, home: Path, **more: str) -> dict[str, str]:
        """Return the environment of a new user who has no registry set."""
        return {
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PATH": self.path,
            "WASP_TELEMETRY_DISABLE": "1",
            **self.network,
            **more,
        }

    def knowing(self, home: Path) -> dict[str, str]:
        """Return the same with the registry in the environment."""
        return self.environment(home, npm_config_registry=self.registry)

    def asking(self, home: Path) -> dict[str, str]:
        """Return the same with the registry where only npm itself looks for it."""
        return self.environment(home, NPM_CONFIG_GLOBALCONFIG=str(self.npm_settings))


def run(options: Options, folder: Path) -> Report:
    """Measure all installs, or those named."""
    npm = tool("npm")
    registry = output_of(npm, "config", "get", "registry").rstrip("/")
    release = fetch_json(registry, MAIN, "latest")
    package = sub_package(release["optionalDependencies"])
    node = install_node(npm, NODE_VERSION, folder / "node")
    curl = output_of(tool("curl"), "--version").partition(" (")[0]
    facts = {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "tools": f"{curl}, Python {platform.python_version()}, Node {NODE_VERSION},"
        f" npm {output_of(npm, '--version')}",
        "server": "the registry" if options.direct else "a mirror on this machine",
    }
    with served(registry, package, release["version"], folder, direct=options.direct) as (
        address,
        archive,
        network,
    ):
        settings = folder / "npmrc"
        settings.write_text(f"registry={address}/\n", encoding="utf-8")
        path = os.pathsep.join([str(node.parent), str(Path(npm).parent), os.environ["PATH"]])
        setting = Setting(address, archive, npm, settings, path, network)
        samples = interleave(chosen(setting, options.only), options.rounds, folder)
    title = f"Install of Wasp {release['version']}: medians of {options.rounds} rounds"
    return Report(title, FLOOR, NPM, samples, facts)


@contextlib.contextmanager
def served(
    registry: str, package: str, version: str, folder: Path, *, direct: bool
) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Give the registry to use, the archive's address there, and what clients need to reach it."""
    if direct:
        archive = fetch_json(registry, package, version)["dist"]["tarball"]
        yield registry, archive, network_environment()
        return
    with mirror_of(registry, MAIN, version, package, folder) as mirror:
        yield mirror.registry, mirror.archive, trusting(mirror.ca_file)


def sub_package(names: Mapping[str, str]) -> str:
    """Return the name of the package that holds this machine's binary."""
    name = "-".join([MAIN, *node_platform()])
    if name not in names:
        raise BenchmarkError(f"the release has no {name}")
    return name


def chosen(setting: Setting, only: Sequence[str]) -> list[Subject]:
    """Return the subjects named, or all."""
    subjects = all_subjects(setting)
    unknown = set(only) - {subject.name for subject in subjects}
    if unknown:
        names = ", ".join(f"'{subject.name}'" for subject in subjects)
        raise BenchmarkError(f"nothing is named {unknown.pop()!r}; there are {names}")
    return [subject for subject in subjects if not only or subject.name in only]


def all_subjects(setting: Setting) -> list[Subject]:
    """Return everything that is compared, in the order of the table."""
    sh = [tool("sh"), str(ROOT / "install.sh")]
    py = [sys.executable, str(ROOT / "install.py")]
    return [
        curl_and_tar(setting),
        front_end("install.sh", sh, setting.knowing),
        front_end("install.py", py, setting.knowing),
        front_end("install.sh, npm asked", sh, setting.asking),
        front_end("install.py, npm asked", py, setting.asking),
        npm_install(setting),
    ]


def curl_and_tar(setting: Setting) -> Subject:
    """Download and unpack at once, with nothing checked, as the floor."""
    script = 'mkdir "$2" && curl -fsSL "$1" | tar -xz -C "$2"'

    def command(home: Path) -> Command:
        arguments = [tool("sh"), "-c", script, "sh", setting.archive, str(home / "wasp")]
        return Command(arguments, setting.environment(home))

    def proof(home: Path) -> Command:
        binary = home / "wasp" / "package" / "wasp-bin"
        return Command([str(binary), "version"], setting.environment(home))

    return Subject(FLOOR, command, proof)


def front_end(
    name: str, command: Sequence[str], environment: Callable[[Path], dict[str, str]]
) -> Subject:
    """Run one of this project's two installers."""
    return Subject(
        name,
        command=lambda home: Command(command, environment(home)),
        proof=lambda home: Command(
            [str(home / ".local" / "bin" / "wasp"), "version"], environment(home)
        ),
    )


def npm_install(setting: Setting) -> Subject:
    """Let npm install it, with an empty cache and without what it does beside the install."""
    quick = {"npm_config_audit": "false", "npm_config_fund": "false"}

    def environment(home: Path) -> dict[str, str]:
        return {
            **setting.knowing(home),
            **quick,
            "npm_config_prefix": str(home),
            "npm_config_update_notifier": "false",
        }

    return Subject(
        NPM,
        command=lambda home: Command([setting.npm, "install", "-g", MAIN], environment(home)),
        proof=lambda home: Command([str(home / "bin" / "wasp"), "version"], environment(home)),
    )
