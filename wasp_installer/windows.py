r"""Windows: Wasp's own build for it where a release has one, else Wasp inside WSL.

Both are started by PREFIX\bin\wasp.cmd, with PREFIX %USERPROFILE%\.local: a person may write there,
and uv and pipx keep their programs in its bin folder too, so that it is often on PATH already.

What is inside WSL is installed and managed by install.sh, which is run there; here are only
wasp.cmd and the entry of PATH.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import telemetry_ping

from . import platforms, windows_path, wsl
from .commands import Run
from .console import Console
from .contents import content_of
from .errors import EXIT_CODES, InstallerError, InterruptedRunError, SourceProblem, changing
from .layout import Layout
from .options import Options
from .platforms import Platform
from .receipts import Release
from .report import Result, print_versions
from .staging import remove_tree
from .telemetry import InstallEvent
from .windows_path import UserPath
from .wsl import Distribution, Wsl

_SETTINGS: Final = (
    "Put it there: Settings > System > About > Advanced system settings > "
    "Environment variables > Path"
)
_OURS: Final = "The Wasp installer writes this file"
_DISTRIBUTION = re.compile(r"^rem distribution: (\S+)\r?$", re.MULTILINE)
_INSIDE_PREFIX = re.compile(r"/[A-Za-z0-9_./+@:-]*")

# %* is what was typed, which wsl.exe takes apart by the rules of every Windows program and hands
# over as it is. The last line decides the exit code.
_WASP_CMD: Final = """\
@echo off
rem Starts Wasp, which is inside WSL. The Wasp installer writes this file anew.
rem distribution: {distribution}
setlocal EnableExtensions DisableDelayedExpansion
if /i "%CD%"=="%SystemRoot%" >&2 echo wasp: running in %CD%. A folder that begins with \\\\ \
cannot be used from here; use Wasp in a terminal of {distribution}.
if defined WSLENV (set "WSLENV={variables}:%WSLENV%") else set "WSLENV={variables}"
"{program}" -d {distribution} --exec {shell} {options} "{script}" wasp %*
"""


def wasp_cmd(distribution: str, executable: str, program: str, system_root: str) -> bytes:
    """The wasp.cmd that enters ``distribution``, in the current folder, and runs ``executable``.

    ``program`` is wsl.exe; below ``system_root`` it is named by a variable.
    """
    gone = (
        f"[ -x {executable} ] || {{ echo wasp: Wasp is no longer in {distribution}. "
        "Install it again: python install.py >&2; exit 127; }; "
    )
    shell, options, script, _name = wsl.in_login_shell(executable, gone)
    if system_root and program.lower().startswith(system_root.lower() + "\\"):
        program = r"%SystemRoot%\System32\wsl.exe"
    text = _WASP_CMD.format(
        distribution=distribution,
        variables=":".join(wsl.SHARED_VARIABLES),
        program=program,
        shell=shell,
        options=options,
        script=script.replace("%", "%%"),
    )
    return text.replace("\n", "\r\n").encode("utf-8")


@dataclass(frozen=True)
class Windows:
    """A Windows machine as this module sees it; the defaults are the one that this runs on."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    platform: Platform = field(default_factory=platforms.identify)
    user_path: UserPath | None = None
    wsl: Wsl | None = None

    def __post_init__(self) -> None:
        """Looks for what was not given."""
        if self.user_path is None:
            found = windows_path.this_user_path(self.environment)
            object.__setattr__(self, "user_path", found)
        if self.wsl is None:
            object.__setattr__(self, "wsl", Wsl(self.environment))


