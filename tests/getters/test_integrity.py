"""Checksums: when they are compared, with what, and what happens without them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.archives import sha256_hex, tiny_package
from tests.support.machines import Machine
from tests.support.releases import (
    NPM_PLATFORMS,
    Release,
    Upstream,
    npm_platform_path,
    npm_tarball_path,
)
from tests.support.replies import html_page, json_content
from tests.support.toolboxes import HASH_TOOLS


@pytest.mark.parametrize("source", ["npm", "github", "file"])
@pytest.mark.parametrize("spelling", [str.lower, str.upper], ids=["lower", "upper"])
def test_a_named_sha256_that_fits(
    machine: Machine, upstream: Upstream, source: str, spelling: Callable[[str], str]
) -> None:
    release = upstream.publish("0.25.0")
    options = _options(machine, release, source)
    digest = sha256_hex(release.github_archive if source == "github" else release.npm_archive)
    machine.install("0.25.0", *options, "--sha256", spelling(digest)).ok()
    assert machine.layout.versions() == ["0.25.0"]


@pytest.mark.parametrize("source", ["npm", "github", "file"])
def test_a_named_sha256_that_does_not_fit(
    machine: Machine, upstream: Upstream, source: str
) -> None:
    release = upstream.publish("0.25.0")
    options = _options(machine, release, source)
    run = machine.install("0.25.0", *options, "--sha256", "0" * 64)
    run.failed(6, "checksum-mismatch").says("0" * 64)
    assert machine.layout.versions() == []


def _options(machine: Machine, release: Release, source: str) -> list[str]:
    if source != "file":
        return ["--source", source]
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(release.npm_archive)
    return ["--from-file", str(archive)]


def test_a_mismatch_tells_both_digests(machine: Machine) -> None:
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    run = machine.install(None, "--from-file", str(archive), "--sha256", "a" * 64)
    run.failed(6, "checksum-mismatch").says("a" * 64, sha256_hex(archive.read_bytes()))


def test_a_required_checksum_that_nobody_knows(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.19.0", npm=False, digests=False)
    run = machine.install("0.19.0", "--require-checksum").failed(6, "no-checksum")
    run.says("--sha256")
    assert not [path for path in upstream.server.fetched if path.startswith("/assets/")]
    assert machine.layout.versions() == []


@pytest.mark.parametrize("source", ["npm", "github"])
def test_a_required_checksum_that_is_known(
    machine: Machine, upstream: Upstream, source: str
) -> None:
    upstream.publish("0.25.0")
    machine.install("0.25.0", "--require-checksum", "--source", source).ok()


@pytest.mark.parametrize("source", ["github", "file"])
def test_a_named_sha256_is_the_required_checksum(
    machine: Machine, upstream: Upstream, source: str
) -> None:
    release = upstream.publish("0.25.0", npm=False, digests=False)
    options = _options(machine, release, source)
    archive = release.github_archive if source == "github" else release.npm_archive
    machine.install("0.25.0", *options, "--require-checksum", "--sha256", sha256_hex(archive)).ok()


def test_a_file_has_no_checksum_of_its_own(machine: Machine) -> None:
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    machine.install(None, "--from-file", str(archive), "--require-checksum").failed(
        6, "no-checksum"
    )


@pytest.mark.parametrize("integrity", [None, "", "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "nonsense"])
def test_metadata_without_a_usable_digest_does_not_pass_as_checked(
    machine: Machine, upstream: Upstream, integrity: str | None
) -> None:
    release = upstream.publish("0.25.0", github=False)
    for platform in NPM_PLATFORMS:
        metadata = upstream.npm_platform_metadata(release, "0.25.0", platform)
        metadata["dist"]["integrity"] = integrity
        upstream.server.answer(npm_platform_path("0.25.0", platform), json_content(metadata))
    run = machine.install("0.25.0", "--source", "npm", "--require-checksum")
    assert run.code in (4, 6), run
    assert run.json["error"] in ("no-checksum", "bad-answer"), run
    assert machine.layout.versions() == []


def test_several_digests_may_be_published(machine: Machine, upstream: Upstream) -> None:
    """Subresource integrity may list more than one, with a space between."""
    release = upstream.publish("0.25.0", github=False)
    for platform in NPM_PLATFORMS:
        metadata = upstream.npm_platform_metadata(release, "0.25.0", platform)
        metadata["dist"]["integrity"] = (
            f"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= {metadata['dist']['integrity']}"
        )
        upstream.server.answer(npm_platform_path("0.25.0", platform), json_content(metadata))
    assert machine.install("0.25.0").ok().json["digest"] == release.npm_digest


@pytest.mark.parametrize("tools", [["shasum"], ["openssl"]], ids=["shasum", "openssl"])
@pytest.mark.parametrize("source", ["npm", "github"])
def test_every_hash_tool_serves(
    shell_machine: Machine, upstream: Upstream, tools: list[str], source: str
) -> None:
    release = upstream.publish("0.25.0")
    shell_machine.toolbox.remove(*HASH_TOOLS).link(*tools)
    told = shell_machine.install("0.25.0", "--source", source).ok().json
    assert told["digest"] == (release.npm_digest if source == "npm" else release.github_digest)


@pytest.mark.parametrize("tools", [["shasum"], ["openssl"]], ids=["shasum", "openssl"])
def test_every_hash_tool_finds_a_mismatch(shell_machine: Machine, tools: list[str]) -> None:
    machine = shell_machine
    machine.toolbox.remove(*HASH_TOOLS).link(*tools)
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    run = machine.install(None, "--from-file", str(archive), "--sha256", "a" * 64)
    run.failed(6, "checksum-mismatch").says(sha256_hex(archive.read_bytes()))


@pytest.mark.parametrize("source", ["npm", "github"])
def test_without_a_hash_tool_nothing_is_installed(
    shell_machine: Machine, upstream: Upstream, source: str
) -> None:
    upstream.publish("0.25.0")
    shell_machine.toolbox.remove(*HASH_TOOLS)
    run = shell_machine.install("0.25.0", "--source", source).failed(6, "no-hash-tool")
    run.says("sha")
    assert shell_machine.layout.versions() == []


@pytest.mark.parametrize("code", [0, 1], ids=["says-nothing", "fails"])
def test_a_hash_tool_that_does_not_work_is_no_pass(
    shell_machine: Machine, upstream: Upstream, code: int
) -> None:
    upstream.publish("0.25.0")
    for tool in HASH_TOOLS:
        shell_machine.toolbox.script(tool, f"cat >/dev/null; exit {code}")
    run = shell_machine.install("0.25.0")
    assert run.code == 6, run
    assert shell_machine.layout.versions() == []


def test_a_hash_tool_that_was_ended_leaves_no_install_without_a_digest(
    shell_machine: Machine,
) -> None:
    """Also where only the receipt wants it."""
    for tool in HASH_TOOLS:
        shell_machine.toolbox.script(tool, "kill -KILL $$")
    archive = shell_machine.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    shell_machine.install(None, "--from-file", str(archive)).failed(6, "no-hash-tool")
    assert shell_machine.layout.versions() == []


def test_each_source_is_checked_by_itself(machine: Machine, upstream: Upstream) -> None:
    """What a captive portal sent in the first one's place must not be taken for the second's."""
    release = upstream.publish("0.25.0")
    upstream.server.answer(npm_tarball_path("0.25.0", "linux-x64-glibc"), html_page())
    sha256 = release.github_digest.removeprefix("sha256:")
    run = machine.install("0.25.0", "--sha256", sha256).ok()
    assert run.json["source"] == "github"
    assert run.json["digest"] == release.github_digest
    assert "mkdir" not in run.stderr
