"""Releases whose digests are inside the installer: what arrives must be what was published."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.support.archives import Package, integrity, sha256_hex, tiny_binary, tiny_package
from tests.support.frontends import FrontEnd, knowing
from tests.support.getters import Getters
from tests.support.machines import MachineRoom, Run
from tests.support.releases import (
    GITHUB_NAMES,
    NPM_PLATFORMS,
    Release,
    Upstream,
    npm_platform_path,
    npm_tarball_path,
)
from tests.support.replies import Content, json_content
from tests.support.toolboxes import HASH_TOOLS

SOURCES = ("npm", "github")
PUBLISHED = tiny_package("0.25.0")
RELEASE = Release(PUBLISHED, PUBLISHED.npm_archive(), PUBLISHED.github_archive())
#: In the table, by source.
ROW = {
    "npm": dict.fromkeys(NPM_PLATFORMS, RELEASE.npm_digest),
    "github": dict.fromkeys(GITHUB_NAMES, RELEASE.github_digest),
}
#: Another archive of the same version; its program leaves a mark when it is run.
OTHER = Package("0.25.0", tiny_binary("0.25.0").replace(b"\n", b'\n: >"$HOME/ran"\n', 1))
ARRIVED = "the archive is not the one that was published"
GIVEN = "the archive is not Wasp 0.25.0 as it was published"


def archive_of(package: Package, shape: str) -> bytes:
    """In the shape of a source, perhaps "bare": decompressed by a browser."""
    archive = package.npm_archive() if "npm" in shape else package.github_archive()
    return gzip.decompress(archive) if "bare" in shape else archive


def getters_after(machines: MachineRoom, shell: FrontEnd, folder: Path, *sources: str) -> Getters:
    """Both getters, published after 0.25.0, with its digests of these sources."""
    row = {"version": "0.25.0", **{source: ROW[source] for source in sources}}
    python, program = knowing(shell, folder / "checkout", [row])
    machine = machines.build(program)
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    return Getters(machine, program, python)


@pytest.fixture
def both(machines: MachineRoom, shell: FrontEnd, tmp_path: Path) -> Getters:
    return getters_after(machines, shell, tmp_path, *SOURCES)


def refused(both: Getters, run: Run, words: str) -> None:
    run.failed(6, "checksum-mismatch").says(words)
    assert both.machine.layout.versions() == []
    assert not (both.machine.home / "ran").exists()


# --- from a server -------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_no_word_of_a_server_is_needed(both: Getters, upstream: Upstream, source: str) -> None:
    """A mirror that names no digest, or one of something else."""
    upstream.publish("0.25.0", digests=False)
    document = upstream.npm_platform_metadata(RELEASE, "0.25.0", "linux-x64-glibc")
    document["dist"]["integrity"] = integrity(b"something else")
    upstream.server.answer(npm_platform_path("0.25.0", "linux-x64-glibc"), json_content(document))
    told = both.install(None, "--source", source, "--require-checksum").ok().json
    assert told["digest"] in ROW[source].values()


@pytest.mark.parametrize("source", SOURCES)
def test_a_server_that_lies_about_the_digest_too(
    both: Getters, upstream: Upstream, source: str
) -> None:
    lie = upstream.publish("0.25.0", package=OTHER)
    run = both.install("0.25.0", "--source", source)
    refused(both, run, ARRIVED)
    # What is published counts for more than what somebody was told to give.
    digest = sha256_hex(lie.npm_archive if source == "npm" else lie.github_archive)
    refused(both, both.install(None, "--source", source, "--sha256", digest), ARRIVED)


def test_a_lie_is_not_made_up_for_by_the_other_source(both: Getters, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    lie = OTHER.npm_archive()
    document = upstream.npm_platform_metadata(Release(OTHER, lie, b""), "0.25.0", "linux-x64-glibc")
    upstream.server.answer(npm_platform_path("0.25.0", "linux-x64-glibc"), json_content(document))
    upstream.server.answer(npm_tarball_path("0.25.0", "linux-x64-glibc"), Content(lie))
    refused(both, both.install(), ARRIVED)


@pytest.mark.parametrize("source", SOURCES)
def test_an_unknown_release_is_as_before(both: Getters, upstream: Upstream, source: str) -> None:
    """The server's digest is compared; without any, that is said."""
    release = upstream.publish("0.26.0")
    told = both.install(None, "--source", source).ok().json
    assert told["digest"] in (release.npm_digest, release.github_digest)


# --- from a file ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SOURCES)
def test_a_file_is_known_by_its_digest(both: Getters, shape: str) -> None:
    file = both.file(archive_of(PUBLISHED, shape))
    told = both.install(None, *file, "--require-checksum").ok().json
    assert (told["version"], told["source"]) == ("0.25.0", "file")


@pytest.mark.parametrize("shape", [*SOURCES, "npm, bare", "github, bare"])
def test_a_file_with_another_archive(both: Getters, shape: str) -> None:
    """With its version it is not run. Without it, only running it tells that it is a known one."""
    file = both.file(archive_of(OTHER, shape))
    refused(both, both.install("0.25.0", *file), GIVEN)
    both.install(None, *file).failed(6, "checksum-mismatch").says(GIVEN)
    assert both.machine.layout.versions() == []


def test_a_decompressed_file_is_known_to_its_user_alone(both: Getters) -> None:
    archive = archive_of(PUBLISHED, "github, bare")
    refused(both, both.install("0.25.0", *both.file(archive)), GIVEN)
    digest = sha256_hex(archive)
    told = both.install("0.25.0", *both.file(archive), "--sha256", digest).ok().json
    assert told["digest"] == f"sha256:{digest}"


def test_a_digest_of_ones_own_does_not_make_another_archive_the_published_one(
    both: Getters,
) -> None:
    archive = archive_of(OTHER, "npm")
    run = both.install("0.25.0", *both.file(archive), "--sha256", sha256_hex(archive))
    refused(both, run, GIVEN)


def test_a_release_of_which_one_source_is_known(
    machines: MachineRoom, shell: FrontEnd, tmp_path: Path
) -> None:
    """A file of the other source cannot be told from a wrong one, and is taken as before."""
    both = getters_after(machines, shell, tmp_path, "npm")
    refused(both, both.install("0.25.0", *both.file(archive_of(OTHER, "npm"))), GIVEN)
    both.install("0.25.0", *both.file(archive_of(PUBLISHED, "github"))).ok()


def test_an_unknown_file_is_as_before(both: Getters) -> None:
    both.install(None, *both.file(tiny_package("0.24.0").github_archive())).ok()


def test_without_a_hash_tool_a_known_release_is_not_taken_on_trust(both: Getters) -> None:
    """For the sh program; Python has its own."""
    both.machine.toolbox.remove(*HASH_TOOLS)
    run = both.machine.install("0.25.0", *both.file(archive_of(PUBLISHED, "npm")))
    run.failed(6, "no-hash-tool")
    both.machine.toolbox.link("openssl")
    both.machine.install("0.25.0", *both.file(archive_of(PUBLISHED, "npm"))).ok()
