"""The sources: which are asked, in which order, and what it means when none can deliver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar, Union

from wasp_installer.command_line.console import Console
from wasp_installer.command_line.options import Options
from wasp_installer.errors import InstallerError, Slug, SourceProblem
from wasp_installer.versions import RELEASES_PAGE

from .github import GitHubSource
from .npm import NpmSource
from .platforms import Platform

_NETWORK_HINTS: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("dns", "connection", "timeout", "http-status"),
        "Check your network (and HTTPS_PROXY, if you need a proxy), or run this again later.",
    ),
    "tls": "Check your clock and your CA certificates (package ca-certificates).\n"
    "Behind a corporate proxy, set SSL_CERT_FILE=/path/to/its/ca.pem",
    "proxy": "Check HTTPS_PROXY (http://user:password@host:port) and NO_PROXY.",
    "captive-portal": "Log in to the network in a browser, then run this again.",
    "insecure-url": "Only https is used. See WASP_NPM_REGISTRY, WASP_GITHUB_URL and "
    "npm config get registry.",
    "bad-answer": "To see each step: --verbose. To try another source: --source npm or github.",
}
#: For people, by what ``--source`` calls them.
SOURCE_NAMES: Final[dict[str, str]] = {"npm": "the npm registry", "github": "GitHub"}

Got = TypeVar("Got")
Source = Union[NpmSource, GitHubSource]


def from_the_first(
    sources: Sequence[Source],
    options: Options,
    platform: Platform,
    console: Console,
    attempt: Callable[[Source], Got],
) -> Got:
    """What ``attempt`` returns for the first source that can deliver.

    Raises:
        InstallerError: none can, with what each of them met.
    """
    problems: list[SourceProblem] = []
    before = ""
    for source in sources:
        name = SOURCE_NAMES[source.key]
        if problems:
            console.warn(f"{before}: {problems[-1].text}. Trying {name} instead.")
        try:
            return attempt(source)
        except SourceProblem as problem:
            problems.append(problem)
            before = name
    raise _failure(problems, options, platform)


def _failure(
    problems: Sequence[SourceProblem], options: Options, platform: Platform
) -> InstallerError:
    wanted = options.wanted
    words = "the newest Wasp" if wanted == "latest" else f"Wasp {wanted}"
    met: dict[str, Slug] = {}
    for problem in problems:
        if problem.slug != "not-found" and problem.slug != "no-build":
            met.setdefault(problem.text, problem.slug)
    for slug in met.values():
        return InstallerError(slug, f"cannot get {words}: {'; '.join(met)}.", _NETWORK_HINTS[slug])
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
