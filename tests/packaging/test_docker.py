"""The Dockerfiles: linted, and what they run run in a folder that stands in for the image.

No image is built, since that needs Docker's daemon and its registry.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.packaging.jails import Jail, linter, run_to_end
from tests.support.archives import sha256_hex, tiny_package
from tests.support.certificates import Authority
from tests.support.frontends import INSTALL_SH, REPOSITORY
from tests.support.machines import Run
from tests.support.releases import Upstream
from tests.support.replies import Content
from tests.support.toolboxes import BASE_TOOLS, HASH_TOOLS
from tests.support.trees import Layout, expected_version_folder

FOLDER = REPOSITORY / "packaging" / "docker"
NAMES = ("slim", "alpine")


def instructions(name: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile with what they are given, one line each."""
    text = (FOLDER / f"{name}.Dockerfile").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    whole = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in whole.splitlines())]


def arguments(name: str) -> dict[str, str]:
    """The build's arguments with their defaults."""
    given = (rest for word, rest in instructions(name) if word == "ARG")
    return dict(each.split("=", 1) for each in given if "=" in each)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_hadolint_has_nothing_to_say(name: str) -> None:
    command = [linter("hadolint"), "--no-color", "--failure-threshold", "style"]
    assert run_to_end([*command, str(FOLDER / f"{name}.Dockerfile")], {}).ok().stdout == ""


def test_it_is_pinned_small_opted_out_and_not_roots(name: str) -> None:
    given = instructions(name)
    words = [word for word, _ in given]
    assert re.fullmatch(r"\d+\.\d+\.\d+", arguments(name)["WASP_VERSION"])
    assert dict(given)["FROM"].startswith("node:${NODE_VERSION}-")
    assert words.count("RUN") == 1
    # For the build alone.
    assert arguments(name)["WASP_TELEMETRY_DISABLE"] == "1"
    assert "ENV" not in words
    assert words.index("USER") > words.index("RUN")
    assert dict(given)["USER"] == "1000:1000"


def image(name: str, root: Path) -> Jail:
    """A jail with what the base image has, and a package manager that brings curl."""
    jail = Jail(root)
    (root / "usr" / "local").mkdir()
    if name == "slim":
        (root / "var" / "lib" / "apt" / "lists" / "of packages").mkdir(parents=True)
        jail.bring(*(tool for tool in BASE_TOOLS if tool != "ldd"))
        jail.bring(*HASH_TOOLS)
        manager = "apt-get"
    else:
        jail.busybox().script("ldd", "echo 'musl libc (x86_64)' >&2; exit 1")
        manager = "apk"
    return jail.bring("curl").script(manager, 'echo "$0 $*"')


@dataclass(frozen=True)
class Building:
    """A build of one of the files, with a server in the place of all others."""

    jail: Jail
    values: dict[str, str]
    commands: str

    def run(self, **arguments: str) -> Run:
        return self.jail.run(["sh", "-c", self.commands], {**self.values, **arguments})


@pytest.fixture
def building(name: str, tmp_path: Path, upstream: Upstream, authority: Authority) -> Building:
    values = arguments(name)
    upstream.publish(values["WASP_VERSION"])
    upstream.server.answer("/install.sh", Content(INSTALL_SH.read_bytes()))
    jail = image(name, tmp_path / "image")
    shutil.copy(authority.bundle, jail.root / "authorities.pem")
    [commands] = [rest for word, rest in instructions(name) if word == "RUN"]
    values["INSTALLER"] = f"{upstream.server.url}/install.sh"
    connection = {
        "WASP_NPM_REGISTRY": upstream.npm_url,
        "WASP_GITHUB_URL": upstream.github_url,
        "CURL_CA_BUNDLE": "/authorities.pem",
    }
    return Building(jail, {**values, **connection}, commands)


def test_its_commands_install_wasp(name: str, building: Building) -> None:
    run = building.run(INSTALLER_SHA256=sha256_hex(INSTALL_SH.read_bytes())).ok()
    manager = {"slim": "apt-get install -y", "alpine": "apk add --no-cache"}[name]
    assert manager in run.stdout
    assert "ca-certificates" in run.stdout
    version = building.values["WASP_VERSION"]
    run.says(f"Installed Wasp {version}").is_silent_about("telemetry:", "your PATH")
    root = building.jail.root
    layout = Layout(root / "usr" / "local")
    tree = layout.version_picture(version)
    assert tree == expected_version_folder(tiny_package(version))
    libc = {"slim": "glibc", "alpine": "musl"}[name]
    assert layout.receipt(version)["platform"]["libc"] == libc
    assert building.jail.run(["wasp", "version"]).ok().stdout == f"{version}\n"
    assert not list((root / "tmp").iterdir())
    assert not list((root / "var").rglob("lists/*"))


def test_no_installer_is_run_but_the_one_that_was_chosen(building: Building) -> None:
    for arguments in ({}, {"INSTALLER_SHA256": "0" * 64}, {"INSTALLER_SHA256": "nonsense"}):
        run = building.run(**arguments)
        assert run.code != 0
        run.is_silent_about("Wasp 0")
        assert not Layout(building.jail.root / "usr" / "local").launcher.exists()
