"""What is trusted: digests inside, those of a server, one's own, or none."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Literal

import pytest

from tests.getters.deliveries import LINUX
from tests.support.archives import tiny_package
from wasp_installer import Console, InstallerError, Options
from wasp_installer.delivering import Delivery
from wasp_installer.placing.archives import ArchiveReceiver
from wasp_installer.placing.receipts import Release
from wasp_installer.placing.staging import Staging

ARCHIVE = tiny_package("0.25.0").npm_archive()
SHA256, SHA512 = hashlib.sha256(ARCHIVE).hexdigest(), hashlib.sha512(ARCHIVE).hexdigest()
FOUND = Release("0.25.0", "github", "https://host/x.tgz", None, None)


@dataclasses.dataclass(frozen=True)
class FixedSource:
    """Has one archive."""

    content: bytes = ARCHIVE
    key: Literal["npm", "github"] = "github"

    def find(self, wanted: str) -> Release:
        raise NotImplementedError(wanted)

    def fetch(self, release: Release, receiver: ArchiveReceiver) -> None:
        assert release.version
        receiver.take(self.content)


def deliver(
    folder: Path, source_or_file: FixedSource | Path, release: Release = FOUND, **options: object
) -> tuple[Release, list[str]]:
    console = Console(quiet=True)
    made = Options(prefix=str(folder), **options)  # type: ignore[arg-type]
    with Staging(folder / "prefix" / "share") as staging:
        delivery = Delivery(made, console, LINUX, staging)
        if isinstance(source_or_file, Path):
            delivered = delivery.from_file(str(source_or_file))
        else:
            delivered = delivery.from_source(release, source_or_file)  # type: ignore[arg-type]
        assert (staging.new / "wasp-bin").exists()
    assert not (folder / "prefix").exists()
    return delivered, console.warnings


def refused(slug: str, folder: Path, *arguments: object, **options: object) -> str:
    with pytest.raises(InstallerError) as caught:
        deliver(folder, *arguments, **options)  # type: ignore[arg-type]
    assert caught.value.slug == slug
    assert not (folder / "prefix").exists()
    return caught.value.message


def test_an_unknown_archive_is_taken_and_said(tmp_path: Path) -> None:
    release, [warning] = deliver(tmp_path, FixedSource())
    assert release.digest is None
    assert "unchecked" in warning


def test_that_the_checksum_could_not_be_asked_for_is_said(tmp_path: Path) -> None:
    silent = dataclasses.replace(FOUND, no_digest="the API answered with HTTP status 403")
    _, [warning] = deliver(tmp_path, FixedSource(), silent)
    assert "(the API answered with HTTP status 403)" in warning
    message = refused("no-checksum", tmp_path, FixedSource(), silent, require_checksum=True)
    assert "(the API answered with HTTP status 403)" in message


def test_ones_own_digest_counts(tmp_path: Path) -> None:
    release, warnings = deliver(tmp_path, FixedSource(), sha256=SHA256, require_checksum=True)
    assert (release.digest, warnings) == (f"sha256:{SHA256}", [])
    refused("checksum-mismatch", tmp_path, FixedSource(), sha256="0" * 64)


def test_both_digests_must_be_right(tmp_path: Path) -> None:
    published = dataclasses.replace(FOUND, digest=f"sha512:{SHA512}")
    deliver(tmp_path, FixedSource(), published, sha256=SHA256)
    refused("checksum-mismatch", tmp_path, FixedSource(), published, sha256="0" * 64)
    refused("checksum-mismatch", tmp_path, FixedSource(ARCHIVE[:-1]), published)


# --- a file --------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "wasp.tgz"
    path.write_bytes(ARCHIVE)
    return path


def test_a_file_is_as_good_as_its_digest(tmp_path: Path, file: Path) -> None:
    release, _ = deliver(tmp_path, file)
    assert (release.version, release.source) == ("0.25.0", "file")
    assert release.digest == f"sha256:{SHA256}"
    refused("no-checksum", tmp_path, file, require_checksum=True)
    deliver(tmp_path, file, require_checksum=True, sha256=SHA256)


def test_a_file_of_another_version(tmp_path: Path, file: Path) -> None:
    message = refused("wrong-version", tmp_path, file, wanted="0.24.0")
    assert message == "the archive contains Wasp 0.25.0, not 0.24.0."
