"""Where Wasp comes from: the npm registry and GitHub, and what each says of a release."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol, TypeVar

from .console import Console
from .errors import InstallerError, SourceProblem
from .platforms import Builds, Platform
from .receipts import Release
from .registry import RegistryLookup
from .transport import Transport, captive_portal, check_url, host_of
from .versions import is_version, newest_first

NPM_PACKAGE: Final = "@wasp.sh%2fwasp-cli"
DEFAULT_GITHUB_URL: Final = "https://github.com"
_NETWORK_HINTS: Final = {
    "dns": "Check the network connection, and HTTPS_PROXY if you are behind a proxy; "
    "then run this again.",
    "connection": "Check the network connection, or wait a little; then run this again.",
    "timeout": "Check the network connection, or wait a little; then run this again.",
    "http-status": "Check the network connection, or wait a little; then run this again.",
    "tls": "Check the clock, and that the system's CA certificates are installed "
    "(package ca-certificates).\nBehind a corporate proxy, name its CA file: "
    "SSL_CERT_FILE=/path/to/ca.pem",
    "proxy": "Check HTTPS_PROXY (http://user:password@host:port) and NO_PROXY.",
    "captive-portal": "Open a web page in a browser to log in to the network; then run this again.",
    "insecure-url": "Only https is used. See WASP_NPM_REGISTRY, WASP_GITHUB_URL and "
    "npm config get registry.",
    "bad-answer": "Run this again with --verbose to see each step, or choose the other one with "
    "--source npm or github.",
}

Result = TypeVar("Result")


class Source(Protocol):
    """A place that has releases."""

    #: For people.
    name: str
    #: For ``--source``.
    key: str

    def find(self, wanted: str) -> Release:
        """The release of a version, or of "latest"; raises ``SourceProblem``."""

    def versions(self) -> list[str]:
        """The versions that there are, newest first; raises ``SourceProblem``."""


class NpmSource:
    """The packages on npm (https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md)."""

    name = "the npm registry"
    key = "npm"

    def __init__(self, transport: Transport, builds: Builds, registry: str) -> None:
        self._transport = transport
        self._build = builds.npm
        self._registry = registry

    def find(self, wanted: str) -> Release:
        """See ``Source``."""
        self._check_registry()
        main_url = f"{self._registry}/{NPM_PACKAGE}/{wanted}"
        try:
            main = self._transport.get_json(main_url)
        except SourceProblem as problem:
            if problem.slug == "not-found":
                words = "the newest Wasp" if wanted == "latest" else f"Wasp {wanted}"
                raise SourceProblem("not-found", f"it does not have {words}") from problem
            raise
        version = _text(main, "version")
        if version is None or not is_version(version):
            raise SourceProblem(
                "bad-answer", f"{host_of(main_url)} did not say which version it has"
            )
        package = self._package(version)
        url = _text(package, "dist", "tarball")
        if url is None:
            raise SourceProblem(
                "bad-answer", f"{host_of(main_url)} did not say where the archive is"
            )
        check_url(url)
        try:
            digest = _digest_of_integrity(_text(package, "dist", "integrity"))
        except ValueError:
            # A digest that cannot be read must not pass for one that is not published.
            raise SourceProblem(
                "bad-answer", f"{host_of(main_url)} gave a checksum that cannot be read"
            ) from None
        return Release(version, self.key, url, digest, _text(main, "engines", "node"))

    def versions(self) -> list[str]:
        """See ``Source``."""
        self._check_registry()
        package = self._transport.get_json(f"{self._registry}/{NPM_PACKAGE}")
        versions = package.get("versions") if isinstance(package, dict) else None
        return _listed(versions.keys() if isinstance(versions, dict) else ())

    def _check_registry(self) -> None:
        if "://" not in self._registry:
            raise SourceProblem(
                "insecure-url", f"'{self._registry}' is not the address of an npm registry"
            )

    def _package(self, version: str) -> Any:
        try:
            return self._transport.get_json(
                f"{self._registry}/{NPM_PACKAGE}-{self._build}/{version}"
            )
        except SourceProblem as problem:
            if problem.slug == "not-found":
                raise SourceProblem(
                    "no-build", f"Wasp {version} has no package {self._build}"
                ) from problem
            raise


class GitHubSource:
    """The releases of wasp-lang/wasp, or of a mirror that ``WASP_GITHUB_URL`` names."""

    name = "GitHub"
    key = "github"

    def __init__(
        self, transport: Transport, platform: Platform, builds: Builds, base_url: str
    ) -> None:
        self._transport = transport
        self._platform = platform
        self._builds = builds
        is_github = base_url == DEFAULT_GITHUB_URL
        api = "https://api.github.com" if is_github else f"{base_url}/api/v3"
        self._api = f"{api}/repos/wasp-lang/wasp/releases"
        self._releases = f"{base_url}/wasp-lang/wasp/releases"

    def find(self, wanted: str) -> Release:
        """See ``Source``."""
        version = self._latest() if wanted == "latest" else wanted
        assets = self._assets(version)
        for build in self._builds.github:
            name = f"wasp-{build}.tar.gz"
            url = f"{self._releases}/download/v{version}/{name}"
            if name in assets if assets is not None else self._transport.exists(url):
                return Release(version, self.key, url, (assets or {}).get(name), None)
        # A release without an asset for this platform is another thing than no such release.
        if self._transport.exists(f"{self._releases}/tag/v{version}"):
            raise SourceProblem(
                "no-build",
                f"Wasp {version} has no build for {self._platform.os} {self._platform.arch}",
            )
        raise SourceProblem("not-found", f"no Wasp {version} there")

    def versions(self) -> list[str]:
        """See ``Source``; https://docs.github.com/rest/releases/releases#list-releases."""
        releases = self._transport.get_json(f"{self._api}?per_page=100")
        tags = [_text(release, "tag_name") or "" for release in _items(releases)]
        return _listed(tag[1:] for tag in tags if tag.startswith("v"))

    def _latest(self) -> str:
        url = f"{self._releases}/latest"
        location = self._transport.location(url)
        if location is None:
            raise captive_portal(url)
        version = location.rpartition("/tag/v")[2]
        if not is_version(version):
            raise SourceProblem(
                "bad-answer", f"{host_of(url)} did not say which version is the newest"
            )
        return version

    def _assets(self, version: str) -> dict[str, str | None] | None:
        """The digest of each asset; None where the API does not answer.

        It has a limit on requests from one address, so that its silence must not stop anything:
        https://docs.github.com/rest/releases/releases#get-a-release-by-tag-name
        """
        try:
            answer = self._transport.get_json(f"{self._api}/tags/v{version}", attempts=1)
        except SourceProblem:
            return None
        listed = answer.get("assets") if isinstance(answer, dict) else None
        if not isinstance(listed, list):
            return None
        assets = {}
        for asset in listed:
            name, digest = _text(asset, "name"), _text(asset, "digest")
            if name is not None:
                is_sha256 = digest is not None and digest.startswith("sha256:")
                assets[name] = digest.lower() if digest and is_sha256 else None
        return assets


