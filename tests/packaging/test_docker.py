"""The Dockerfiles: linted, and what they run run in a folder that stands in for the image.

No image is built, since that needs Docker's daemon and its registry.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packaging.jails import Jail, finds_nothing
from tests.support.archives import sha256_hex, tiny_package
from tests.support.certificates import Authority
from tests.support.frontends import INSTALL_SH, REPOSITORY
from tests.support.machines import Run
from tests.support.releases import Upstream
from tests.support.replies import Content
from tests.support.toolboxes import BASE_TOOLS, HASH_TOOLS
from tests.support.trees import Layout, expected_version_folder

FOLDER = REPOSITORY / "packaging" / "docker"
#: What builds an image in a jail, with these arguments.
Build = Callable[..., Run]


@pytest.fixture(params=["slim", "alpine"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def instructions(name: str) -> list[tuple[str, str]]:
    """The instructions of the Dockerfile with what they are given."""
    text = (FOLDER / f"{name}.Dockerfile").read_text().replace("\\\n", "")
    return re.findall(r"^([A-Z]+) (.*)", text, re.MULTILINE)


@pytest.fixture
def arguments(instructions: list[tuple[str, str]]) -> dict[str, str]:
    """The build's arguments with their defaults."""
    given = [rest.split("=", 1) for word, rest in instructions if word == "ARG"]
    return {words[0]: words[1] for words in given if words[1:]}


def test_it_is_pinned_small_opted_out_and_not_roots(
    name: str, instructions: list[tuple[str, str]], arguments: dict[str, str]
) -> None:
    finds_nothing("hadolint", "--failure-threshold", "style", FOLDER / f"{name}.Dockerfile")
    words = [word for word, _ in instructions]
    given = dict(instructions)
    assert re.fullmatch(r"\d+\.\d+\.\d+", arguments["WASP_VERSION"])
    assert given["FROM"].startswith("node:${NODE_VERSION}-")
    assert words.count("RUN") == 1
    # For the build alone.
    assert arguments["WASP_TELEMETRY_DISABLE"] == "1"
    assert "ENV" not in words
    assert words.index("USER") > words.index("RUN")
    assert given["USER"] == "1000:1000"


@pytest.fixture
def jail(name: str, tmp_path: Path) -> Jail:
    """What the base image has, and a package manager that brings curl."""
    jail = Jail(tmp_path / "image")
    (jail.root / "usr" / "local").mkdir()
    if name == "alpine":
        jail.busybox().script("ldd", "echo 'musl libc (x86_64)' >&2; exit 1")
        return jail.bring("curl").script("apk", 'echo "$0 $*"')
    (jail.root / "var" / "lib" / "apt" / "lists" / "of packages").mkdir(parents=True)
    jail.bring(*(tool for tool in BASE_TOOLS if tool != "ldd"), *HASH_TOOLS, "curl")
    return jail.script("apt-get", 'echo "$0 $*"')


@pytest.fixture
def build(
    jail: Jail,
    instructions: list[tuple[str, str]],
    arguments: dict[str, str],
    upstream: Upstream,
    authority: Authority,
) -> Build:
    """With a server in the place of all others."""
    upstream.publish(arguments["WASP_VERSION"])
    upstream.server.answer("/install.sh", Content(INSTALL_SH.read_bytes()))
    shutil.copy(authority.bundle, jail.root / "authorities.pem")
    values = {
        **arguments,
        "INSTALLER": f"{upstream.server.url}/install.sh",
        "WASP_NPM_REGISTRY": upstream.npm_url,
        "WASP_GITHUB_URL": upstream.github_url,
        "CURL_CA_BUNDLE": "/authorities.pem",
    }
    commands = dict(instructions)["RUN"]
    return lambda **more: jail.run(["sh", "-c", commands], {**values, **more})


def test_its_commands_install_wasp(
    name: str, jail: Jail, build: Build, arguments: dict[str, str]
) -> None:
    run = build(INSTALLER_SHA256=sha256_hex(INSTALL_SH.read_bytes())).ok()
    installing = {"slim": "apt-get install -y", "alpine": "apk add --no-cache"}[name]
    assert re.search(f"{installing} .*ca-certificates", run.stdout)
    version = arguments["WASP_VERSION"]
    run.says(f"Installed Wasp {version}").is_silent_about("telemetry:", "your PATH")
    layout = Layout(jail.root / "usr" / "local")
    assert layout.version_picture(version) == expected_version_folder(tiny_package(version))
    libc = {"slim": "glibc", "alpine": "musl"}[name]
    assert layout.receipt(version)["platform"]["libc"] == libc
    assert jail.run(["wasp", "version"]).ok().stdout == f"{version}\n"
    assert not list((jail.root / "tmp").iterdir())
    assert not list((jail.root / "var").rglob("lists/*"))


def test_no_installer_is_run_but_the_one_that_was_chosen(jail: Jail, build: Build) -> None:
    for given in ({}, {"INSTALLER_SHA256": "0" * 64}, {"INSTALLER_SHA256": "nonsense"}):
        run = build(**given)
        assert run.code != 0
        run.is_silent_about("Wasp 0")
        assert not Layout(jail.root / "usr" / "local").launcher.exists()
