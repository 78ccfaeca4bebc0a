"""Checksums: one's own, those of servers, and those that are inside the installer."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import pytest

from tests.getters.deliveries import Take
from tests.support.archives import (
    Package,
    failing_binary,
    integrity,
    sha256_hex,
    tiny_binary,
    tiny_package,
)
from tests.support.frontends import FrontEnd, of_checkout
from tests.support.functions import call_functions
from tests.support.getters import Getters
from tests.support.machines import Machine, MachineRoom
from tests.support.program import make_checkout
from tests.support.releases import GITHUB_NAMES, NPM_PLATFORMS, Release, Upstream, npm_platform_path
from tests.support.replies import json_content
from tests.support.toolboxes import HASH_TOOLS, Toolbox
from tests.support.trees import picture

ARCHIVE = tiny_package("0.25.0").npm_archive()
SHA256 = sha256_hex(ARCHIVE)


def test_ones_own_sha256(take: Take) -> None:
    options = {
        "": f"--sha256 {SHA256.upper()} --require-checksum",
        "checksum-mismatch": f"--sha256 {'0' * 64}",
        "no-checksum": "--require-checksum",
    }
    taken = take({slug: (ARCHIVE, words) for slug, words in options.items()})
    assert all(by_sh == by_python for by_sh, by_python in taken.values())
    assert [by_sh.slug for by_sh, _ in taken.values()] == [*options]
    assert taken[""][0].digest == f"sha256:{SHA256}"
    assert re.search(f"{SHA256}(.|\n)*{'0' * 64}", taken["checksum-mismatch"][0].words)


#: Hash tools on PATH that do, and what others do that do not.
TOOLS = ("sha256sum sha512sum", "shasum", "openssl")
BROKEN = ("cat >/dev/null", "exit 1", "kill -KILL $$")


def test_every_hash_tool_serves_that_works(shell_machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(ARCHIVE)
    path = shell_machine.toolbox.remove(*HASH_TOOLS).folder
    boxes = [Toolbox(tmp_path / "none")]
    for number, body in enumerate(BROKEN):
        boxes.append(Toolbox(tmp_path / f"broken-{number}"))
        boxes[-1].script("sha256sum", body).script("sha512sum", body)
    boxes += [Toolbox(tmp_path / tools).link(*tools.split()) for tools in TOOLS]
    verify = [
        f"verify_digest {name}:{hashlib.new(name, ARCHIVE).hexdigest()}"
        for name in ("sha256", "sha512")
    ]
    calls = [
        "\n".join((f"PATH='{box.folder}:{path}' staging='{tmp_path}' porcelain=true", *verify))
        + "\necho right"
        for box in boxes
    ]
    *failed, _, _, _ = told = call_functions(shell_machine, calls)
    assert all("error=no-hash-tool" in said for said in failed)
    assert told[len(failed) :] == ["right"] * len(TOOLS)


# --- Releases whose digests are inside the installer ---------------------------------------------

PUBLISHED = tiny_package("0.25.0")
RELEASE = Release(PUBLISHED, PUBLISHED.npm_archive(), PUBLISHED.github_archive())
#: Of one version the archives of both sources are known, of another those of npm.
BY_NPM = {"npm": dict.fromkeys(NPM_PLATFORMS, RELEASE.npm_digest)}
BY_GITHUB = {"github": dict.fromkeys(GITHUB_NAMES, RELEASE.github_digest)}
ROWS = [{"version": "0.25.0", **BY_NPM, **BY_GITHUB}, {"version": "0.25.1", **BY_NPM}]
#: Other archives of the same versions: one whose program must not be run, and two that may.
OTHER = Package("0.25.0", failing_binary(9, "it was run"))
OTHER_THAT_RUNS = Package("0.25.0", tiny_binary("0.25.0") + b"\n")
OTHER_OF_NPM = tiny_package("0.25.1")
BUILD = "linux-x64-glibc"
REFUSED = "the archive is not Wasp 0.25."


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that was published after these, with their digests inside."""
    return make_checkout(tmp_path_factory.mktemp("checkout"), ROWS)


