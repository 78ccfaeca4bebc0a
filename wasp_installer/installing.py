"""Installing: a version is got and put in its place here, and made current by the sh program."""

from __future__ import annotations

import contextlib
import importlib
import os
from dataclasses import replace

from .command_line.console import Console
from .command_line.manager import manage, managing
from .command_line.options import Options
from .command_line.report import Result, Status, result_of
from .delivering import Delivery
from .errors import InstallerError, InterruptedRunError, explained
from .getting.github import GitHubSource, base_url
from .getting.npm import NpmSource
from .getting.npm_program import private_npm
from .getting.platforms import Platform, platform_of
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
        #: What is there, as soon as the sh program has told it.
        self._before = Result("error")
        self._delivery: Delivery | None = None

    def failed(self, error: InstallerError) -> InstallerError:
        """``error`` with what this run has to report."""
        if error.slug == "unsupported-platform":
            # It is of interest what people would like to have Wasp on.
            self._event.announce()
        if isinstance(error, InterruptedRunError):
            self._event.stop()
        release = self._delivery.release if self._delivery else None
        if error.result is not None and release is None:
            error.result = replace(error.result, telemetry=self._event.outcome)
        elif self._before.told:
            error.result = self._result("error", release)
        return error

    def _result(self, status: Status, release: Release | None) -> Result:
        known = {
            name: getattr(release, name, None) for name in ("version", "source", "url", "digest")
        }
        result = result_of({**self._before.told, **known, "status": status})
        return replace(result, telemetry=self._event.outcome)

    def run(self) -> Result:
        options = self._options
        before = self._before = self._check()
        if "sources" not in before.told:
            return self._already_installed(options.wanted)
        may_be_there = options.wanted == "latest" or options.from_file is not None
        if options.force or not may_be_there or not before.versions:
            self._event.announce()
        platform = platform_of(before.told)
        with contextlib.ExitStack() as stack:
            sources = self._sources(platform, stack)
            staging = None if options.dry_run else stack.enter_context(Staging(options.share))
            release = self._deliver(sources, platform, staging)
            if self._is_older(release):
                current = before.current or ""
                self._console.say(
                    f"Kept your Wasp {current}: the newest from {SOURCE_NAMES[release.source]} is "
                    f"{release.version}. To install that one: -v {release.version}"
                )
                return self._already_installed(current)
            if self._keeps(release.version):
                return self._already_installed(release.version, release)
            if staging is None:
                return self._plan(release, platform)
            self._event.announce()
            # The last of all files: a version without one is not whole.
            receipts.write(staging.new, release, platform)
            return self._use(release.version, "installed", "--staged", str(staging.new))

    def _sources(self, platform: Platform, stack: contextlib.ExitStack) -> list[Source]:
        """Where to look, in this order."""
        options, told = self._options, self._before.told
        if options.from_file is not None:
            return []
        from .getting.transport import Transport

        transport = Transport(self._console, options.timeout_s)
        npm = stack.enter_context(private_npm()) if told["fetcher"] == "either" else None
        sources: dict[str, Source] = {
            "npm": NpmSource(transport, platform.npm_build, told["registry"], npm),
            "github": GitHubSource(transport, platform, base_url(os.environ)),
        }
        return [sources[name] for name in (told["sources"] or "").split()]

    def _deliver(
        self, sources: list[Source], platform: Platform, staging: Staging | None
    ) -> Release:
        """The wanted release, delivered unless that is not needed."""
        options = self._options
        delivery = Delivery(options, self._console, platform, staging) if staging else None
        self._delivery = delivery
        if options.from_file is not None:
            if delivery is None:
                return Release("" if options.wanted == "latest" else options.wanted, "file")
            return delivery.from_file(options.from_file)

        def attempt(source: Source) -> Release:
            release = source.find(options.wanted)
            is_kept = self._keeps(release.version) or self._is_older(release)
            if delivery is None or is_kept:
                return release
            self._event.announce()
            return delivery.from_source(release, source)

        return from_the_first(sources, options, platform, self._console, attempt)

    def _keeps(self, version: str) -> bool:
        """Whether ``version`` is installed, and there is no --force to install it again."""
        return version in self._before.versions and not self._options.force

    def _is_older(self, release: Release) -> bool:
        """Whether a source names as the newest what is older than the current version."""
        options, current = self._options, self._before.current or ""
        if options.wanted != "latest" or options.from_file or options.force:
            return False
        return current in self._before.versions and older_than(release.version, current)

    def _already_installed(self, version: str, release: Release | None = None) -> Result:
        if self._options.dry_run:
            place = pretty(self._options.share / version)
            self._console.say(f"Wasp {version} is already installed in {place}")
            return self._result("already-installed", release or Release(version, ""))
        return self._use(version, "already-installed")

    def _use(self, version: str, status: Status, *more: str) -> Result:
        # It takes a moment, and half of it is not what was asked for.
        ignore_signals()
        words = self._words("use", version, "--outcome", status, *more)
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

    def _plan(self, release: Release, platform: Platform) -> Result:
        say, options = self._console.say, self._options
        words = f" {release.version}" if release.version else ""
        say(f"Would install Wasp{words} for {platform}:")
        say(f"  from  {release.url or options.from_file}")
        if release.digest:
            say(f"        {release.digest}")
        say(f"  to    {pretty(options.share)}/{release.version}")
        say(f"  run   {pretty(options.destdir + options.executable)}")
        if startup := self._before.told["startup"]:
            say(f"  shell {startup}")
        return self._result("planned", release)
