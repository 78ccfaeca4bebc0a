"""The releases of wasp-lang/wasp on GitHub, or on a mirror that ``WASP_GITHUB_URL`` names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from wasp_installer.errors import SourceProblem
from wasp_installer.placing.archives import ArchiveReceiver
from wasp_installer.placing.receipts import Release
from wasp_installer.versions import is_version

from .addresses import host_of
from .captive_portals import captive_portal
from .documents import text_at
from .known import known_digest
from .platforms import Platform

if TYPE_CHECKING:
    from .transport import Transport

DEFAULT_URL: Final = "https://github.com"


def base_url(environment: Mapping[str, str]) -> str:
    """``WASP_GITHUB_URL``, else GitHub itself; without a slash at its end."""
    return (environment.get("WASP_GITHUB_URL") or DEFAULT_URL).rstrip("/")


@dataclass(frozen=True)
class GitHubSource:
    """The releases of the GitHub at ``url``."""

    transport: Transport
    platform: Platform
    url: str
    key: Literal["github"] = "github"

    @property
    def _releases(self) -> str:
        return f"{self.url}/wasp-lang/wasp/releases"

    def find(self, wanted: str) -> Release:
        """The release of a version, or of "latest"; raises ``SourceProblem``."""
        version = self._latest() if wanted == "latest" else wanted
        assets, silence = self._assets(version)
        for build in self.platform.github_builds:
            name = f"wasp-{build}.tar.gz"
            url = f"{self._releases}/download/v{version}/{name}"
            if name in assets if assets is not None else self.transport.exists(url):
                digest = known_digest(version, self.key, build) or (assets or {}).get(name)
                return Release(version, self.key, url, digest, None, None if digest else silence)
        # A release without an asset for this platform is another thing than no such release.
        if self.transport.exists(f"{self._releases}/tag/v{version}"):
            machine = f"{self.platform.os} {self.platform.arch}"
            raise SourceProblem("no-build", f"Wasp {version} has no build for {machine}")
        raise SourceProblem("not-found", f"no Wasp {version} there")

    def fetch(self, release: Release, receiver: ArchiveReceiver) -> None:
        """Hands over the archive of ``release``; raises ``SourceProblem``."""
        self.transport.download(release.url or "", receiver.restart, receiver.take)

    def _latest(self) -> str:
        url = f"{self._releases}/latest"
        location = self.transport.location(url)
        if location is None:
            raise captive_portal(url)
        version = location.rpartition("/tag/v")[2]
        if not is_version(version):
            raise SourceProblem("bad-answer", f"{host_of(url)} did not say which version it has")
        return version

    def _assets(self, version: str) -> tuple[dict[str | None, str | None] | None, str | None]:
        """The digest of each asset; None, with the reason, where the API does not answer.

        It has a limit on requests from one address, so that its silence must not stop anything:
        https://docs.github.com/rest/releases/releases#get-a-release-by-tag-name
        """
        api = "https://api.github.com" if self.url == DEFAULT_URL else f"{self.url}/api/v3"
        url = f"{api}/repos/wasp-lang/wasp/releases/tags/v{version}"
        try:
            answer = self.transport.get_json(url, attempts=1)
        except SourceProblem as problem:
            # A mirror of the downloads alone has none.
            return None, None if problem.slug == "not-found" else problem.text
        listed: Any = answer.get("assets") if isinstance(answer, dict) else None
        if not isinstance(listed, list):
            return None, f"{host_of(url)} did not say which files it has"
        digests = {text_at(asset, "name"): text_at(asset, "digest") or "" for asset in listed}
        return {
            name: digest.lower() if digest.startswith("sha256:") else None
            for name, digest in digests.items()
        }, None
