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
from benchmarks.measure import BenchmarkError, Command, Options, Subject, chosen, interleave
from benchmarks.mirror import fetch_json, mirror_of
from benchmarks.report import (
    Chart,
    Column,
    Report,
    cpu_s,
    least,
    middle,
    most,
    peak_mib,
    times_floor,
    times_reference,
    wall_s,
)

ROOT = Path(__file__).parent.parent
MAIN = "@wasp.sh/wasp-cli"
# A Node that the release accepts (its engines.node): npm leaves the binary out on an older one.
NODE_VERSION = "24.21.0"
FLOOR = "curl | tar"
NPM = "npm"
ROUNDS = 7
COLUMNS = (
    Column("wall_s", "wall s", middle(wall_s)),
    Column("wall_min_s", "min", least(wall_s)),
    Column("wall_max_s", "max", most(wall_s)),
    Column("times_floor", "x floor", times_floor(wall_s)),
    Column("times_reference", f"x {NPM}", times_reference(wall_s)),
    Column("cpu_s", "CPU s", middle(cpu_s)),
    Column("peak_mib", "peak MiB", most(peak_mib)),
)

CHART = Chart(
    "install-time.svg",
    "Time of an install, against curl | tar",
    "times_floor",
    "x",
)


@dataclass(frozen=True)
class Setting:
    """What all subjects share: which release, where it is, the tools, the environment."""

    version: str
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
        return self.environment(home, WASP_NPM_REGISTRY=self.registry)

    def asking(self, home: Path) -> dict[str, str]:
        """Return the same with the registry where only npm itself looks for it."""
        return self.environment(home, NPM_CONFIG_GLOBALCONFIG=str(self.npm_settings))


def run(options: Options, folder: Path) -> Iterator[Report]:
    """Measure all installs, or those named."""
    rounds = options.rounds or ROUNDS
    with newest_release(folder, direct=options.direct) as setting:
        samples = interleave(chosen(all_subjects(setting), options.only), rounds, folder)
    title = f"Install of Wasp {setting.version}: medians of {rounds} rounds"
    facts = {
        **facts_of(setting),
        "server": "the registry" if options.direct else "a mirror on this machine",
    }
    yield Report("install", title, FLOOR, NPM, samples, COLUMNS, facts, chart=CHART)


@contextlib.contextmanager
def newest_release(folder: Path, *, direct: bool) -> Iterator[Setting]:
    """Give the setting for installs of the newest release, with a Node that it accepts."""
    npm = tool("npm")
    registry = output_of(npm, "config", "get", "registry").rstrip("/")
    release = fetch_json(registry, MAIN, "latest")
    package, version = sub_package(release["optionalDependencies"]), release["version"]
    node = install_node(npm, NODE_VERSION, folder / "node")
    path = os.pathsep.join([str(node.parent), str(Path(npm).parent), os.environ["PATH"]])
    settings = folder / "npmrc"
    with served(registry, package, version, folder, direct=direct) as (address, archive, network):
        settings.write_text(f"registry={address}/\n", encoding="utf-8")
        yield Setting(version, address, archive, npm, settings, path, network)


def facts_of(setting: Setting) -> dict[str, str]:
    """Return what the figures depend on beside the release."""
    curl = output_of(tool("curl"), "--version").partition(" (")[0]
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "tools": f"{curl}, Python {platform.python_version()}, Node {NODE_VERSION},"
        f" npm {output_of(setting.npm, '--version')}",
    }


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


def all_subjects(setting: Setting) -> list[Subject]:
    """Return everything that is compared, in the order of the table."""
    py = [sys.executable, str(ROOT / "install.py")]
    return [
        curl_and_tar(setting),
        sh_install(setting),
        front_end("install.py", py, setting.knowing),
        front_end("install.sh, npm asked", sh(), setting.asking),
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


def sh_install(setting: Setting) -> Subject:
    """Run install.sh as a new user with a registry in the environment."""
    return front_end("install.sh", sh(), setting.knowing)


def sh() -> list[str]:
    """Return how install.sh is run."""
    return [tool("sh"), str(ROOT / "install.sh")]


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
            **setting.environment(home, npm_config_registry=setting.registry),
            **quick,
            "npm_config_prefix": str(home),
            "npm_config_update_notifier": "false",
        }

    return Subject(
        NPM,
        command=lambda home: Command([setting.npm, "install", "-g", MAIN], environment(home)),
        proof=lambda home: Command([str(home / "bin" / "wasp"), "version"], environment(home)),
    )
