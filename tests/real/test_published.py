"""The table of releases of this repository, with the archive that was really published."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
import requests

from tests.getters.deliveries import Take
from tests.support.archives import tiny_package
from tests.support.frontends import REPOSITORY
from tests.support.program import make_checkout

pytestmark = pytest.mark.real

VERSION = "0.25.0"


@pytest.fixture(scope="session")
def archive(registry: str) -> bytes:
    document = f"{registry}@wasp.sh%2fwasp-cli-linux-x64-glibc/{VERSION}"
    url = requests.get(document, timeout=60).json()["dist"]["tarball"]
    return requests.get(url, timeout=60).content


def test_what_was_published_is_known_and_what_was_made_up_is_not(
    take: Take, archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    releases = json.loads((REPOSITORY / "packaging" / "releases.json").read_text())["releases"]
    table = {release["version"]: release for release in releases}
    monkeypatch.setattr("wasp_installer.getting.known._releases", lambda: table)
    files = {
        "published": (archive, "--require-checksum"),
        "made up": (tiny_package(VERSION).npm_archive(), f"-v {VERSION}"),
    }
    taken = take(files, program=make_checkout(tmp_path / "checkout", releases) / "program")
    assert [each.version for each in taken["published"]] == [VERSION] * 2
    by_sh, by_python = (each.files for each in taken["published"])
    assert by_sh == by_python
    with tarfile.open(fileobj=io.BytesIO(archive)) as content:
        names = {name.partition("/")[2] for name in content.getnames()}
    unpacked = {name for name, entry in by_sh.items() if entry.kind == "file"}
    assert unpacked == {name for name in names if name == "wasp-bin" or name.startswith("data/")}
    assert [each.slug for each in taken["made up"]] == ["checksum-mismatch"] * 2