class WindowsRun:
    """One run of the installer on Windows; from outside it is as ``Run`` is elsewhere."""

    def __init__(self, options: Options, console: Console, windows: Windows | None = None) -> None:
        self.windows = windows or Windows()
        prefix = options.prefix
        #: A place inside WSL is no place on Windows: there the default one is used.
        self.prefix_inside = ""
        if prefix.startswith("/") and os.name == "nt":
            self.prefix_inside, prefix = prefix, os.path.join(os.path.expanduser("~"), ".local")
        self.options = dataclasses.replace(options, prefix=os.path.normpath(prefix))
        self.console = console
        self.layout = Layout(self.options.prefix, self.options.destdir)
        self.platform: Platform | None = self.windows.platform
        self.release: Release | None = None
        self.install_event = InstallEvent(self.options, console)
        self._path = WindowsPathSetup(self.options, console, self.layout, self.windows)
        self._cmd = self.layout.bin / "wasp.cmd"
        assert self.windows.wsl is not None, "it is looked for"
        self._wsl = self.windows.wsl

    def execute(self) -> Result:
        """Does what the options say; see ``Run.execute``."""
        result = self._execute()
        cache = self.windows.environment.get("LOCALAPPDATA")
        removes_all = self.options.command in ("uninstall", "migrate-to-npm")
        if cache and removes_all and result.status == "removed" and result.version is None:
            # Where install.py keeps its libraries, which no command but install uses.
            remove_tree(Path(cache) / "wasp" / "installer")
        return result

    def _execute(self) -> Result:
        native = self._native_run()
        if native is not None:
            self.layout, self.install_event = native.layout, native.install_event
            try:
                return native.execute()
            finally:
                self.release = native.release
        if self.options.destdir:
            raise InstallerError(
                "usage",
                "--destdir makes a package, and there is no build of Wasp for Windows to put in.",
                "Make packages for Linux inside WSL: sh install.sh --destdir",
            )
        if self.prefix_inside and not _INSIDE_PREFIX.fullmatch(self.prefix_inside):
            raise InstallerError(
                "usage",
                f"{self.prefix_inside} cannot be named in wasp.cmd.",
                "Choose a folder with letters and digits only.",
            )
        try:
            command = {"install": self._install, "list": self._list, "use": self._use}
            return command.get(self.options.command, self._remove)()
        except InterruptedRunError:
            self.install_event.stop()
            raise

    # --- Wasp's own build for Windows -------------------------------------------------------------

    def _native_run(self) -> NativeRun | None:
        """The run that manages native installs; None where Wasp is, or will be, inside WSL."""
        options = self.options
        if options.command != "install":
            is_native = self.layout.version_folders() and self._distribution_of_cmd() is None
            return self._native(options) if is_native else None
        if options.from_file is not None:
            is_native = "windows" in os.path.basename(options.from_file)
            return self._native(options) if is_native else None
        if options.source == "npm" or self.platform is None:
            return None
        version = self._native_version(self.platform)
        if version is None:
            return None
        return self._native(dataclasses.replace(options, source="github", wanted=version))

    def _native(self, options: Options) -> NativeRun:
        return NativeRun(options, self.console, self._path)

    def _native_version(self, platform: Platform) -> str | None:
        """The wanted version, where there is a build of it for Windows."""
        from .releases import plan_sources
        from .transport import Transport

        try:
            builds = platforms.choose_builds(platform)
            transport = Transport(Console(quiet=True), self.options.timeout_s)
            [github] = plan_sources("github", transport, platform, builds, None)
            return github.find(self.options.wanted).version
        except (InstallerError, SourceProblem) as problem:
            # Whatever it is: install.sh meets it too, and explains it.
            self.console.say_step(f"No build for Windows: {problem}")
            return None

    # --- Wasp inside WSL --------------------------------------------------------------------------

    def _install(self) -> Result:
        self._refuse_foreign()
        distribution = self._enter()
        if distribution.version == 1:
            self.console.warn(
                f"{distribution.name} runs on WSL 1. Wasp works there, but is slower.\n"
                f"To convert it: wsl --set-version {distribution.name} 2"
            )
        if not self.options.dry_run and self._is_new(distribution):
            self.install_event.announce()
        told = self._inside(distribution, "install", *self._install_arguments(distribution))
        result = self._result(told)
        if result.status == "installed":
            self.install_event.announce()
        if self.options.dry_run:
            self.console.say(f"  and   {self._cmd}, which enters {distribution.name}")
            return result
        self._write_cmd(distribution)
        self.console.say(f"In PowerShell and cmd: {self._cmd}, which enters {distribution.name}")
        done = self._path.add()
        if done:
            self.console.say(done)
        return result

    def _is_new(self, distribution: Distribution) -> bool:
        """Whether it is certain, before the network is asked, that something is installed."""
        wanted = self.options.wanted
        installed = self._versions(distribution)
        if self.options.force or not installed:
            return True
        return wanted != "latest" and self.options.from_file is None and wanted not in installed

    def _install_arguments(self, distribution: Distribution) -> list[str]:
        options = self.options
        arguments = ["--version", options.wanted, "--source", options.source, "--no-telemetry"]
        if options.sha256 is not None:
            arguments += ["--sha256", options.sha256]
        if options.from_file is not None:
            inside = self._wsl.path_inside(distribution.name, options.from_file)
            arguments += ["--from-file", inside]
            if options.wanted == "latest":
                arguments = arguments[2:]
        if options.force:
            arguments.append("--force")
        if options.require_checksum:
            arguments.append("--require-checksum")
        if options.no_modify_path:
            arguments.append("--no-modify-path")
        return arguments

    def _list(self) -> Result:
        arguments = ["--remote", "--source", self.options.source] if self.options.remote else []
        result = self._result(self._inside(self._enter(), "list", *arguments))
        if not self.options.json:
            print_versions(result)
        return result

    def _use(self) -> Result:
        assert self.options.named_version is not None, "the options were checked"
        return self._result(self._inside(self._enter(), "use", self.options.named_version))

    def _remove(self) -> Result:
        options = self.options
        named = [options.named_version] if options.named_version else []
        distribution = self._enter()
        if options.command == "uninstall" and not named and not options.dry_run:
            confirm(options, f"Remove Wasp from {distribution.name}?")
        result = self._result(self._inside(distribution, options.command, *named, "--yes"))
        is_left = named and self._versions(distribution)
        if options.dry_run or is_left:
            return result
        if self._is_ours():
            with changing(f"remove {self._cmd}"):
                self._cmd.unlink(missing_ok=True)
        done = self._path.remove()
        if done:
            self.console.say(done)
        with contextlib.suppress(OSError):
            self.layout.bin.rmdir()
        return result

    def _enter(self) -> Distribution:
        """The distribution that wasp.cmd enters, as long as it is there, else the one to use."""
        named = self._distribution_of_cmd()
        return self._wsl.choose(named)

    def _versions(self, distribution: Distribution) -> list[str]:
        """What is installed inside."""
        told = self._inside(distribution, "list", quiet=True)
        versions = told.get("versions")
        return [str(each) for each in versions] if isinstance(versions, list) else []

    def _inside(
        self, distribution: Distribution, command: str, *arguments: str, quiet: bool = False
    ) -> dict[str, Any]:
        """Runs install.sh with --json; returns what it reports.

        Raises:
            InstallerError: what it reports as an error, and has shown already.
        """
        options = self.options
        flags = {
            "--dry-run": options.dry_run,
            "--quiet": options.quiet or quiet,
            "--verbose": options.verbose and not quiet,
        }
        place = ["--prefix", self.prefix_inside] if self.prefix_inside else []
        self.console.say_step(f"Running install.sh {command} in {distribution.name}")
        code, printed = self._wsl.run_script(
            distribution.name,
            content_of("install.sh"),
            [command, *arguments, *place, *(flag for flag in flags if flags[flag]), "--json"],
        )
        told: object = None
        with contextlib.suppress(ValueError):
            # A start-up file of the shell may print something, too.
            told = json.loads(printed.decode("utf-8", "replace").strip().rpartition("\n")[2])
        if not isinstance(told, dict):
            raise InstallerError(
                "unexpected",
                f"install.sh ended in {distribution.name} without a report (exit code {code}).",
                f"See whether it starts: wsl -d {distribution.name}",
            )
        self.console.warnings += [str(each) for each in told.get("warnings") or ()]
        if code != 0:
            raise ReportedError(told, code)
        return told

    def _result(self, told: Mapping[str, Any]) -> Result:
        version, folder = told.get("version"), told.get("wasp_dir")
        if version and folder:
            self.layout.wasp_root = str(folder).rpartition("/")[0]
        self.layout.executable = str(self._cmd)
        release = None
        if version:
            source = str(told.get("source") or "unknown")
            release = Release(version, source, told.get("url"), told.get("digest"), None)
        self.release = release
        return Result(
            str(told.get("status")),
            version,
            release,
            current=told.get("current"),
            versions=[str(each) for each in told.get("versions") or ()],
            remote=[str(each) for each in told["remote"]] if "remote" in told else None,
            source=told.get("source"),
        )

    # --- wasp.cmd ---------------------------------------------------------------------------------

    def _write_cmd(self, distribution: Distribution) -> None:
        executable = f"{self.prefix_inside or '$HOME/.local'}/bin/wasp"
        assert self._wsl.program is not None, "a distribution was found with it"
        root = self.windows.environment.get("SystemRoot", "")
        content = wasp_cmd(distribution.name, executable, self._wsl.program, root)
        staged = self._cmd.with_name(f".wasp-{os.getpid()}.cmd")
        with changing(f"write {self._cmd}"):
            self.layout.bin.mkdir(parents=True, exist_ok=True)
            try:
                staged.write_bytes(content)
                staged.replace(self._cmd)
            finally:
                staged.unlink(missing_ok=True)

    def _content_of_cmd(self) -> str | None:
        try:
            return self._cmd.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            return ""

    def _is_ours(self) -> bool:
        return _OURS in (self._content_of_cmd() or "")

    def _distribution_of_cmd(self) -> str | None:
        found = _DISTRIBUTION.search(self._content_of_cmd() or "")
        return found[1] if found else None

    def _refuse_foreign(self) -> None:
        if self._content_of_cmd() is not None and not self._is_ours() and not self.options.force:
            raise InstallerError(
                "foreign-launcher",
                f"{self._cmd} is there already, and is not from this installer.",
                "Move it away, or replace it with --force.",
            )


