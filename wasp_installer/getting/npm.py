"""The packages of Wasp on npm (https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from wasp_installer.command_line.console import Console
from wasp_installer.errors import SourceProblem
from wasp_installer.placing.archives import ArchiveReceiver
from wasp_installer.placing.receipts import Release
from wasp_installer.texts import plain
from wasp_installer.versions import is_version

from .addresses import check_url, host_of, is_loopback
from .documents import digest_of_integrity, node_range, text_at
from .known import known_digest
from .registry import Npm

if TYPE_CHECKING:
    from .transport import Transport

_PACKAGE: Final = "@wasp.sh/wasp-cli"
#: With these, npm would not fare better, or must not.
_FINAL: Final = ("not-found", "no-build", "insecure-url")


@dataclass
class NpmSource:
    """An npm registry; ``npm`` fetches where plain requests do not get through to it.

    ``build`` ends the name of the package for this machine. Without a ``registry``, npm does all.
    """

    transport: Transport
    console: Console
    build: str
    registry: str | None
    npm: Npm | None
    key: Literal["npm"] = "npm"

    def find(self, wanted: str) -> Release:
        """The release of a version, or of "latest"; raises ``SourceProblem``."""
        if not self.registry and self.npm is not None:
            return self._find_by_npm(self.npm, wanted)
        try:
            return self._find(wanted)
        except SourceProblem as problem:
            if self.npm is None or problem.slug in _FINAL:
                raise
            try:
                return self._find_by_npm(self.npm, wanted)
            except SourceProblem:
                raise problem from None

    def fetch(self, release: Release, receiver: ArchiveReceiver) -> None:
        """Hands over the archive of ``release``; raises ``SourceProblem``."""
        if self.registry:
            try:
                self.transport.download(release.url or "", receiver.restart, receiver.take)
                return
            except SourceProblem as problem:
                if self.npm is None or release.digest is None or problem.slug == "insecure-url":
                    raise
        assert self.npm is not None, "it has found the release"
        receiver.take_file(self.npm.fetch(self._package, release.version))

    def _find(self, wanted: str) -> Release:
        missing = SourceProblem("not-found", f"it does not have {_words(wanted)}")
        main = self._document(_PACKAGE, wanted, missing)
        version = self._version_of(main)
        package = self._document(self._package, version, self._no_build(version))
        url, integrity = text_at(package, "dist", "tarball"), text_at(package, "dist", "integrity")
        return self._release(version, url, integrity, text_at(main, "engines", "node"))

    def _document(self, package: str, version: str, missing: SourceProblem) -> Any:
        """What the registry says of a version; raises ``missing`` where it does not have it.

        Some answer only for a package as a whole.
        """
        url = f"{self.registry}/{package.replace('/', '%2f')}"
        try:
            return self.transport.get_json(f"{url}/{version}")
        except SourceProblem as problem:
            if problem.slug != "not-found":
                raise
        try:
            whole = self.transport.get_json(url)
        except SourceProblem as other:
            raise missing if other.slug == "not-found" else other from None
        if version == "latest":
            version = text_at(whole, "dist-tags", "latest") or ""
        versions = whole.get("versions") if isinstance(whole, dict) else None
        if not isinstance(versions, dict) or version not in versions:
            raise missing
        return versions[version]

    def _find_by_npm(self, npm: Npm, wanted: str) -> Release:
        self.console.say_step("Asking npm for the release")
        main = npm.view(f"{_PACKAGE}@{wanted}", "version", "engines.node")
        if main is None:
            raise SourceProblem("not-found", f"npm cannot get {_words(wanted)}")
        version = self._version_of(main)
        package = npm.view(f"{self._package}@{version}", "dist.tarball", "dist.integrity")
        if package is None:
            raise self._no_build(version)
        url, integrity = text_at(package, "dist.tarball"), text_at(package, "dist.integrity")
        release = self._release(version, url, integrity, text_at(main, "engines.node"))
        if release.digest is None:
            raise self._unsaid()
        # It fetches the archive, too.
        self.registry = None
        return release

    def _release(
        self, version: str, url: str | None, integrity: str | None, node: str | None
    ) -> Release:
        """What was found, by whomever."""
        try:
            digest = digest_of_integrity(integrity)
        except ValueError:
            # A digest that cannot be read must not pass for one that is not published.
            url = digest = None
        if url is None:
            raise self._unsaid()
        check_url(url)
        if self.registry and is_loopback(url) and not is_loopback(self.registry):
            # From elsewhere, this machine's own servers are out of bounds.
            text = f"the registry points to an archive on this machine ({plain(url)})"
            raise SourceProblem("insecure-url", text)
        known = known_digest(version, self.key, self.build)
        return Release(version, self.key, url, known or digest, node_range(node))

    def _version_of(self, document: Any) -> str:
        version = text_at(document, "version")
        if version is None or not is_version(version):
            raise SourceProblem("bad-answer", f"{self._host} did not say which version it has")
        return version

    def _unsaid(self) -> SourceProblem:
        text = "did not say where the archive is, or what its checksum is"
        return SourceProblem("bad-answer", f"{self._host} {text}")

    @property
    def _package(self) -> str:
        return f"{_PACKAGE}-{self.build}"

    @property
    def _host(self) -> str:
        return host_of(self.registry or "") or "npm"

    def _no_build(self, version: str) -> SourceProblem:
        return SourceProblem("no-build", f"Wasp {version} has no package {self.build}")


def _words(wanted: str) -> str:
    return "the newest Wasp" if wanted == "latest" else f"Wasp {wanted}"
