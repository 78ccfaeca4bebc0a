"""Delivering a release into staging: downloaded or read, checked, unpacked, and tried once."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .command_line.console import Console
from .command_line.options import Options
from .errors import InstallerError, about, changing
from .getting.documents import node_range, text_at
from .getting.known import is_published, known_digests
from .getting.platforms import Platform
from .getting.problems import captive_portal, is_web_page
from .getting.sources import SOURCE_NAMES, Source
from .placing.archives import ArchiveReceiver
from .placing.binary import reported_version
from .placing.receipts import Release
from .placing.staging import Staging
from .placing.unpacking import unpack
from .texts import pretty
from .versions import RELEASES_PAGE


@dataclass(frozen=True)
class Delivery:
    """Delivers into ``staging``, for ``platform``, as the options ask."""

    options: Options
    console: Console
    platform: Platform
    staging: Staging

    def from_source(self, release: Release, source: Source) -> Release:
        """Delivers ``release``; returns it with the digest that it was checked by.

        Raises:
            InstallerError: what came is not what it should be.
            SourceProblem: it does not come.
        """
        name = SOURCE_NAMES[source.key]
        self.console.say(f"Wasp {release.version} for {self.platform}, from {name}")
        expected = [*([release.digest] if release.digest else []), *self._own_digest()]
        if not expected:
            self._refuse_or_say_unchecked(release)
        algorithms = [digest.partition(":")[0] for digest in expected]
        receiver = ArchiveReceiver(self.staging.folder, algorithms)
        with contextlib.closing(receiver):
            with self.console.progress() as receiver.progress:
                source.fetch(release, receiver)
            if is_web_page(receiver.start):
                raise captive_portal(release.url or "")
            self._unpack(receiver, expected)
        self._try(release.version)
        return replace(release, digest=expected[0] if expected else None)

    def from_file(self, path: str) -> Release:
        """Delivers the archive at ``path``.

        Raises:
            InstallerError: what is in it is not what it should be.
        """
        wanted = "" if self.options.wanted == "latest" else self.options.wanted
        self.console.say(f"Wasp from {pretty(path)}")
        receiver = ArchiveReceiver(self.staging.folder, ["sha256", "sha512"])
        with contextlib.closing(receiver), about(Release(wanted, "file")):
            with changing(f"read {path}"):
                receiver.take_file(Path(path))
            if is_web_page(receiver.start):
                raise InstallerError(
                    "corrupt-archive",
                    f"{pretty(path)} is a web page, not an archive.",
                    f"Get it again: {RELEASES_PAGE}",
                )
            digests = receiver.digests
            own = self._own_digest()
            if self.options.require_checksum and not (own or is_published(digests)):
                raise _no_checksum(f"no checksum is known for {pretty(path)}.")
            # One that somebody has decompressed has no digest that is known.
            _refuse_unpublished(wanted, set() if receiver.is_bare else digests)
            [digest] = (each for each in digests if each.startswith("sha256:"))
            with about(Release(wanted, "file", None, digest)):
                package_json = self._unpack(receiver, own)
                version = self._try(wanted)
                _refuse_unpublished(version, set() if receiver.is_bare else digests)
        return Release(version, "file", None, digest, _node_of_package(package_json))

    def _own_digest(self) -> list[str]:
        return [f"sha256:{self.options.sha256}"] if self.options.sha256 else []

    def _refuse_or_say_unchecked(self, release: Release) -> None:
        why = release.no_digest
        refusal = f"no checksum is known for {release.url}."
        warning = "No checksum is known for this archive"
        if why is not None:
            refusal = f"the checksum of {release.url} could not be asked for ({why})."
            warning = f"The checksum of this archive could not be asked for ({why})"
        if self.options.require_checksum:
            raise _no_checksum(refusal)
        self.console.warn(f"{warning}; it is installed unchecked.")

    def _unpack(self, receiver: ArchiveReceiver, expected: Sequence[str]) -> Path | None:
        content = receiver.finish(expected)
        for digest in expected:
            self.console.say_step(f"Checked: {digest.replace(':', ' ')}")
        self.console.say_step("Unpacking")
        return unpack(content, self.staging.new)

    def _try(self, version: str) -> str:
        """Runs the unpacked binary; returns the version that it is."""
        self.console.say_step("Running wasp-bin version")
        reported = reported_version(self.staging.new, version, self.options.prefix)
        # A release candidate may call itself by the version that it is a candidate for.
        if version and reported.partition("-rc")[0] != version.partition("-rc")[0]:
            raise InstallerError(
                "wrong-version",
                f"the archive holds Wasp {reported}, not {version}.",
                "Nothing was installed.",
            )
        return version or reported


def _refuse_unpublished(version: str, digests: set[str]) -> None:
    """Refuses a file that is not what was published as ``version``, where both are known."""
    known = known_digests(version)
    if known and digests and not known & digests:
        raise InstallerError(
            "checksum-mismatch",
            f"the archive is not Wasp {version} as it was published.",
            f"Nothing was installed. Get it again: {RELEASES_PAGE}",
        )


def _no_checksum(message: str) -> InstallerError:
    return InstallerError(
        "no-checksum",
        message,
        "Give the one that you trust with --sha256 HEX, or leave out --require-checksum.",
    )


def _node_of_package(package_json: Path | None) -> str | None:
    """The range of Node.js versions that an npm archive itself says it wants."""
    if package_json is None:
        return None
    try:
        document = json.loads(package_json.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return node_range(text_at(document, "engines", "node"))
