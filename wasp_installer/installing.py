"""Installing: a version is got and put in its place here, and made current by the sh program."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from dataclasses import replace

from .command_line.console import Console
from .command_line.manager import (
    Reported,
    arguments_of_install,
    manage,
    run_here,
    shared_arguments,
)
from .command_line.options import Options
from .command_line.report import Result, result_for, result_of
from .delivering import Delivery
from .errors import about
from .getting.github import GitHubSource, base_url
from .getting.npm import NpmSource
from .getting.platforms import Platform, choose_builds, identify
from .getting.registry import RegistryLookup, asks_npm
from .getting.sources import SOURCE_NAMES, Source, from_the_first, in_order
from .getting.transport import Transport
from .placing import receipts
from .placing.layout import Layout
from .placing.receipts import Release
from .placing.staging import Staging
from .signals import ignore_signals
from .telemetry import InstallEvent
from .texts import pretty
from .versions import sort_key


def install(
    options: Options,
    console: Console,
    *,
    event: InstallEvent | None = None,
    platform: Platform | None = None,
) -> Result:
    """Installs what the options ask for, and makes it the current version.

    ``event`` and ``platform`` are this run's, if the caller has them already.

    Raises:
        InstallerError: what went wrong; the version that was installed before still works.
    """
    event = event or InstallEvent(options, console)
    install = _Install(options, console, event, platform or identify())
    with _umask(0o022):
        return install.run()


@contextlib.contextmanager
def _umask(mask: int) -> Iterator[None]:
    """What is installed is for every user of the machine, whatever this one's umask."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


class _Install:
    """One install."""

    def __init__(
        self, options: Options, console: Console, event: InstallEvent, platform: Platform
    ) -> None:
        self._options = options
        self._console = console
        self._event = event
        self._platform = platform
        self._layout = Layout(options.prefix, options.destdir)

    def run(self) -> Result:
        options = self._options
        with contextlib.ExitStack() as stack:
            lookup = None
            if options.from_file is None and asks_npm(options.source, options.wanted):
                # npm takes its time, beside what comes next.
                lookup = RegistryLookup(os.environ, self._console)
                stack.enter_context(contextlib.closing(lookup))
            before = self._check()
            if options.from_file is None and self._keeps(options.wanted, before):
                return self._already_installed(options.wanted)
            may_be_there = options.wanted == "latest" or options.from_file is not None
            if options.force or not may_be_there or not before.words("versions"):
                self._event.announce()
            sources = self._sources(lookup)
            staging = None if options.dry_run else stack.enter_context(Staging(self._layout))
            release = self._deliver(sources, staging, before)
            if self._is_older(release, before):
                current = before.text("current") or ""
                self._console.say(
                    f"The newest Wasp that {SOURCE_NAMES[release.source]} has is "
                    f"{release.version}, and you have {current}: kept. "
                    f"To go back: -v {release.version}"
                )
                return self._already_installed(current)
            if self._keeps(release.version, before):
                return self._already_installed(release.version, release)
            if staging is None:
                return self._plan(release, before)
            with about(release):
                return self._place(release, staging)

    def _check(self) -> Reported:
        """Has all refused that would be refused after the download, too."""
        file = self._options.from_file
        archive = ["--from-file", file] if file is not None else []
        return self._manage("check", *arguments_of_install(self._options), *archive)

    def _sources(self, lookup: RegistryLookup | None) -> list[Source]:
        """Where to look, in this order."""
        options, console, platform = self._options, self._console, self._platform
        builds = choose_builds(platform)
        if options.from_file is not None:
            return []
        transport = Transport(console, options.timeout_s)
        github = GitHubSource(transport, platform, builds, base_url(os.environ))
        registry, npm = lookup.find() if lookup is not None else (None, None)
        npm_source = None
        if registry is not None or npm is not None:
            npm_source = NpmSource(transport, console, builds.npm, registry, npm)
        return in_order(options.source, npm_source, github)

    def _deliver(self, sources: list[Source], staging: Staging | None, before: Reported) -> Release:
        """The wanted release, delivered unless that is not needed."""
        options = self._options
        delivery = Delivery(options, self._console, self._platform, staging) if staging else None
        if options.from_file is not None:
            if delivery is None:
                wanted = "" if options.wanted == "latest" else options.wanted
                return Release(wanted, "file", None, None, None)
            return delivery.from_file(options.from_file)

        def attempt(source: Source) -> Release:
            release = source.find(options.wanted)
            if (
                delivery is None
                or self._keeps(release.version, before)
                or self._is_older(release, before)
            ):
                return release
            self._event.announce()
            with about(release):
                return delivery.from_source(release, source)

        return from_the_first(sources, options, self._platform, self._console, attempt)

    def _keeps(self, version: str, before: Reported) -> bool:
        """Whether ``version`` is installed, and there is no --force to install it again."""
        return version in before.words("versions") and not self._options.force

    def _is_older(self, release: Release, before: Reported) -> bool:
        """Whether a source names as the newest what is older than the current version."""
        options, current = self._options, before.text("current") or ""
        if options.wanted != "latest" or options.from_file or options.force:
            return False
        is_there = current in before.words("versions")
        return is_there and sort_key(release.version) < sort_key(current)

    def _place(self, release: Release, staging: Staging) -> Result:
        self._event.announce()
        receipts.write(staging.new, release, self._platform)
        # The rest takes a moment, and half of it is not what was asked for.
        ignore_signals()
        staging.place(release.version, replace=self._options.force)
        self._use(release.version, "installed")
        return result_for("installed", self._layout, self._platform, release)

    def _already_installed(self, version: str, release: Release | None = None) -> Result:
        if self._options.dry_run:
            place = pretty(self._layout.version_dir(version))
            self._console.say(f"Wasp {version} is already installed in {place}")
            planned = release or Release(version, "", None, None, None)
            return result_for("already-installed", self._layout, self._platform, planned)
        ignore_signals()
        told = result_of(self._use(version, "already-installed"))
        own = result_for("already-installed", self._layout, self._platform, None)
        return replace(told, status=own.status, platform=own.platform)

    def _use(self, version: str, outcome: str) -> Reported:
        return self._manage("use", version, "--outcome", outcome)

    def _manage(self, command: str, *arguments: str) -> Reported:
        options = self._options
        run = functools.partial(run_here, destdir=options.destdir)
        place = ["--prefix", options.prefix] if options.prefix else []
        return manage(run, self._console, [command, *arguments, *place, *shared_arguments(options)])

    def _plan(self, release: Release, before: Reported) -> Result:
        say, layout = self._console.say, self._layout
        words = f" {release.version}" if release.version else ""
        say(f"Would install Wasp{words} for {self._platform}:")
        say(f"  from  {release.url or self._options.from_file}")
        if release.digest:
            say(f"        {release.digest}")
        say(f"  to    {pretty(layout.share)}/{release.version}")
        say(f"  run   {pretty(layout.launcher)}")
        if startup := before.text("startup"):
            say(f"  shell {startup}")
        return result_for("planned", layout, self._platform, release)
