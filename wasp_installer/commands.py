"""The commands: install, list, use, uninstall, migrate-to-npm."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import telemetry_ping

from . import launcher, platforms, receipts, shared_files, surroundings
from .completion_setup import CompletionSetup
from .console import Console, pretty
from .errors import InstallerError, InterruptedRunError, changing
from .foreign_folders import refuse_foreign_folders
from .interpreter import PythonLookup
from .layout import Layout
from .options import Options
from .path_setup import PathSetup
from .platforms import Platform
from .receipts import Release
from .registry import RegistryLookup, asks_npm
from .report import Result, print_versions
from .signals import ignore_signals
from .staging import Staging, remove_tree, sweep
from .telemetry import InstallEvent
from .versions import RELEASES_PAGE, older_than


class Run:
    """One run of the installer with its options, on this machine."""

    def __init__(self, options: Options, console: Console) -> None:
        self.options = options
        self.console = console
        self.layout = Layout(options.prefix, options.destdir)
        self.platform: Platform | None = None
        #: The release that is being installed, as far as the run has come.
        self.release: Release | None = None
        self.install_event = InstallEvent(options, console)
        self._python: PythonLookup | None = None
        self._stagings: list[Staging] = []

    def execute(self) -> Result:
        """Does what the options say.

        Raises:
            InstallerError: what went wrong; the version that was installed before still works.
        """
        # What is installed is for every user of the machine, whatever this one's umask.
        umask = os.umask(0o022)
        try:
            return self._execute()
        except InterruptedRunError:
            self.install_event.stop()
            # The signal may have come between two lines that belong together.
            for staging in self._stagings:
                staging.clean_up()
            raise
        finally:
            os.umask(umask)
            if self._python is not None:
                self._python.close()

    def _staging(self) -> Staging:
        makes_room = self.options.command in ("uninstall", "migrate-to-npm")
        self._stagings.append(Staging(self.layout, self.console, makes_room=makes_room))
        return self._stagings[-1]

    def _look_for_python(self) -> PythonLookup:
        """For the launcher; asked for early, since it takes a while to be found."""
        if self._python is None:
            self._python = PythonLookup(
                self.platform.os if self.platform else None, staged=bool(self.options.destdir)
            )
        return self._python

    def _execute(self) -> Result:
        self.platform = platforms.identify()
        self.console.say_step(f"Platform: {self.platform}")
        if self.options.command != "list" and not self.options.destdir:
            refuse_foreign_folders(self.layout, self.console, os.environ)
        command = {
            "install": self._install,
            "list": self._list,
            "use": self._use,
            "uninstall": self._uninstall,
            "migrate-to-npm": self._migrate_to_npm,
        }[self.options.command]
        return command(self.platform)

    # --- install ---------------------------------------------------------------------------------

    def _install(self, platform: Platform) -> Result:
        options, layout = self.options, self.layout
        previous = self._refuse_conflicts().version
        if options.wanted != "latest" and options.from_file is None and self._keeps(options.wanted):
            with contextlib.closing(surroundings.NodeCheck()) as node_check:
                return self._already_installed(options.wanted, previous, node_check)
        with contextlib.ExitStack() as stack:
            staging = None
            if not options.dry_run:
                staging = stack.enter_context(self._staging())
            # Both ask other programs, which goes on beside what follows.
            registry = None
            if options.from_file is None and asks_npm(options.source, options.wanted):
                registry = stack.enter_context(
                    contextlib.closing(RegistryLookup(os.environ, self.console))
                )
            node_check = stack.enter_context(contextlib.closing(surroundings.NodeCheck()))
            if not options.dry_run:
                self._look_for_python()
            self._announce_new_install()
            builds = platforms.choose_builds(platform)
            # Imported late: its libraries take long to import, and the other commands need none.
            from .acquisition import Acquisition

            acquisition = Acquisition(
                options, self.console, platform, staging, self._keeps, self.install_event.announce
            )
            stack.callback(lambda: self._remember(acquisition.release))
            if options.from_file is not None:
                release = acquisition.from_file(options.from_file)
            else:
                release = acquisition.from_sources(builds, registry)
            if release.version and self._keeps(release.version):
                return self._already_installed(release.version, previous, node_check)
            if staging is None:
                return self._plan(release, platform)
            self.install_event.announce()
            # All that takes room comes before the first change.
            receipts.write(staging.new, release, platform)
            shared_files.stage(staging)
            launcher.stage(layout, staging, release.version, self._look_for_python())
            self._begin_to_change(node_check)
            self._place(staging, release.version)
            if layout.npm_marker.exists():
                with changing(f"remove {pretty(layout.npm_marker)}"):
                    layout.npm_marker.unlink(missing_ok=True)
            launcher.settle(layout, staging, self._look_for_python())
            self._settle_shared_files()
            return self._installed(release, previous, node_check)

    def _place(self, staging: Staging, version: str) -> None:
        """Puts what is staged in its place, all or nothing."""
        try:
            # First, since a version that is there is not installed again.
            shared_files.place(self.layout, staging)
            staging.place(version, replace=self.options.force)
            staging.place_launcher()
        except InstallerError:
            # Another run may have made it the current one meanwhile.
            if launcher.inspect(self.layout).version != version:
                staging.take_back(version)
            if not self.layout.version_folders():
                with contextlib.suppress(InstallerError):
                    shared_files.remove(self.layout)
            raise
        staging.commit()

    def _settle_shared_files(self) -> None:
        shared_files.settle(self.layout, self._staging)

    def _begin_to_change(self, node_check: surroundings.NodeCheck | None = None) -> None:
        """Waits for what may take long; from then on signals do not end the run.

        The rest takes a moment, and half of it would be neither what was there before nor what was
        asked for.
        """
        self._look_for_python().path()
        if node_check is not None:
            node_check.wait()
        ignore_signals()

    def _announce_new_install(self) -> None:
        """Sends the event as soon as it is certain that something will be installed."""
        may_be_there = self.options.wanted == "latest" or self.options.from_file is not None
        if self.options.force or not may_be_there or not self.layout.installed():
            self.install_event.announce()

    def _remember(self, release: Release | None) -> None:
        """Keeps what is known of a release for the report of an error."""
        self.release = release

    def _refuse_conflicts(self) -> launcher.LauncherState:
        layout, force = self.layout, self.options.force
        if layout.npm_marker.exists() and not force:
            raise InstallerError(
                "npm-managed",
                f"npm manages Wasp here ({pretty(layout.npm_marker)}).",
                "To update it: npm install -g @wasp.sh/wasp-cli@latest\n"
                "To use this installer instead: npm uninstall -g @wasp.sh/wasp-cli, "
                "then this again with --force",
            )
        state = launcher.inspect(layout)
        launcher.refuse_foreign(state, lambda: pretty(layout.launcher), force=force)
        return state

    def _keeps(self, version: str) -> bool:
        """Whether ``version`` is installed, and there is no --force to install it again."""
        return not self.options.force and self.layout.is_installed(version)

    def _plan(self, release: Release, platform: Platform) -> Result:
        version = release.version
        words = f" {version}" if version else ""
        self.console.say(f"Would install Wasp{words} for {platform}:")
        self.console.say(f"  from  {release.url or self.options.from_file}")
        if release.digest:
            self.console.say(f"        {release.digest}")
        self.console.say(f"  to    {pretty(self.layout.share)}/{version}")
        self.console.say(f"  run   {pretty(self.layout.launcher)}")
        if not surroundings.is_on_path(self.layout) and (files := self._path_setup().planned()):
            self.console.say(f"  path  {files}")
        if files := self._completion_setup().planned():
            self.console.say(f"  tab   {files}")
        return Result("planned", version or None, release)

    def _already_installed(
        self, version: str, current: str | None, node_check: surroundings.NodeCheck
    ) -> Result:
        layout = self.layout
        if current != version and not self.options.dry_run:
            with self._staging() as staging:
                self._begin_to_change(node_check)
                launcher.write(layout, staging, version, self._look_for_python())
                staging.commit()
                launcher.settle(layout, staging, self._look_for_python())
        if not self.options.dry_run:
            self._settle_shared_files()
        release = receipts.read(layout.version_dir(version), version)
        done_about_path = self._check_surroundings(release, node_check)
        self.console.say(
            f"Wasp {version} is already installed in {pretty(layout.version_dir(version))}"
        )
        self._finish_startup_files(done_about_path)
        self.console.release_warnings()
        return Result("already-installed", version, release)

    def _check_surroundings(
        self, release: Release, node_check: surroundings.NodeCheck
    ) -> str | None:
        """Warns, after the result, of what keeps Wasp from being used.

        Returns what was done about PATH. What is staged is for another machine.
        """
        self.console.hold_warnings()
        if self.options.destdir or self.options.dry_run:
            return None
        node_check.warn(self.console, release.version, release.node)
        ignore_signals()
        done = None
        if not surroundings.is_on_path(self.layout):
            done = self._path_setup().add()
        # From the next start on, this wasp comes before any other.
        if not done:
            surroundings.warn_of_another_wasp(self.console, self.layout)
        return done

    def _finish_startup_files(self, done_about_path: str | None) -> None:
        self._say_if_any(done_about_path)
        if self.options.dry_run:
            return
        self._say_if_any(self._completion_setup().add())
        # Another run may have removed the last version meanwhile, and not seen these lines.
        if not self.layout.installed():
            self._clean_startup_files()

    def _path_setup(self) -> PathSetup:
        return PathSetup(self.options, self.console, self.layout, self.platform)

    def _completion_setup(self) -> CompletionSetup:
        return CompletionSetup(self.options, self.console, self.layout)

    def _clean_startup_files(self) -> None:
        for setup in (self._path_setup(), self._completion_setup()):
            done = setup.remove()
            self._say_if_any(done)
            # Another run may have installed a version meanwhile, and found the line there.
            if done and self.layout.installed():
                self._say_if_any(setup.add())

    def _say_if_any(self, line: str | None) -> None:
        if line:
            self.console.say(line)

    def _installed(
        self,
        release: Release,
        previous: str | None,
        node_check: surroundings.NodeCheck,
    ) -> Result:
        console, layout = self.console, self.layout
        result = Result("installed", release.version, release)
        if self.options.destdir:
            console.say(f"Staged Wasp {release.version} in {layout.version_dir(release.version)}")
            return result
        done_about_path = self._check_surroundings(release, node_check)
        console.say(
            f"Installed Wasp {release.version} in {pretty(layout.version_dir(release.version))}"
        )
        if previous and previous != release.version:
            self._compare_with(previous, release.version)
        self._finish_startup_files(done_about_path)
        console.release_warnings()
        console.say_next("wasp new my-app")
        return result

    def _compare_with(self, previous: str, version: str) -> None:
        if not older_than(version, previous):
            self.console.say(f"What is new: {RELEASES_PAGE}/tag/v{version}")
        if self.layout.is_installed(previous):
            self.console.say(
                f"Wasp {previous} stays installed; to go back to it: {own_name()} use {previous}"
            )

    # --- the other commands ----------------------------------------------------------------------

    def _list(self, platform: Platform) -> Result:
        current = launcher.inspect(self.layout).version
        installed = self.layout.installed()
        result = Result("listed", current=current, versions=installed)
        if self.options.remote:
            # Imported late, as for an install.
            from .available import find_available

            available = find_available(self.options, self.console, platform)
            result = replace(result, remote=available.versions, source=available.source)
        if self.options.json:
            return result
        print_versions(result)
        if result.source == "npm":
            self.console.say("Older versions are on GitHub: list --remote --source github")
        elif not installed and not self.options.remote:
            self.console.say(f"No Wasp is installed in {pretty(self.layout.prefix)}")
        return result

    def _use(self, _platform: Platform) -> Result:
        version = self.options.named_version
        assert version is not None, "the options were checked"
        self._refuse_conflicts()
        self._sweep()
        if not self.layout.is_installed(version):
            raise self._not_installed(version)
        release = receipts.read(self.layout.version_dir(version), version)
        if self.options.dry_run:
            self.console.say(f"Would make Wasp {version} the current version")
            return Result("planned", version, release)
        with self._staging() as staging:
            self._begin_to_change()
            launcher.write(self.layout, staging, version, self._look_for_python())
            staging.commit()
            launcher.settle(self.layout, staging, self._look_for_python())
        self._settle_shared_files()
        # Another run may have removed it meanwhile.
        if not self.layout.is_installed(version):
            raise self._not_installed(version)
        self.console.say(f"Wasp {version} is now the current version")
        return Result("switched", version, release)

    def _not_installed(self, version: str) -> InstallerError:
        return InstallerError(
            "not-installed",
            f"Wasp {version} is not installed in {pretty(self.layout.prefix)}.",
            f"To install it: {own_name()} -v {version}",
        )

    def _sweep(self) -> None:
        """Before the versions are looked at: a killed run may have moved one aside."""
        if not self.options.dry_run:
            sweep(self.layout, self.console)

    def _uninstall(self, _platform: Platform) -> Result:
        self._sweep()
        version = self.options.named_version
        return self._uninstall_all() if version is None else self._uninstall_one(version)

    def _uninstall_one(self, version: str) -> Result:
        layout = self.layout
        if not layout.version_dir(version).is_dir():
            # A run that was killed may have come so far.
            if not self.options.dry_run:
                self._remove_traces_if_none_is_left()
            raise self._not_installed(version)
        if self._only_plans(f"Would remove Wasp {version}"):
            return Result("planned", version)
        with self._staging() as staging:
            python = self._look_for_python()
            ignore_signals()
            staging.commit()
            # First, so that it never starts what is gone.
            launcher.settle(layout, staging, python, leaving=version)
            staging.remove(version)
            current = launcher.settle(layout, staging, python).version
        now = f"; the current version is {current}" if current else ""
        self.console.say(f"Removed Wasp {version}{now}")
        self._remove_traces_if_none_is_left()
        return Result("removed", version)

    def _remove_traces_if_none_is_left(self) -> None:
        layout = self.layout
        is_left = layout.version_folders() or layout.npm_marker.exists()
        if launcher.inspect(layout).kind == "none" and not is_left:
            ignore_signals()
            self._settle_shared_files()
            self._remove_traces()

    def _uninstall_all(self) -> Result:
        layout = self.layout
        found = layout.version_folders()
        if not found and launcher.inspect(layout).kind != "ours":
            if layout.npm_marker.exists():
                raise InstallerError(
                    "npm-managed",
                    "Wasp is managed by npm here.",
                    "To remove it: npm uninstall -g @wasp.sh/wasp-cli",
                )
            self.console.say(f"No Wasp is installed in {pretty(layout.prefix)}")
            if not self.options.dry_run:
                ignore_signals()
                # A run that was killed may have come so far.
                self._remove_rest()
                # Wasp's own "wasp uninstall" may have removed it, and does not know of the rest.
                self._remove_traces()
            return Result("removed")
        words = f"Wasp ({', '.join(found)}) from {pretty(layout.prefix)}"
        if self._only_plans(f"Would remove {words}"):
            return Result("planned")
        self._confirm(f"Remove {words}?")
        self._remove_everything(found)
        self.console.say(f"Removed Wasp from {pretty(layout.prefix)}")
        self._remove_traces()
        return Result("removed")

    def _migrate_to_npm(self, _platform: Platform) -> Result:
        self._sweep()
        layout = self.layout
        found = layout.version_folders()
        words = f" ({', '.join(found)})" if found else ""
        if self._only_plans(
            f"Would remove Wasp{words} from {pretty(layout.prefix)} and leave it to npm"
        ):
            return Result("planned")
        self._remove_everything(found)
        with changing(f"write to {pretty(layout.share)}"):
            layout.share.mkdir(parents=True, exist_ok=True)
            layout.npm_marker.touch()
        if launcher.inspect(layout).kind == "foreign":
            self.console.warn(
                f"{pretty(layout.launcher)} is not from this installer, so it is still there."
            )
        self.console.say(f"Removed Wasp from {pretty(layout.prefix)}; npm may manage it now.")
        self._clean_startup_files()
        # Wasp goes on with the rest of its cache.
        if (cache := self._cache()) is not None:
            remove_tree(cache / "installer")
        self.console.say_next("npm install -g @wasp.sh/wasp-cli")
        return Result("removed")

    def _only_plans(self, words: str) -> bool:
        if self.options.dry_run:
            self.console.say(words)
        return self.options.dry_run

    def _remove_everything(self, found: list[str]) -> None:
        layout = self.layout
        with self._staging() as staging:
            ignore_signals()
            staging.commit()
            if launcher.inspect(layout).kind == "ours":
                with changing(f"remove {pretty(layout.launcher)}"):
                    layout.launcher.unlink(missing_ok=True)
            for version in found:
                staging.remove(version)
            # Another run may have made one the current one meanwhile.
            if layout.installed() or launcher.inspect(layout).kind == "ours":
                launcher.settle(layout, staging, self._look_for_python())
        self._remove_rest()

    def _remove_rest(self) -> None:
        """What is there beside versions and launcher."""
        self._settle_shared_files()
        # The next run goes on from here as long as the last of them is there.
        self.layout.remove_empty_folders(os.environ.get("HOME", ""))

    def _remove_traces(self) -> None:
        """Removes what Wasp, its telemetry and this installer keep outside the prefix."""
        self._clean_startup_files()
        cache = self._cache()
        if cache is None:
            return
        if cache.is_dir() and not self._is_used_elsewhere():
            remove_tree(cache)
            self.console.say(f"Removed the cache {pretty(cache)}")
        off = telemetry_ping.off_file(os.environ)
        if off is not None and os.path.exists(off):
            self.console.say(
                f"Kept {pretty(off)}: a Wasp that you install again sends nothing either"
            )

    def _is_used_elsewhere(self) -> bool:
        """By the Wasp in the usual place, where another was removed."""
        usual = f"{os.path.expanduser('~')}/.local"
        other = Layout(usual)
        return usual != self.layout.prefix and any(map(other.has_binary, other.version_folders()))

    def _cache(self) -> Path | None:
        # What is staged is not this person's own.
        return None if self.options.destdir else wasp_cache(os.environ)

    def _confirm(self, question: str) -> None:
        """Asks on a terminal; raises "interrupted" when the answer is not yes."""
        if self.options.yes or not sys.stderr.isatty():
            return
        try:
            terminal = open("/dev/tty", encoding="utf-8", errors="replace")  # noqa: SIM115
        except OSError:
            return
        with terminal:
            try:
                print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
                answer = terminal.readline().strip().lower()
            except InterruptedRunError:
                print(file=sys.stderr)
                raise
        if answer not in ("y", "yes"):
            raise InstallerError("interrupted", "nothing was removed.")


def wasp_cache(environment: Mapping[str, str]) -> Path | None:
    """Where Wasp, its telemetry and ``install.py`` keep what can be made again."""
    if os.name == "nt":
        local = environment.get("LOCALAPPDATA")
        return Path(local) / "wasp" if local else None
    home, named = environment.get("HOME"), environment.get("XDG_CACHE_HOME", "")
    if not home:
        return None
    return Path(named if named.startswith("/") else f"{home}/.cache") / "wasp"


def own_name() -> str:
    """How this program was called, as far as it can be called so again."""
    script = sys.argv[0]
    return f"python {pretty(script)}" if script.endswith("install.py") else "install.py"