@pytest.fixture
def knowing(machines: MachineRoom, shell: FrontEnd, checkout: Path) -> Getters:
    python, program = of_checkout(shell, checkout)
    machine = machines.build(program)
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    return Getters(machine, program, python)


@pytest.mark.parametrize("source", ["npm", "github"])
def test_no_word_of_a_server_is_needed(knowing: Getters, upstream: Upstream, source: str) -> None:
    """A mirror that names no digest, or one of something else."""
    upstream.publish("0.25.0", digests=False)
    document = upstream.npm_platform_metadata(RELEASE, "0.25.0", BUILD)
    document["dist"]["integrity"] = integrity(b"something else")
    upstream.server.answer(npm_platform_path("0.25.0", BUILD), json_content(document))
    told = knowing.install(None, "--source", source, "--require-checksum").ok().json
    assert told["digest"] in (RELEASE.npm_digest, RELEASE.github_digest)


@pytest.mark.parametrize("source", ["npm", "github"])
def test_a_lie_of_a_server_is_refused(knowing: Getters, upstream: Upstream, source: str) -> None:
    """Nor does it help what somebody was told to give."""
    upstream.publish("0.25.0", package=OTHER)
    archive = OTHER.npm_archive() if source == "npm" else OTHER.github_archive()
    run = knowing.install(None, "--source", source, "--sha256", sha256_hex(archive))
    run.failed(6, "checksum-mismatch").says("the archive is not the one that was published")
    assert picture(knowing.machine.home) == {}


NAMED = "-v 0.25.0"
#: Packages, shapes and options; and whether the file is taken.
FILES = (
    (PUBLISHED, "npm", "--require-checksum", True),
    (PUBLISHED, "github", f"--require-checksum {NAMED}", True),
    # One that a browser has decompressed, only its user can vouch for.
    (PUBLISHED, "github, bare", NAMED, False),
    (PUBLISHED, "github, bare", f"{NAMED} --sha256", True),
    (OTHER, "npm", NAMED, False),
    (OTHER, "npm", f"{NAMED} --sha256", False),
    (OTHER, "github", NAMED, False),
    (OTHER, "github, bare", NAMED, False),
    # Only running it tells that it is a known one.
    (OTHER_THAT_RUNS, "npm", "", False),
    (OTHER_THAT_RUNS, "npm, bare", "", False),
    (tiny_package("0.24.0"), "github", "", True),
    (OTHER_OF_NPM, "npm", "", False),
    (OTHER_OF_NPM, "github", "", True),
)


def file_of(package: Package, shape: str, options: str) -> tuple[bytes, str]:
    archive = package.npm_archive() if "npm" in shape else package.github_archive()
    archive = gzip.decompress(archive) if "bare" in shape else archive
    return archive, options.replace("--sha256", f"--sha256 {sha256_hex(archive)}")


def test_a_file_as_published(take: Take, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {str(row["version"]): row for row in ROWS}
    monkeypatch.setattr("wasp_installer.getting.known._releases", lambda: known)
    files = {str(number): file_of(*row[:3]) for number, row in enumerate(FILES)}
    taken = take(files, program=checkout / "program").values()
    for row, (by_sh, by_python) in zip(FILES, taken):
        assert by_sh == by_python
        assert by_sh.slug == ("" if row[3] else "checksum-mismatch"), row
        assert not by_sh.slug or by_sh.words.startswith(REFUSED)


def test_no_file_is_taken_on_trust(take: Take, shell_machine: Machine, checkout: Path) -> None:
    """By the sh program, where there is no hash tool."""
    shell_machine.toolbox.remove(*HASH_TOOLS)
    files = {"": file_of(PUBLISHED, "npm", NAMED)}
    [(by_sh, _)] = take(files, program=checkout / "program").values()
    assert by_sh.slug == "no-hash-tool"
