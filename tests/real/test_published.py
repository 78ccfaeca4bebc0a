"""The table of releases of this repository, with the archive that was really published."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import requests

from tests.support.archives import tiny_package
from tests.support.frontends import REPOSITORY, FrontEnd, of_checkout
from tests.support.getters import Getters
from tests.support.locks import made_once
from tests.support.machines import MachineRoom
from tests.support.program import make_checkout
from tests.support.releases import Release, Upstream

pytestmark = pytest.mark.real

VERSION, BUILD = "0.25.0", "linux-x64-glibc"
TABLE = json.loads((REPOSITORY / "packaging" / "releases.json").read_text())["releases"]
[DIGEST] = [each["npm"][BUILD] for each in TABLE if each["version"] == VERSION]


@pytest.fixture(scope="session")
def archive(registry: str, shared_folder: Path) -> bytes:
    """As the registry has it."""
    document = f"{registry}@wasp.sh%2fwasp-cli-{BUILD}/{VERSION}"

    def fetch() -> bytes:
        url = requests.get(document, timeout=60).json()["dist"]["tarball"]
        return requests.get(url, timeout=60).content

    return made_once(shared_folder / f"wasp-{VERSION}.tgz", fetch).read_bytes()


@pytest.fixture
def both(machines: MachineRoom, shell: FrontEnd, tmp_path: Path) -> Getters:
    """The getters as they are in this repository."""
    python, program = of_checkout(shell, make_checkout(tmp_path / "checkout", TABLE))
    machine = machines.build(program)
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    return Getters(machine, program, python)


def test_what_was_published_is_taken_from_a_mirror_that_names_no_digest(
    both: Getters, upstream: Upstream, archive: bytes
) -> None:
    package = tiny_package(VERSION)
    upstream.publish_npm(Release(package, archive, b""), VERSION, node=None, latest=True)
    told = both.machine.install(None, "--require-checksum").ok().json
    assert (told["version"], told["digest"]) == (VERSION, DIGEST)
    assert both.machine.wasp("version").ok().stdout == f"{VERSION}\n"
    # It has seventy megabytes.
    shutil.rmtree(both.machine.home)


def test_what_was_published_is_known_as_a_file(both: Getters, archive: bytes) -> None:
    run = both.install(None, *both.file(archive), "--require-checksum").ok()
    assert run.json["version"] == VERSION
    shutil.rmtree(both.machine.home)


def test_what_was_made_up_is_not(both: Getters, upstream: Upstream) -> None:
    package = tiny_package(VERSION)
    upstream.publish(VERSION, package=package)
    both.install().failed(6, "checksum-mismatch").says(
        DIGEST[: len("sha512:") + 64].partition(":")[2]
    )
    run = both.install(VERSION, *both.file(package.npm_archive()))
    run.failed(6, "checksum-mismatch").says(f"not Wasp {VERSION} as it was published")