class ReportedError(InstallerError):
    """What install.sh reported, and has already told the person."""

    shown = True

    def __init__(self, told: Mapping[str, Any], code: int) -> None:
        slug = str(told.get("error") or "unexpected")
        hint = told.get("hint")
        super().__init__(
            slug if slug in EXIT_CODES else "unexpected",
            str(told.get("message") or "install.sh failed."),
            hint if isinstance(hint, str) else None,
        )
        self.code = code


class NativeRun(Run):
    """A run with Wasp's own build for Windows."""

    def __init__(self, options: Options, console: Console, path: WindowsPathSetup) -> None:
        super().__init__(options, console)
        self._windows_path = path

    def _path_setup(self) -> WindowsPathSetup:  # type: ignore[override]
        return self._windows_path

    def _confirm(self, question: str) -> None:
        confirm(self.options, question)


def confirm(options: Options, question: str) -> None:
    """Asks on a terminal; raises "interrupted" when the answer is not yes."""
    if options.yes or not (sys.stderr.isatty() and sys.stdin.isatty()):
        return
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise InstallerError("interrupted", "nothing was removed.")


class WindowsPathSetup:
    """What one run does about PATH on Windows; to ``Run`` it is as ``PathSetup`` is."""

    def __init__(
        self, options: Options, console: Console, layout: Layout, windows: Windows
    ) -> None:
        self._options = options
        self._console = console
        self._environment = windows.environment
        self._user_path = windows.user_path
        self._folder = str(layout.bin)
        #: Says that the entry is ours: others need theirs after we are gone.
        self._mark = layout.share / ".added-to-path"

    def add(self) -> str | None:
        """Makes new terminals find wasp; returns what was done. A warning says what was not."""
        if windows_path.places(self._environment.get("PATH", ""), self._folder, self._environment):
            return None
        if not windows_path.fits(self._folder):
            self._console.warn(
                f"{self._folder} is not on your PATH, and cannot be, because of a semicolon or a "
                "percent sign in its name.\nChoose another place with --prefix DIR."
            )
        elif self._options.no_modify_path or self._user_path is None:
            self._console.warn(f"{self._folder} is not on your PATH. {_SETTINGS}")
        elif self._environment.get("GITHUB_ACTIONS") and self._environment.get("GITHUB_PATH"):
            return self._add_for_github(Path(self._environment["GITHUB_PATH"]))
        elif telemetry_ping.is_on_ci(self._environment):
            self._console.warn(f"{self._folder} is not on your PATH. {_SETTINGS}")
        else:
            return self._add(self._user_path)
        return None

    def _add(self, user_path: UserPath) -> str | None:
        try:
            is_new = user_path.add(self._folder)
            if is_new:
                self._mark.parent.mkdir(parents=True, exist_ok=True)
                self._mark.touch()
        except OSError as error:
            self._console.warn(
                f"{self._folder} is not on your PATH, which cannot be changed: {error}.\n"
                + _SETTINGS
            )
            return None
        done = f"Added {self._folder} to" if is_new else f"{self._folder} is on"
        return f"{done} your PATH: open a new terminal to use it."

    def _add_for_github(self, file: Path) -> str | None:
        try:
            with file.open("a", encoding="utf-8") as stream:
                stream.write(f"{self._folder}\n")
        except OSError:
            self._console.warn(f"{file} (GITHUB_PATH) cannot be written to.")
            return None
        return f"Added {self._folder} to PATH for the next steps of this job."

    def planned(self) -> str:
        """What ``add`` would change, for --dry-run."""
        if self._options.no_modify_path or self._user_path is None:
            return ""
        return "" if self._user_path.has(self._folder) else "your user PATH, in the registry"

    def remove(self) -> str | None:
        """Takes out what ``add`` put in; returns what was done."""
        if self._user_path is None or not self._mark.exists() or self._options.no_modify_path:
            return None
        try:
            is_gone = self._user_path.remove(self._folder)
            self._mark.unlink()
        except OSError as error:
            self._console.warn(f"{self._folder} is still on your PATH: {error}.")
            return None
        with contextlib.suppress(OSError):
            self._mark.parent.rmdir()
        return f"Took {self._folder} off your PATH" if is_gone else None


def run_for(options: Options, console: Console) -> Run | WindowsRun:
    """The run that belongs to this system."""
    return WindowsRun(options, console) if os.name == "nt" else Run(options, console)
