"""Checksums: when they are compared, with what, and what happens without them."""

from __future__ import annotations

import pytest

from tests.support.archives import sha256_hex
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.releases import (
    NPM_PLATFORMS,
    Release,
    Upstream,
    github_api_path,
    npm_platform_path,
    npm_tarball_path,
)
from tests.support.replies import Content, html_page, json_content, status
from tests.support.toolboxes import HASH_TOOLS


def where_from(both: Getters, release: Release, source: str) -> tuple[tuple[str, str], bytes]:
    """The options for a source, and the archive that comes from there."""
    if source == "file":
        return both.file(release.npm_archive), release.npm_archive
    archive = release.npm_archive if source == "npm" else release.github_archive
    return ("--source", source), archive


@pytest.mark.parametrize("source", ["npm", "file"])
def test_ones_own_sha256(both: Getters, upstream: Upstream, source: str) -> None:
    release = upstream.publish("0.25.0", digests=False)
    options, archive = where_from(both, release, source)
    wrong = both.install("0.25.0", *options, "--sha256", "0" * 64)
    wrong.failed(6, "checksum-mismatch").says("0" * 64, sha256_hex(archive))
    assert both.machine.layout.versions() == []
    digest = sha256_hex(archive).upper()
    told = both.install("0.25.0", *options, "--require-checksum", "--sha256", digest).ok().json
    assert told["digest"] == (release.npm_digest if source == "npm" else f"sha256:{digest.lower()}")


def test_a_required_checksum_that_is_known(both: Getters, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    both.install("0.25.0", "--require-checksum", "--source", "github").ok()


def with_integrity(upstream: Upstream, release: Release, integrity: str | None) -> None:
    """What the registry says of every platform from now on."""
    for platform in NPM_PLATFORMS:
        metadata = upstream.npm_platform_metadata(release, "0.25.0", platform)
        if integrity is None:
            del metadata["dist"]["integrity"]
        else:
            metadata["dist"]["integrity"] = integrity.format(metadata["dist"]["integrity"])
        upstream.server.answer(npm_platform_path("0.25.0", platform), json_content(metadata))


def test_a_checksum_that_could_not_be_asked_for_is_said_to_be_such(
    both: Getters, upstream: Upstream
) -> None:
    """GitHub's API is limited to some requests an hour."""
    upstream.publish("0.19.0", npm=False)
    upstream.server.answer(github_api_path("0.19.0"), status(403))
    run = both.install("0.19.0").ok()
    run.says("no checksum is known", "HTTP status 403", "unchecked")
    assert run.json["digest"] is None
    run = both.install("0.19.0", "--force", "--require-checksum").failed(6, "no-checksum")
    run.says("no checksum is known", "HTTP status 403")


@pytest.mark.parametrize("digits", [0, 8, 63])
def test_the_beginning_of_a_digest_is_none(both: Getters, upstream: Upstream, digits: int) -> None:
    release = upstream.publish("0.19.0", npm=False)
    asset = {"name": "wasp-linux-x86_64.tar.gz", "digest": release.github_digest[: 7 + digits]}
    upstream.server.answer(github_api_path("0.19.0"), json_content({"assets": [asset]}))
    both.install("0.19.0").failed(6, "checksum-mismatch")


def test_wrong_bytes_from_github_are_refused(both: Getters, upstream: Upstream) -> None:
    release = upstream.publish("0.19.0", npm=False)
    for path in list(upstream.server.known_paths()):
        if path.startswith("/assets/"):
            upstream.server.answer(path, Content(release.npm_archive))
    both.install("0.19.0").failed(6, "checksum-mismatch").says("sha256")


def test_each_source_is_checked_by_itself(both: Getters, upstream: Upstream) -> None:
    """What a captive portal sent in the first one's place must not be taken for the second's."""
    release = upstream.publish("0.25.0")
    upstream.server.answer(npm_tarball_path("0.25.0", "linux-x64-glibc"), html_page())
    sha256 = release.github_digest.removeprefix("sha256:")
    run = both.install("0.25.0", "--sha256", sha256).ok()
    assert (run.json["source"], run.json["digest"]) == ("github", release.github_digest)


# --- Hash tools ----------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["shasum", "openssl"])
def test_every_hash_tool_serves(shell_machine: Machine, upstream: Upstream, tool: str) -> None:
    release = upstream.publish("0.25.0")
    shell_machine.toolbox.remove(*HASH_TOOLS).link(tool)
    told = shell_machine.install("0.25.0").ok().json
    assert told["digest"] == release.npm_digest
    run = shell_machine.install("0.25.0", "--sha256", "a" * 64, "--source", "github", "--force")
    run.failed(6, "checksum-mismatch").says(release.github_digest.removeprefix("sha256:"))


@pytest.mark.parametrize("body", [None, "cat >/dev/null", "exit 1", "kill -KILL $$"])
def test_a_hash_tool_that_does_not_work_is_no_pass(
    shell_machine: Machine, upstream: Upstream, body: str | None
) -> None:
    upstream.publish("0.25.0")
    shell_machine.toolbox.remove(*HASH_TOOLS)
    for tool in HASH_TOOLS if body is not None else ():
        shell_machine.toolbox.script(tool, body or "")
    shell_machine.install("0.25.0").failed(6, "no-hash-tool").says("sha")
    assert shell_machine.layout.versions() == []
