"""Delivering a release into staging: downloaded or read, checked, unpacked, and tried once."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .command_line.console import Console
from .command_line.options import Options
from .errors import InstallerError, SourceProblem, changing
from .getting.captive_portals import captive_portal, is_web_page
from .getting.documents import node_range, text_at
from .getting.known import known_digest, versions_of
from .getting.platforms import Platform
from .getting.sources import SOURCE_NAMES, Source
from .placing.archives import ArchiveReceiver
from .placing.binary import reported_version
from .placing.receipts import Release
from .placing.staging import Staging
from .placing.unpacking import unpack
from .texts import pretty
from .versions import RELEASES_PAGE


@dataclass
class Delivery:
    """Delivers into ``staging``, for ``platform``, as the options ask.

    ``release`` is what is delivered, as far as that is known.
    """

    options: Options
    console: Console
    platform: Platform
    staging: Staging
    release: Release | None = None

    def from_source(self, release: Release, source: Source) -> Release:
        """Delivers ``release``; returns it with the digest that it was checked by.

        Raises:
            InstallerError: what came is not what it should be.
            SourceProblem: it does not come.
        """
        self.release = release
        name = SOURCE_NAMES[source.key]
        self.console.say(f"Wasp {release.version} for {self.platform}, from {name}")
        expected = [*([release.digest] if release.digest else []), *self._own_digest()]
        if not expected:
            self._refuse_or_say_unchecked(release)
        algorithms = [digest.partition(":")[0] for digest in expected]
        receiver = ArchiveReceiver(self.staging.folder, algorithms)
        with contextlib.closing(receiver):
            try:
                with self.console.progress() as receiver.progress:
                    source.fetch(release, receiver)
                if is_web_page(receiver.start):
                    raise captive_portal(release.url or "")
            except SourceProblem:
                self.release = None
                raise
            self._unpack(receiver, expected)
        self._try(release.version)
        digest = receiver.digest_like(expected[0]) if expected else None
        self.release = replace(release, digest=digest)
        return self.release

    def from_file(self, path: str) -> Release:
        """Delivers the archive at ``path``.

        Raises:
            InstallerError: what is in it is not what it should be.
        """
        wanted = "" if self.options.wanted == "latest" else self.options.wanted
        self.console.say(f"Wasp from {pretty(path)}")
        self.release = Release(wanted, "file")
        with contextlib.closing(
            ArchiveReceiver(self.staging.folder, ["sha256", "sha512"])
        ) as receiver:
            with changing(f"read {path}"):
                receiver.take_file(Path(path))
            digests = receiver.digests
            own, published = self._own_digest(), versions_of(digests)
            if self.options.require_checksum and not (own or published):
                raise _no_checksum(f"no checksum is known for {pretty(path)}.")
            [digest] = (each for each in digests if each.startswith("sha256:"))
            self.release = Release(wanted, "file", None, digest)
            package_json = self._unpack(receiver, own)
            # Its user vouches for one that somebody has decompressed.
            if not (receiver.is_bare and own):
                self._refuse_unpublished(wanted, published, package_json)
            version = self._try(wanted)
            self.release = Release(version, "file", None, digest, _node_of_package(package_json))
            if not (receiver.is_bare and own):
                self._refuse_unpublished(version, published, package_json)
        return self.release

    def _own_digest(self) -> list[str]:
        return [f"sha256:{self.options.sha256}"] if self.options.sha256 else []

    def _refuse_or_say_unchecked(self, release: Release) -> None:
        why = f" ({release.no_digest})" if release.no_digest else ""
        unknown = f"no checksum is known for {release.url}{why}"
        if self.options.require_checksum:
            raise _no_checksum(f"{unknown}.")
        self.console.warn(f"{unknown}, so it is installed unchecked.")

    def _unpack(self, receiver: ArchiveReceiver, expected: Sequence[str]) -> Path | None:
        content = receiver.finish(expected)
        for digest in expected:
            self.console.say_step(f"Checked: {digest}")
        self.console.say_step("Unpacking")
        return unpack(content, self.staging.new)

    def _refuse_unpublished(
        self, version: str, published: Container[str], package_json: Path | None
    ) -> None:
        """Refuses a file, where another is known to be ``version`` for this machine.

        Only npm's archives have a package.json.
        """
        if package_json is not None:
            known = known_digest(version, "npm", self.platform.npm_build)
        else:
            known = known_digest(version, "github", self.platform.github_builds[0])
        if known and version not in published:
            raise InstallerError(
                "checksum-mismatch",
                f"the archive is not Wasp {version} as it was published.",
                f"Nothing was installed. Download it again: {RELEASES_PAGE}",
            )

    def _try(self, version: str) -> str:
        """Runs the unpacked binary; returns the version that it is."""
        self.console.say_step("Running wasp-bin version")
        reported = reported_version(self.staging.new, version, self.options.prefix)
        # A release candidate may call itself by the version that it is a candidate for.
        if version and reported.partition("-rc")[0] != version.partition("-rc")[0]:
            raise InstallerError(
                "wrong-version",
                f"the archive contains Wasp {reported}, not {version}.",
                "Nothing was installed.",
            )
        return version or reported


def _no_checksum(message: str) -> InstallerError:
    return InstallerError(
        "no-checksum",
        message,
        "Pass one you trust with --sha256 HEX, or leave out --require-checksum.",
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