def _text(document: Any, *path: str) -> str | None:
    """The text at ``path`` in a JSON document, or None where there is none."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    # No text from the network may move the cursor, or break what is written into a file.
    return document if isinstance(document, str) and document and document.isprintable() else None


def _items(document: Any) -> list[Any]:
    return document if isinstance(document, list) else []


def _listed(versions: Iterable[str]) -> list[str]:
    """The versions among the texts, newest first; "not-found" when there is none."""
    found = newest_first(version for version in versions if is_version(version))
    if not found:
        raise SourceProblem("not-found", "it has no version of Wasp")
    return found


def _digest_of_integrity(integrity: str | None) -> str | None:
    """The digest of an integrity: "sha512-<base64>", perhaps among others.

    https://www.w3.org/TR/sri

    Raises:
        ValueError: it is no base64 of a SHA-512.
    """
    for part in (integrity or "").split():
        algorithm, _, encoded = part.partition("-")
        if algorithm == "sha512":
            digest = base64.b64decode(encoded, validate=True)
            if len(digest) != hashlib.sha512().digest_size:
                raise ValueError(encoded)
            return f"sha512:{digest.hex()}"
    return None


def plan_sources(
    source: str,
    transport: Transport,
    platform: Platform,
    builds: Builds,
    lookup: RegistryLookup | None,
) -> list[Source]:
    """The sources in the order in which they are tried; ``lookup`` is None where npm is not asked.

    Raises:
        InstallerError: "bad-answer", when only npm may be asked and no registry is known.
    """
    base_url = (os.environ.get("WASP_GITHUB_URL") or DEFAULT_GITHUB_URL).rstrip("/")
    github = GitHubSource(transport, platform, builds, base_url)
    registry = lookup.result() if lookup else None
    npm = NpmSource(transport, builds, registry) if registry else None
    if source == "github":
        return [github]
    if source == "npm":
        if npm is None:
            raise InstallerError(
                "bad-answer",
                "no npm registry is known here.",
                "Name one in WASP_NPM_REGISTRY, install npm, or use --source github.",
            )
        return [npm]
    return [npm, github] if npm else [github]


#: By their keys.
SOURCE_NAMES: Final = {source.key: source.name for source in (NpmSource, GitHubSource)}


class NoSourceError(Exception):
    """No source could deliver; ``problems`` has what each of them met."""

    def __init__(self, problems: Sequence[SourceProblem]) -> None:
        super().__init__(problems[-1].text)
        self.problems = problems

    @property
    def network_problem(self) -> SourceProblem | None:
        """The first that another try could end."""
        lacking = ("not-found", "no-build")
        return next((each for each in self.problems if each.slug not in lacking), None)


def try_in_turn(
    sources: Sequence[Source], console: Console, attempt: Callable[[Source], Result]
) -> Result:
    """What ``attempt`` returns for the first source that can deliver.

    Raises:
        NoSourceError: none can.
    """
    problems: list[SourceProblem] = []
    for index, source in enumerate(sources):
        if problems:
            before = sources[index - 1].name
            console.warn(f"{before}: {problems[-1].text}. Trying {source.name} instead.")
        try:
            return attempt(source)
        except SourceProblem as problem:
            console.say_step(f"{source.name}: {problem.text}")
            problems.append(problem)
    raise NoSourceError(problems)


def network_error(problem: SourceProblem, wanted: str) -> InstallerError:
    """``problem`` as the end of the run; ``wanted`` names in words what was wanted."""
    return InstallerError(
        problem.slug, f"cannot get {wanted}: {problem.text}.", _NETWORK_HINTS[problem.slug]
    )


def nothing_to_be_found() -> InstallerError:
    """What to say where every source answered, and none has a Wasp."""
    return InstallerError(
        "no-such-version",
        "no release of Wasp is to be found.",
        "See with --verbose where it was looked for.",
    )
