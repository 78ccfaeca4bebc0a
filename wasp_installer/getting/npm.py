"""The packages of Wasp on npm (https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from wasp_installer.errors import SourceProblem
from wasp_installer.placing.archives import ArchiveReceiver
from wasp_installer.placing.receipts import Release
from wasp_installer.texts import plain
from wasp_installer.versions import is_version

from .addresses import check_url, host_of, is_loopback
from .documents import digest_of_integrity, node_range, text_at
from .known import known_digest
from .npm_program import Npm

if TYPE_CHECKING:
    from .transport import Transport

_PACKAGE: Final = "@wasp.sh/wasp-cli"
#: With these, npm would not fare better, or must not.
_FINAL: Final = ("not-found", "no-build", "insecure-url")
#: Says what is known of a version of a package, or raises the problem where it is missing.
_Ask = Callable[[str, str, SourceProblem], Any]


@dataclass
class NpmSource:
    """An npm registry; ``npm`` fetches where plain requests do not get through to it.

    ``build`` ends the name of the package for this machine. Without a ``registry``, npm does all.
    """

    transport: Transport
    build: str
    registry: str | None
    npm: Npm | None
    key: Literal["npm"] = "npm"

    def find(self, wanted: str) -> Release:
        """The release of a version, or of "latest"; raises ``SourceProblem``."""
        if not self.registry:
            return self._find_by_npm(wanted)
        try:
            return self._find(wanted, "it does not have", self._document)
        except SourceProblem as problem:
            if self.npm is None or problem.slug in _FINAL:
                raise
            try:
                return self._find_by_npm(wanted)
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

    def _find(self, wanted: str, lack: str, ask: _Ask) -> Release:
        """What is found by ``ask``; ``lack`` begins what is said of a version that is not there."""
        words = "the newest Wasp" if wanted == "latest" else f"Wasp {wanted}"
        main = ask(_PACKAGE, wanted, SourceProblem("not-found", f"{lack} {words}"))
        version = text_at(main, "version")
        if version is None or not is_version(version):
            raise SourceProblem("bad-answer", f"{self._host} did not say which version it has")
        no_build = SourceProblem("no-build", f"Wasp {version} has no package {self.build}")
        package = ask(self._package, version, no_build)
        return self._release(version, main, package)

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

    def _find_by_npm(self, wanted: str) -> Release:
        self.transport.console.say_step("Asking npm for the release")
        release = self._find(wanted, "npm cannot get", self._view)
        if release.digest is None:
            raise self._unsaid()
        # It fetches the archive, too.
        self.registry = None
        return release

    def _view(self, package: str, version: str, missing: SourceProblem) -> Any:
        """What npm says of a version; raises ``missing`` where it does not."""
        assert self.npm is not None, "it is asked where it is known"
        fields = ("version", "dist.tarball", "dist.integrity", "engines.node")
        document = self.npm.view(f"{package}@{version}", *fields)
        if document is None:
            raise missing
        return document

    def _release(self, version: str, main: Any, package: Any) -> Release:
        url = _field(package, "dist.tarball")
        try:
            digest = digest_of_integrity(_field(package, "dist.integrity"))
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
        node = node_range(_field(main, "engines.node"))
        return Release(version, self.key, url, known or digest, node)

    def _unsaid(self) -> SourceProblem:
        text = "did not say where the archive is, or what its checksum is"
        return SourceProblem("bad-answer", f"{self._host} {text}")

    @property
    def _package(self) -> str:
        return f"{_PACKAGE}-{self.build}"

    @property
    def _host(self) -> str:
        return host_of(self.registry or "") or "npm"


def _field(document: Any, path: str) -> str | None:
    """The text of a field such as "dist.tarball"; npm has the whole path as its name."""
    return text_at(document, path) or text_at(document, *path.split("."))
