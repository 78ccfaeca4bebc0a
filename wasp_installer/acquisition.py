"""Gets a release: from a source or a file, checked, unpacked into staging, and tried once."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from .archives import ArchiveReceiver, feed_file, unpack
from .binary import reported_version
from .console import Console, pretty
from .errors import InstallerError
from .options import Options
from .platforms import Builds, Platform
from .receipts import Release
from .registry import RegistryLookup
from .releases import (
    SOURCE_NAMES,
    NoSourceError,
    Source,
    network_error,
    nothing_to_be_found,
    plan_sources,
    try_in_turn,
)
from .staging import Staging
from .transport import Transport, captive_portal
from .versions import RELEASES_PAGE


class Acquisition:
    """One run's way to the release that it installs.

    ``staging`` is None when nothing is to be done (--dry-run): then a release is only found.
    ``keeps`` tells of a version that it is installed and shall stay as it is; ``announce`` is
    called before a release is downloaded.
    """

    def __init__(
        self,
        options: Options,
        console: Console,
        platform: Platform,
        staging: Staging | None,
        keeps: Callable[[str], bool],
        announce: Callable[[], None],
    ) -> None:
        self._options = options
        self._console = console
        self._platform = platform
        self._staging = staging
        self._keeps = keeps
        self._announce = announce
        #: The release, as far as the way has come.
        self.release: Release | None = None

    def from_sources(self, builds: Builds, registry: RegistryLookup | None) -> Release:
        """The release from the first source that has it and delivers it.

        ``registry`` is None where npm is not asked.

        Raises:
            InstallerError: no source has it, none can be reached, or what came is not what it
                should be.
        """
        options = self._options
        transport = Transport(self._console, options.timeout_s)
        sources = plan_sources(options.source, transport, self._platform, builds, registry)

        def attempt(source: Source) -> Release:
            self.release = None
            self.release = source.find(options.wanted)
            if self._staging is None or self._keeps(self.release.version):
                return self.release
            return self._download(self.release, source, transport, self._staging)

        try:
            return try_in_turn(sources, self._console, attempt)
        except NoSourceError as error:
            self.release = None
            raise self._no_release(error) from None

    def _no_release(self, error: NoSourceError) -> InstallerError:
        wanted = self._options.wanted
        words = "the newest Wasp" if wanted == "latest" else f"Wasp {wanted}"
        if error.network_problem:
            return network_error(error.network_problem, words)
        if error.problems[-1].slug == "no-build":
            return InstallerError(
                "unsupported-platform",
                f"{words} has no build for {self._platform}.",
                f"Another version may have one: {RELEASES_PAGE}",
            )
        if wanted == "latest":
            return nothing_to_be_found()
        if self._options.source != "auto":
            return InstallerError(
                "no-such-version",
                f"{SOURCE_NAMES[self._options.source]} has no Wasp {wanted}.",
                "Another source may have it: leave out --source, or see list --remote.",
            )
        return InstallerError(
            "no-such-version",
            f"there is no Wasp {wanted}.",
            f"The versions that there are: {RELEASES_PAGE}",
        )

    def _download(
        self,
        release: Release,
        source: Source,
        transport: Transport,
        staging: Staging,
    ) -> Release:
        """Downloads, verifies and unpacks ``release``, and runs its binary once.

        Returns the release, with the digest that was checked where none is published.
        """
        url = release.url
        assert url is not None, "a release of a source has an address"
        self._announce()
        self._console.say(f"Wasp {release.version} for {self._platform}, from {source.name}")
        expected = self._expected_digests(release.digest, url)
        receiver = ArchiveReceiver(staging.folder, [name for name, _ in expected])
        with contextlib.closing(receiver), self._console.progress() as progress:

            def start(total: int | None) -> None:
                receiver.restart()
                progress.start(total)

            def take(chunk: bytes) -> None:
                receiver.take(chunk)
                progress.advance(len(chunk))

            transport.download(url, start, take)
            if receiver.is_web_page:
                raise captive_portal(url)
            self._unpack(receiver, expected, staging)
        self._check_binary(staging, release.version)
        if release.digest is None and expected:
            return replace(release, digest=f"sha256:{expected[0][1]}")
        return release

    def _expected_digests(self, published: str | None, what: str) -> list[tuple[str, str]]:
        """The (algorithm, hex digest) pairs that the archive must have."""
        expected = []
        if published is not None:
            algorithm, _, digest = published.partition(":")
            expected.append((algorithm, digest))
        if self._options.sha256 is not None:
            expected.append(("sha256", self._options.sha256))
        if expected:
            return expected
        if self._options.require_checksum:
            raise InstallerError(
                "no-checksum",
                f"no checksum is known for {what}.",
                "Give the one that you trust with --sha256 HEX, or leave out --require-checksum.",
            )
        if self._options.from_file is None:
            self._console.warn("No checksum is known for this archive; it is installed unchecked.")
        return expected

    def _unpack(
        self, receiver: ArchiveReceiver, expected: list[tuple[str, str]], staging: Staging
    ) -> Path | None:
        content = receiver.finish(expected)
        for algorithm, digest in expected:
            self._console.say_step(f"Checked: {algorithm} {digest}")
        self._console.say_step("Unpacking")
        return unpack(content, staging.new)

    def from_file(self, path: str) -> Release:
        """The release in the archive at ``path``; its version is "" while it is not unpacked.

        Raises:
            InstallerError: what is in it is not what it should be.
        """
        wanted = None if self._options.wanted == "latest" else self._options.wanted
        release = Release(wanted or "", "file", None, None, None)
        staging = self._staging
        if staging is None:
            return release
        expected = self._expected_digests(None, pretty(path))
        receiver = ArchiveReceiver(staging.folder, ["sha256"])
        with contextlib.closing(receiver):
            self._console.say(f"Wasp from {pretty(path)}")
            feed_file(path, receiver)
            if receiver.is_web_page:
                raise InstallerError(
                    "corrupt-archive",
                    f"{pretty(path)} is a web page, not an archive.",
                    f"Get it again: {RELEASES_PAGE}",
                )
            package_json = self._unpack(receiver, expected, staging)
        version = self._check_binary(staging, wanted)
        self.release = replace(
            release,
            version=version,
            digest=f"sha256:{receiver.digest('sha256')}",
            node=_node_of_package(package_json),
        )
        return self.release

    def _check_binary(self, staging: Staging, version: str | None) -> str:
        """Runs the unpacked binary; returns the version that it is."""
        self._console.say_step("Running wasp-bin version")
        reported = reported_version(staging.new, version, self._platform, self._options.prefix)
        if version is None:
            return reported
        # A release candidate may call itself by the version that it is a candidate for.
        if reported.partition("-rc")[0] != version.partition("-rc")[0]:
            raise InstallerError(
                "wrong-version",
                f"the archive holds Wasp {reported}, not {version}.",
                "Nothing was installed.",
            )
        return version


def _node_of_package(package_json: Path | None) -> str | None:
    """The range of Node.js versions that an npm archive itself says it wants."""
    if package_json is None:
        return None
    try:
        document = json.loads(package_json.read_text(encoding="utf-8"))
        node = document["engines"]["node"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return node if isinstance(node, str) else None
