"""Delivering a release into staging: downloaded or read, checked, unpacked, and tried once."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path

from .command_line.console import Console
from .command_line.options import Options
from .errors import InstallerError, about, changing
from .getting.known import known_digest, versions_of
from .getting.npm import feed
from .getting.platforms import Platform, choose_builds
from .getting.problems import captive_portal
from .getting.sources import SOURCE_NAMES, Source
from .placing.archives import ArchiveReceiver
from .placing.binary import reported_version
from .placing.receipts import Release
from .placing.staging import Staging
from .placing.unpacking import unpack
from .texts import pretty
from .versions import RELEASES_PAGE


class Delivery:
    """Delivers into ``staging``, for ``platform``, as the options ask."""

    def __init__(
        self, options: Options, console: Console, platform: Platform, staging: Staging
    ) -> None:
        self._options = options
        self._console = console
        self._platform = platform
        self._staging = staging

    def from_source(self, release: Release, source: Source) -> Release:
        """Delivers ``release``; returns it with the digest that it was checked by.

        Raises:
            InstallerError: what came is not what it should be.
            SourceProblem: it does not come.
        """
        self._console.say(
            f"Wasp {release.version} for {self._platform}, from {SOURCE_NAMES[source.key]}"
        )
        expected = self._expected(release)
        receiver = ArchiveReceiver(self._staging.folder, [name for name, _ in expected])
        with contextlib.closing(receiver):
            with self._console.progress() as progress:

                def start(total: int | None) -> None:
                    receiver.restart()
                    progress.start(total)

                def take(chunk: bytes) -> None:
                    receiver.take(chunk)
                    progress.advance(len(chunk))

                source.fetch(release, start, take)
            if receiver.is_web_page:
                raise captive_portal(release.url or "")
            self._unpack(receiver, expected)
        self._try(release.version)
        digest = release.digest or (f"sha256:{expected[0][1]}" if expected else None)
        return replace(release, digest=digest)

    def from_file(self, path: str) -> Release:
        """Delivers the archive at ``path``.

        Raises:
            InstallerError: what is in it is not what it should be.
        """
        options = self._options
        wanted = None if options.wanted == "latest" else options.wanted
        self._console.say(f"Wasp from {pretty(path)}")
        receiver = ArchiveReceiver(self._staging.folder, ["sha256", "sha512"])
        with contextlib.closing(receiver), about(Release(wanted or "", "file", None, None, None)):
            with changing(f"read {path}"):
                feed(Path(path), lambda _: None, receiver.take)
            digest = f"sha256:{receiver.digest('sha256')}"
            expected = [("sha256", options.sha256)] if options.sha256 else []
            digests = {f"{name}:{receiver.digest(name)}" for name in ("sha256", "sha512")}
            published = versions_of(digests)
            if options.require_checksum and not expected and not published:
                raise _no_checksum(f"no checksum is known for {pretty(path)}.")
            with about(Release(wanted or "", "file", None, digest, None)):
                package_json = self._unpack(receiver, expected)
                # Its user vouches for one that somebody has decompressed.
                is_trusted = receiver.is_bare and options.sha256 is not None
                if wanted not in published and not is_trusted:
                    self._refuse_unpublished(wanted, package_json)
                version = self._try(wanted)
            with about(Release(version, "file", None, digest, None)):
                if version not in published and not is_trusted:
                    self._refuse_unpublished(version, package_json)
        return Release(version, "file", None, digest, _node_of_package(package_json))

    def _expected(self, release: Release) -> list[tuple[str, str]]:
        """The (algorithm, hex digest) pairs that the archive must have."""
        expected = []
        if release.digest is not None:
            algorithm, _, digest = release.digest.partition(":")
            expected.append((algorithm, digest))
        if self._options.sha256 is not None:
            expected.append(("sha256", self._options.sha256))
        if expected:
            return expected
        why = f" ({release.no_digest})" if release.no_digest else ""
        if self._options.require_checksum:
            raise _no_checksum(f"no checksum is known for {release.url}{why}.")
        self._console.warn(
            f"no checksum is known for {release.url}{why}, so it is installed unchecked."
        )
        return expected

    def _unpack(self, receiver: ArchiveReceiver, expected: list[tuple[str, str]]) -> Path | None:
        content = receiver.finish(expected)
        for algorithm, digest in expected:
            self._console.say_step(f"Checked: {algorithm}:{digest}")
        self._console.say_step("Unpacking")
        return unpack(content, self._staging.new)

    def _refuse_unpublished(self, version: str | None, package_json: Path | None) -> None:
        """Refuses a file, where it is known what was published as ``version`` for this machine.

        Only npm's archives have a package.json.
        """
        builds = choose_builds(self._platform)
        known = (
            known_digest(version or "", "npm", builds.npm)
            if package_json
            else known_digest(version or "", "github", builds.github[0])
        )
        if known:
            raise InstallerError(
                "checksum-mismatch",
                f"the archive is not Wasp {version} as it was published.",
                f"Nothing was installed. Download it again: {RELEASES_PAGE}",
            )

    def _try(self, version: str | None) -> str:
        """Runs the unpacked binary; returns the version that it is."""
        self._console.say_step("Running wasp-bin version")
        prefix = self._options.prefix
        reported = reported_version(self._staging.new, version, prefix)
        if version is None:
            return reported
        # A release candidate may call itself by the version that it is a candidate for.
        if reported.partition("-rc")[0] != version.partition("-rc")[0]:
            raise InstallerError(
                "wrong-version",
                f"the archive contains Wasp {reported}, not {version}.",
                "Nothing was installed.",
            )
        return version


def _no_checksum(message: str) -> InstallerError:
    return InstallerError(
        "no-checksum",
        message,
        "Pass one you trust with --sha256 HEX, or leave out --require-checksum.",
    )


def _node_of_package(package_json: Path | None) -> str | None:
    """The range of Node.js versions that an npm archive itself says it wants."""
    from .getting.documents import node_range, text_at

    if package_json is None:
        return None
    try:
        document = json.loads(package_json.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return node_range(text_at(document, "engines", "node"))
