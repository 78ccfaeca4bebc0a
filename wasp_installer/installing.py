"""Installing: a version is got and put in its place here, and made current by the sh program."""

from __future__ import annotations

import contextlib
import importlib
import os
from dataclasses import replace

from .command_line.console import Console
from .command_line.manager import manage, managing
from .command_line.options import Options
from .command_line.report import Result, Status, result_for
from .delivering import Delivery
from .errors import InstallerError, InterruptedRunError, about, explained
from .getting.github import GitHubSource, base_url
from .getting.npm import NpmSource
from .getting.platforms import choose_builds, identify
from .getting.registry import RegistryLookup, asks_npm
from .getting.sources import SOURCE_NAMES, Source, from_the_first
from .placing import receipts
from .placing.receipts import Release
from .placing.staging import Staging
from .signals import ignore_signals
from .telemetry import InstallEvent
from .texts import pretty
from .versions import older_than


def install(options: Options, console: Console) -> Result:
    """Installs what the options ask for, and makes it the current version.

    Raises:
        ImportError: a library is broken or too old; nothing was done yet.
        InstallerError: what went wrong; the version that was installed before still works.
    """
    run = _Install(options, console)
    # What is installed is for every user of the machine, whatever this one's umask.
    before = os.umask(0o022)
    try:
        return run.run()
    except ImportError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told in words
        raise run.failed(explained(error)) from None
    finally:
        os.umask(before)


class _Install:
    """One install."""

    def __init__(self, options: Options, console: Console) -> None:
        self._options = options
        self._console = console
        self._event = InstallEvent(options, console)
        self._platform = identify()
        console.say_step(f"Platform: {self._platform.in_full()}")

    def failed(self, error: InstallerError) -> InstallerError:
        """``error`` with what this run has to report."""
        if isinstance(error, InterruptedRunError):
            self._event.stop()
        if error.result is None or error.release is not None:
            error.result = self._result("error", error.release)
        return error

    def _result(self, status: Status, release: Release | None) -> Result:
        return result_for(status, self._options, self._platform, release, self._event.outcome)

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
            if options.force or not may_be_there or not before.versions:
                self._event.announce()
            sources = self._sources(lookup)
            staging = None if options.dry_run else stack.enter_context(Staging(options.share))
            release = self._deliver(sources, staging, before)
            if self._is_older(release, before):
                current = before.current or ""
                self._console.say(
                    f"Kept your Wasp {current}: the newest from {SOURCE_NAMES[release.source]} is "
                    f"{release.version}. To install that one: -v {release.version}"
                )
                return self._already_installed(current)
            if self._keeps(release.version, before):
                return self._already_installed(release.version, release)
            if staging is None:
                return self._plan(release, before.startup)
            with about(release):
                return self._place(release, staging)

    def _sources(self, lookup: RegistryLookup | None) -> list[Source]:
        """Where to look, in this order."""
        options, console, platform = self._options, self._console, self._platform
        builds = choose_builds(platform)
        if options.from_file is not None:
            return []
        from .getting.transport import Transport

        transport = Transport(console, options.timeout_s)
        sources: list[Source] = []
        registry, npm = lookup.find() if lookup is not None else (None, None)
        if registry is not None or npm is not None:
            sources.append(NpmSource(transport, builds.npm, registry, npm))
        if options.source != "npm":
            sources.append(GitHubSource(transport, platform, builds, base_url(os.environ)))
        if not sources:
            raise InstallerError(
                "bad-answer",
                "no npm registry is configured here.",
                "Set WASP_NPM_REGISTRY, install npm, or use --source github.",
            )
        return sources

    def _deliver(self, sources: list[Source], staging: Staging | None, before: Result) -> Release:
        """The wanted release, delivered unless that is not needed."""
        options = self._options
        delivery = Delivery(options, self._console, self._platform, staging) if staging else None
        if options.from_file is not None:
            if delivery is None:
                return Release("" if options.wanted == "latest" else options.wanted, "file")
            return delivery.from_file(options.from_file)

        def attempt(source: Source) -> Release:
            release = source.find(options.wanted)
            is_kept = self._keeps(release.version, before) or self._is_older(release, before)
            if delivery is None or is_kept:
                return release
            self._event.announce()
            with about(release):
                return delivery.from_source(release, source)

        return from_the_first(sources, options, self._platform, self._console, attempt)

    def _keeps(self, version: str, before: Result) -> bool:
        """Whether ``version`` is installed, and there is no --force to install it again."""
        return version in before.versions and not self._options.force

    def _is_older(self, release: Release, before: Result) -> bool:
        """Whether a source names as the newest what is older than the current version."""
        options, current = self._options, before.current or ""
        if options.wanted != "latest" or options.from_file or options.force:
            return False
        return current in before.versions and older_than(release.version, current)

    def _place(self, release: Release, staging: Staging) -> Result:
        self._event.announce()
        receipts.write(staging.new, release, self._platform)
        # The rest takes a moment, and half of it is not what was asked for.
        ignore_signals()
        staging.place(release.version, replace=self._options.force)
        return self._use(release.version, "installed")

    def _already_installed(self, version: str, release: Release | None = None) -> Result:
        if self._options.dry_run:
            place = pretty(self._options.share / version)
            self._console.say(f"Wasp {version} is already installed in {place}")
            return self._result("already-installed", release or Release(version, ""))
        ignore_signals()
        return self._use(version, "already-installed")

    def _use(self, version: str, status: Status) -> Result:
        words = self._words("use", version, "--outcome", status)
        told = manage(self._console, words, self._options.destdir)
        return replace(told, telemetry=self._event.outcome)

    def _words(self, *command: str) -> list[str]:
        """The command for the sh program, with those options of this run that it heeds."""
        prefix = ["--prefix", self._options.prefix] if self._options.prefix else []
        return [*command, *prefix, *self._options.arguments()]

    def _check(self) -> Result:
        """What is there; it has all refused that would be refused after the download, too."""
        options = self._options
        file = ["--from-file", options.from_file] if options.from_file else []
        with managing(self._console, self._words("check", *file), options.destdir) as report:
            if options.from_file is None:
                # Beside it, as that takes as long.
                importlib.import_module("wasp_installer.getting.transport")
            return report()

    def _plan(self, release: Release, startup: str | None) -> Result:
        say, options = self._console.say, self._options
        words = f" {release.version}" if release.version else ""
        say(f"Would install Wasp{words} for {self._platform}:")
        say(f"  from  {release.url or options.from_file}")
        if release.digest:
            say(f"        {release.digest}")
        say(f"  to    {pretty(options.share)}/{release.version}")
        say(f"  run   {pretty(options.destdir + options.executable)}")
        if startup:
            say(f"  shell {startup}")
        return self._result("planned", release)
