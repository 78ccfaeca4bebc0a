"""The sources: which are asked, in which order, and what it means when none can deliver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal, Protocol, TypeVar

from wasp_installer.command_line.console import Console
from wasp_installer.command_line.options import Options
from wasp_installer.errors import InstallerError, Slug, SourceProblem
from wasp_installer.placing.receipts import Release
from wasp_installer.versions import RELEASES_PAGE

from .platforms import Platform

_NETWORK_HINTS: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("dns", "connection", "timeout", "http-status"),
        "Check your network connection (and HTTPS_PROXY, if you use a proxy) or wait a little, "
        "then run this again.",
    ),
    "tls": "Check your clock, and that CA certificates are installed (package ca-certificates).\n"
    "Behind a corporate proxy, set its CA file: SSL_CERT_FILE=/path/to/ca.pem",
    "proxy": "Check HTTPS_PROXY (http://user:password@host:port) and NO_PROXY.",
    "captive-portal": "Open a web page in a browser to log in to the network, then run this again.",
    "insecure-url": "Only https is used. See WASP_NPM_REGISTRY, WASP_GITHUB_URL and "
    "npm config get registry.",
    "bad-answer": "Run this again with --verbose to see each step, or try the other source: "
    "--source npm, or --source github.",
}

_LACKING: Final = ("not-found", "no-build")

Result = TypeVar("Result")


#: For people, by what ``--source`` calls them.
SOURCE_NAMES: Final[dict[str, str]] = {"npm": "the npm registry", "github": "GitHub"}


class Source(Protocol):
    """A place that has releases. Its methods raise ``SourceProblem``."""

    @property
    def key(self) -> Literal["npm", "github"]:
        """As ``--source`` calls it."""

    def find(self, wanted: str) -> Release:
        """The release of a version, or of "latest"."""

    def fetch(
        self, release: Release, start: Callable[[int | None], None], take: Callable[[bytes], None]
    ) -> None:
        """Hands the archive of ``release`` to ``take``, after ``start`` with its length."""


def in_order(choice: str, npm: Source | None, github: Source) -> list[Source]:
    """The sources that are asked; ``npm`` is None where no registry is known.

    Raises:
        InstallerError: "bad-answer", when only npm may be asked and no registry is known.
    """
    if choice == "npm" and npm is None:
        raise InstallerError(
            "bad-answer",
            "no npm registry is configured here.",
            "Set WASP_NPM_REGISTRY, install npm, or use --source github.",
        )
    sources = [npm] if npm is not None and choice != "github" else []
    return sources if choice == "npm" else [*sources, github]


def from_the_first(
    sources: Sequence[Source],
    options: Options,
    platform: Platform,
    console: Console,
    attempt: Callable[[Source], Result],
) -> Result:
    """What ``attempt`` returns for the first source that can deliver.

    Raises:
        InstallerError: none can, with what each of them met.
    """
    problems: list[SourceProblem] = []
    for index, source in enumerate(sources):
        name = SOURCE_NAMES[source.key]
        if problems:
            before = SOURCE_NAMES[sources[index - 1].key]
            console.warn(f"{before}: {problems[-1].text}. Trying {name} instead.")
        try:
            return attempt(source)
        except SourceProblem as problem:
            problems.append(problem)
    raise _failure(problems, options, platform)


def _failure(
    problems: Sequence[SourceProblem],
    options: Options,
    platform: Platform,
) -> InstallerError:
    wanted = options.wanted
    words = "the newest Wasp" if wanted == "latest" else f"Wasp {wanted}"
    slug = _network_slug(problems)
    if slug is not None:
        met = dict.fromkeys(each.text for each in problems if each.slug not in _LACKING)
        causes = "; ".join(met)
        return InstallerError(slug, f"cannot get {words}: {causes}.", _NETWORK_HINTS[slug])
    if problems[-1].slug == "no-build":
        return InstallerError(
            "unsupported-platform",
            f"{words} has no build for {platform}.",
            f"Another version may have one: {RELEASES_PAGE}",
        )
    lack = "no source has"
    if options.source != "auto":
        lack = f"{SOURCE_NAMES[options.source]} does not have"
    return InstallerError("no-such-version", f"{lack} {words}.", f"All versions: {RELEASES_PAGE}")


def _network_slug(problems: Sequence[SourceProblem]) -> Slug | None:
    """That of the first problem that another try could end."""
    for problem in problems:
        if problem.slug != "not-found" and problem.slug != "no-build":
            return problem.slug
    return None
