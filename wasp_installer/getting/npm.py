"""The packages of Wasp on npm (https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from wasp_installer.command_line.console import Console
from wasp_installer.errors import SourceProblem
from wasp_installer.placing.receipts import Release
from wasp_installer.texts import plain
from wasp_installer.versions import is_version

from .addresses import check_url, host_of, is_loopback
from .documents import digest_of_integrity, node_range, text_at
from .known import known_digest
from .registry import Npm
from .transport import CHUNK_SIZE, Transport

_PACKAGE: Final = "@wasp.sh/wasp-cli"
#: With these, npm would not fare better, or must not.
_FINAL: Final = ("not-found", "no-build", "insecure-url")


class NpmSource:
    """An npm registry; ``npm`` fetches where plain requests do not get through to it."""

    key: Final = "npm"

    def __init__(
        self,
        transport: Transport,
        console: Console,
        build: str,
        registry: str | None,
        npm: Npm | None,
    ) -> None:
        self._transport = transport
        self._console = console
        self._build = build
        self._registry = registry
        self._npm = npm
        self._needs_npm = registry is None

    def find(self, wanted: str) -> Release:
        """The release of a version, or of "latest"; raises ``SourceProblem``."""
        if self._needs_npm:
            return self._find_by_npm(wanted)
        try:
            return self._find(wanted)
        except SourceProblem as problem:
            if self._npm is None or problem.slug in _FINAL:
                raise
            self._needs_npm = True
            try:
                return self._find_by_npm(wanted)
            except SourceProblem:
                raise problem from None

    def fetch(
        self, release: Release, start: Callable[[int | None], None], take: Callable[[bytes], None]
    ) -> None:
        """Hands the archive of ``release`` to ``take``, after ``start``; see ``Transport``."""
        assert release.url is not None, "it was found here"
        if not self._needs_npm:
            try:
                self._transport.download(release.url, start, take)
                return
            except SourceProblem as problem:
                if self._npm is None or release.digest is None or problem.slug == "insecure-url":
                    raise
                self._needs_npm = True
        assert self._npm is not None, "it is needed only where it is there"
        archive = self._npm.fetch(f"{_PACKAGE}-{self._build}", release.version)
        feed(archive, start, take)

    # --- by plain requests ------------------------------------------------------------------------

    def _find(self, wanted: str) -> Release:
        missing = SourceProblem("not-found", f"it does not have {_words(wanted)}")
        main = self._document(_PACKAGE, wanted, missing)
        version = self._version_of(main)
        package = self._document(f"{_PACKAGE}-{self._build}", version, self._no_build(version))
        url, integrity = text_at(package, "dist", "tarball"), text_at(package, "dist", "integrity")
        return self._release(version, url, integrity, text_at(main, "engines", "node"))

    def _document(self, package: str, version: str, missing: SourceProblem) -> Any:
        """What the registry says of a version; raises ``missing`` where it does not have it.

        Some answer only for a package as a whole.
        """
        url = f"{self._registry}/{package.replace('/', '%2f')}"
        try:
            return self._transport.get_json(f"{url}/{version}")
        except SourceProblem as problem:
            if problem.slug != "not-found":
                raise
        try:
            whole = self._transport.get_json(url)
        except SourceProblem as other:
            raise missing if other.slug == "not-found" else other from None
        if version == "latest":
            version = text_at(whole, "dist-tags", "latest") or ""
        versions = whole.get("versions") if isinstance(whole, dict) else None
        if not isinstance(versions, dict) or version not in versions:
            raise missing
        return versions[version]

    # --- by npm -----------------------------------------------------------------------------------

    def _find_by_npm(self, wanted: str) -> Release:
        assert self._npm is not None, "it is needed only where it is there"
        self._console.say_step("Asking npm for the release")
        main = self._npm.view(f"{_PACKAGE}@{wanted}", "version", "engines.node")
        if main is None:
            raise SourceProblem("not-found", f"npm cannot get {_words(wanted)}")
        version = self._version_of(main)
        package = f"{_PACKAGE}-{self._build}@{version}"
        found = self._npm.view(package, "dist.tarball", "dist.integrity")
        if found is None:
            raise self._no_build(version)
        release = self._release(
            version,
            text_at(found, "dist.tarball"),
            text_at(found, "dist.integrity"),
            text_at(main, "engines.node"),
        )
        if release.digest is None:
            raise self._unsaid()
        return release

    # --- by either --------------------------------------------------------------------------------

    def _release(
        self, version: str, url: str | None, integrity: str | None, node: str | None
    ) -> Release:
        try:
            digest = digest_of_integrity(integrity)
        except ValueError:
            # A digest that cannot be read must not pass for one that is not published.
            url = digest = None
        if url is None:
            raise self._unsaid()
        check_url(url)
        if self._registry and is_loopback(url) and not is_loopback(self._registry):
            # From elsewhere, this machine's own servers are out of bounds.
            raise SourceProblem(
                "insecure-url", f"the registry points to an archive on this machine ({plain(url)})"
            )
        known = known_digest(version, self.key, self._build)
        return Release(version, self.key, url, known or digest, node_range(node))

    def _version_of(self, document: Any) -> str:
        version = text_at(document, "version")
        if version is None or not is_version(version):
            raise SourceProblem("bad-answer", f"{self._host()} did not say which version it has")
        return version

    def _unsaid(self) -> SourceProblem:
        return SourceProblem(
            "bad-answer",
            f"{self._host()} did not say where the archive is, or what its checksum is",
        )

    def _no_build(self, version: str) -> SourceProblem:
        return SourceProblem("no-build", f"Wasp {version} has no package {self._build}")

    def _host(self) -> str:
        return host_of(self._registry or "") or "npm"


def _words(wanted: str) -> str:
    return "the newest Wasp" if wanted == "latest" else f"Wasp {wanted}"


def feed(archive: Path, start: Callable[[int | None], None], take: Callable[[bytes], None]) -> None:
    """Hands the bytes of a file to ``take``, after ``start`` with their number."""
    with archive.open("rb", buffering=0) as file:
        start(archive.stat().st_size)
        while chunk := file.read(CHUNK_SIZE):
            take(chunk)
