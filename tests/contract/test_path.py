"""PATH: after an install every shell finds wasp, and after an uninstall nothing is left of that."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from telemetry_ping import CI_VARIABLES
from tests.contract.test_equality import counterpart
from tests.support.archives import tiny_package
from tests.support.filesystems import STRANGER, give_away, without_privileges
from tests.support.frontends import FrontEnd
from tests.support.machines import Machine, MachineRoom, Run
from tests.support.processes import sleeping_elsewhere
from tests.support.skips import need_root
from tests.support.terminals import Terminal
from tests.support.toolboxes import real_tool
from tests.support.trees import Entry, picture
from wasp_installer.staging import staging_name

MARK = "# added by the Wasp installer"
LINE = (
    'case ":${PATH}:" in *:"$HOME/.local/bin":*) ;; '
    f'*) export PATH="$HOME/.local/bin:$PATH" ;; esac {MARK}'
)
FISH_LINE = 'contains -- "$HOME/.local/bin" $PATH; or set -gx PATH "$HOME/.local/bin" $PATH ' + MARK
FISH_FILE = ".config/fish/conf.d/wasp.fish"
SCRIPTS = "$HOME/.local/share/wasp-lang/completions"
COMPLETION_LINES = {
    ".bashrc": '[ -z "${BASH_VERSION-}" ] || '
    f'[ ! -r "{SCRIPTS}/wasp.bash" ] || . "{SCRIPTS}/wasp.bash" {MARK}',
    ".zshrc": '[ -z "${ZSH_VERSION-}" ] || '
    f'[ ! -r "{SCRIPTS}/_wasp" ] || . "{SCRIPTS}/_wasp" {MARK}',
    "wasp.fish": f'test -r "{SCRIPTS}/wasp.fish"; and source "{SCRIPTS}/wasp.fish" {MARK}',
}
ODD = 'it\'s a "home" with $pecials \\ `here` (and \u00fc) !x'


def install(machine: Machine, *options: str) -> Run:
    """Installs from a file: what matters here is what follows."""
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    return machine.install(None, "--from-file", str(archive), *options).ok()


def with_lines(name: str, mine: str = "") -> str:
    """What an install makes of a start-up file: for PATH, and for tab completion where there is."""
    path_line = FISH_LINE if name.endswith(".fish") else LINE
    completion_line = COMPLETION_LINES.get(name.rpartition("/")[2])
    lines = "\n".join(filter(None, [path_line, completion_line]))
    return f"{mine}\n{lines}" if mine and not mine.endswith("\n") else f"{mine}{lines}\n"


def dotfiles(home: Path) -> dict[str, Entry]:
    """A picture of the home without what Wasp itself is."""
    found = picture(home)
    return {name: entry for name, entry in found.items() if name.partition("/")[0] != ".local"}


def contents(home: Path) -> dict[str, tuple[int, bytes]]:
    """The mode and the bytes of every file that is not Wasp's."""
    return {
        name: (entry.mode, (home / name).read_bytes())
        for name, entry in dotfiles(home).items()
        if entry.kind == "file" and not name.startswith(ODD)
    }


def path_warnings(run: Run) -> list[str]:
    return [warning for warning in run.warnings() if "PATH" in warning and "Node" not in warning]


# --- Every shell finds wasp ----------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    """One way in which a person's shell starts; `options` come before -c."""

    program: str
    options: tuple[str, ...]

    @property
    def path(self) -> str:
        return str(real_tool(self.program))

    def run(self, machine: Machine, command: str) -> str:
        """What a terminal shows when this shell starts and runs the command."""
        argv = [self.path, *self.options, "-c", command]
        shell = Terminal(argv, machine.environment, machine.here)
        code = shell.finish()
        assert code == 0, shell.shown
        return shell.shown

    def __str__(self) -> str:
        return "".join([self.program, *self.options]).replace(" ", "")


STARTS = [
    Start(program, tuple(options.split()))
    for program, all_options in {
        "bash": ("-i", "-l", "-l -i"),
        "zsh": ("-i", "-l -i"),
        "fish": ("", "-i", "-l"),
        "dash": ("-l",),
        "busybox": ("sh -l",),
        "posh": ("-l",),
        "ksh93": ("-i", "-l"),
        "mksh": ("-i", "-l"),
        "yash": ("-i", "-l"),
    }.items()
    for options in all_options
]


@pytest.mark.parametrize("start", STARTS, ids=str)
def test_every_shell_finds_wasp(machine: Machine, start: Start) -> None:
    machine.set(SHELL=start.path)
    (machine.home / ".bash_profile").write_text('. "$HOME/.bashrc"\n')
    install(machine).says("Added ~/.local/bin to PATH")
    assert "0.25.0" in start.run(machine, "wasp version")
    # One start-up file may read another, and a shell may start in a shell.
    folder = f"{machine.layout.prefix}/bin"
    assert start.run(machine, "env").count(folder) == 1
    machine.set(PATH=f"{machine.toolbox.folder}:{folder}")
    assert start.run(machine, "env").count(folder) == 1
    # Wasp's own `wasp uninstall` knows of no start-up files.
    shutil.rmtree(machine.layout.prefix)
    assert start.run(machine, "echo it starts").split() == ["it", "starts"]


# Whoever installed it: what the front ends write is compared below.


@pytest.mark.parametrize("start", STARTS, ids=str)
def test_every_shell_finds_wasp_in_an_odd_home(machines: MachineRoom, start: Start) -> None:
    machine = machines.build("dash").set(SHELL=start.path)
    # ksh93 expands what stands in the name of its file once more, and so does not find it.
    odd = ODD if start.program != "ksh93" else "a home (and \u00fc) !x"
    machine.move_home(f"{odd}\nof two lines")
    install(machine)
    assert "0.25.0" in start.run(machine, "wasp version")


@pytest.mark.parametrize("start", STARTS, ids=str)
@pytest.mark.parametrize("below", [f"{ODD}/elsewhere", "home/a $mall 'part'"], ids=["out", "in"])
def test_every_shell_finds_wasp_in_an_odd_prefix(
    machines: MachineRoom, start: Start, below: str
) -> None:
    machine = machines.build("dash").set(SHELL=start.path)
    install(machine, "--prefix", str(machine.root / below))
    assert "0.25.0" in start.run(machine, "wasp version")


@pytest.mark.parametrize("program", ["bash", "zsh", "fish", "dash", "mksh", "yash"])
def test_what_is_said_of_this_terminal_is_right(machine: Machine, program: str) -> None:
    shell = str(real_tool(program))
    machine.set(SHELL=shell)
    machine.move_home("a $trange 'home'")
    run = install(machine, "--prefix", f"{machine.home}/it's")
    shutil.rmtree(machine.home / ".config", ignore_errors=True)
    [command] = [
        line.partition("terminal: ")[2] for line in run.stderr.splitlines() if "terminal: " in line
    ]
    assert machine.run_program([shell, "-c", f"{command}; wasp version"]).stdout == "0.25.0\n"


def test_zsh_finds_wasp_where_only_its_own_file_names_the_folder(machine: Machine) -> None:
    folder = machine.home / "zsh"
    folder.mkdir()
    (machine.home / ".zshenv").write_text('ZDOTDIR="$HOME/zsh"\n')
    (folder / ".zshrc").write_text("# mine\n")
    machine.set(SHELL=str(real_tool("zsh")))
    before = dotfiles(machine.home)
    install(machine)
    assert "0.25.0" in Start("zsh", ("-i",)).run(machine, "wasp version")
    # When it is taken out, the variable may be known.
    machine.set(ZDOTDIR=str(folder)).run("uninstall", "--yes").ok()
    assert dotfiles(machine.home) == before


# --- Which files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shell", "there", "changed"),
    [
        ("bash", [], [".bashrc", ".profile"]),
        ("bash", [".profile"], [".bashrc", ".profile"]),
        ("bash", [".bash_login", ".profile"], [".bashrc", ".bash_login", ".profile"]),
        ("bash", [".bash_profile", ".bash_login"], [".bashrc", ".bash_profile"]),
        ("zsh", [], [".zshrc"]),
        ("zsh", [".profile", ".bashrc"], [".zshrc", ".profile", ".bashrc"]),
        ("zsh", [".zshenv"], [".zshrc"]),
        ("sh", [], [".profile"]),
        ("dash", [".zshrc", ".mkshrc"], [".profile", ".zshrc", ".mkshrc"]),
        ("", [".bashrc"], [".profile", ".bashrc"]),
        ("mksh", [], [".profile", ".mkshrc"]),
        ("ksh", [], [".profile", ".kshrc"]),
        ("yash", [], [".yashrc", ".yash_profile"]),
        ("fish", [], [FISH_FILE]),
        ("fish", [".config/fish/config.fish", ".bash_login"], [FISH_FILE, ".bash_login"]),
        ("bash", [".config/fish/config.fish"], [".bashrc", ".profile", FISH_FILE]),
        ("nu", [".bashrc"], [".bashrc"]),
        ("nu", [], []),
    ],
)
def test_the_own_shell_is_set_up_and_those_whose_files_are_there(
    machine: Machine, shell: str, there: list[str], changed: list[str]
) -> None:
    for name in there:
        (machine.home / name).parent.mkdir(parents=True, exist_ok=True)
        (machine.home / name).write_text("# mine\n")
    before = dotfiles(machine.home)
    machine.set(SHELL=f"/some/bin/{shell}" if shell else "")
    run = install(machine)
    for name in changed:
        mine = "# mine\n" if name in there else ""
        assert (machine.home / name).read_text() == with_lines(name, mine)
    after = dotfiles(machine.home)
    assert {name for name, entry in after.items() if entry.kind == "file"} == {*there, *changed}
    run.says(*(f"~/{name}" for name in changed))
    machine.run("uninstall", "--yes").ok().says(*(f"~/{name}" for name in changed))
    assert dotfiles(machine.home) == before


def test_zshs_own_folder_counts(machine: Machine) -> None:
    folder = machine.home / "my zsh"
    machine.set(SHELL="/bin/zsh", ZDOTDIR=str(folder))
    (machine.home / ".zshrc").write_text("# not read\n")
    install(machine)
    assert (folder / ".zshrc").read_text() == with_lines(".zshrc")
    assert (machine.home / ".zshrc").read_text() == "# not read\n"
    machine.run("uninstall", "--yes").ok()
    assert set(dotfiles(machine.home)) == {".zshrc"}


@pytest.mark.parametrize("named", ["{home}/settings", "settings"])
def test_the_folder_for_configuration_counts(machine: Machine, named: str) -> None:
    """A relative name is to be ignored: https://specifications.freedesktop.org/basedir-spec."""
    machine.set(SHELL="/usr/bin/fish", XDG_CONFIG_HOME=named.format(home=machine.home))
    install(machine)
    folder = "settings" if named.startswith("{") else ".config"
    file = machine.home / folder / "fish/conf.d/wasp.fish"
    assert file.read_text() == with_lines("wasp.fish")
    machine.run("uninstall", "--yes").ok()
    assert dotfiles(machine.home) == {}


@pytest.mark.parametrize(
    ("shell", "words"),
    [("nu", "$env.PATH"), ("tcsh", "set path"), ("elvish", "export PATH="), ("xonsh", "PATH")],
)
def test_a_shell_that_it_cannot_write_for_is_told_what_to_do(
    machine: Machine, shell: str, words: str
) -> None:
    (machine.home / ".bashrc").write_text("# mine\n")
    run = install(machine.set(SHELL=f"/usr/bin/{shell}"))
    [warning] = path_warnings(run)
    assert words in warning
    assert "In this terminal" not in run.stderr


def test_a_file_of_the_same_name_keeps_what_is_in_it(machine: Machine) -> None:
    file = machine.home / FISH_FILE
    file.parent.mkdir(parents=True)
    file.write_text("# mine")
    before = dotfiles(machine.home)
    install(machine.set(SHELL="/usr/bin/fish"))
    assert file.read_text() == with_lines("wasp.fish", "# mine")
    machine.run("uninstall", "--yes").ok()
    assert dotfiles(machine.home) == before


# --- The same bytes, once, and back --------------------------------------------------------------

CONTENTS = {
    "usual": b"# mine\nexport A=1\n",
    "unended": b"# mine\nexport A=1",
    "empty": b"",
    "one-line-break": b"\n",
    "blank-lines": b"\n\n# mine\n\n\n",
    "carriage-returns": b"# mine\r\nexport A=1\r\n",
    "no-text": b"# \xff\xfe\x80\n# nul \x00 here\n\x00",
    "own-line": b'export PATH="$HOME/.local/bin:$PATH"\n',
    "like-ours": f"# {LINE}\n{LINE} \n".encode(),
}


# Files that shells read, one for each content.
FILES = dict(
    zip(
        (
            ".bashrc",
            ".bash_login",
            ".zshrc",
            ".profile",
            ".kshrc",
            ".mkshrc",
            ".yashrc",
            ".yash_profile",
            FISH_FILE,
        ),
        CONTENTS.values(),
    )
)


def write_files(home: Path) -> None:
    for name, content in FILES.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)


def test_both_front_ends_leave_the_same_bytes(machines: MachineRoom, shell: FrontEnd) -> None:
    made = []
    for chosen in (shell, counterpart(shell)):
        machine = machines.build(chosen, name=f"machine-of-{chosen.name}")
        place = machine.root.parent / "homes" / ODD
        place.mkdir(parents=True)
        machine.set(HOME=str(place))
        install(machine)
        created = contents(place)
        write_files(place)
        assert path_warnings(install(machine, "--prefix", f"{place}/{ODD}")) == []
        added = contents(place)
        machine.run("uninstall", "--yes", "--prefix", f"{place}/{ODD}").ok()
        made.append((created, added, contents(place)))
        shutil.rmtree(place)
    for one, other in zip(*made):
        assert one == other


def test_a_file_is_as_it_was_afterwards(machine: Machine) -> None:
    write_files(machine.home)
    before = dotfiles(machine.home)
    install(machine)
    after = dotfiles(machine.home)
    for name, content in FILES.items():
        written = (machine.home / name).read_bytes()
        line = FISH_LINE if name == FISH_FILE else LINE
        assert written.startswith(content)
        assert written.split(b"\n").count(line.encode()) == 1
        assert written.endswith(b"\n") is content.endswith(b"\n")
    install(machine).is_silent_about("Added").says("is put on PATH in ~/.bashrc")
    assert dotfiles(machine.home) == after
    machine.run("uninstall", "--yes").ok()
    assert dotfiles(machine.home) == before


def test_what_was_written_around_the_line_stays(machine: Machine) -> None:
    (machine.home / ".bashrc").write_text("# before\n")
    install(machine)
    for name in (".bashrc", ".profile"):
        with (machine.home / name).open("a") as file:
            file.write("# after")
    machine.run("uninstall", "--yes").ok()
    assert (machine.home / ".bashrc").read_text() == "# before\n# after"
    assert (machine.home / ".profile").read_text() == "# after"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755, 0o666])
def test_the_mode_stays(machine: Machine, mode: int) -> None:
    file = machine.home / ".bashrc"
    file.write_text("# mine\n")
    file.chmod(mode)
    install(machine.with_umask(0o077))
    assert dotfiles(machine.home)[".bashrc"].mode == mode
    assert dotfiles(machine.home)[".profile"].mode == 0o644
    machine.run("uninstall", "--yes").ok()
    assert dotfiles(machine.home)[".bashrc"].mode == mode


def test_the_owner_stays(machine: Machine) -> None:
    need_root("a file of another user")
    file = machine.home / ".bashrc"
    file.write_text("# mine\n")
    os.chown(file, STRANGER, STRANGER + 1)
    install(machine)
    assert LINE in file.read_text()
    assert (file.stat().st_uid, file.stat().st_gid) == (STRANGER, STRANGER + 1)
    machine.run("uninstall", "--yes").ok()
    assert (file.stat().st_uid, file.stat().st_gid) == (STRANGER, STRANGER + 1)


def test_two_prefixes_have_a_line_each(machine: Machine) -> None:
    other = machine.root / "other"
    install(machine)
    alone = dotfiles(machine.home)
    install(machine, "--prefix", str(other))
    assert f'"{other}/bin:$PATH"' in (machine.home / ".bashrc").read_text()
    machine.run("uninstall", "--yes", "--prefix", str(other)).ok()
    assert dotfiles(machine.home) == alone


def test_a_line_that_is_there_is_said_to_be(machine: Machine) -> None:
    """In a terminal that is older than the line, PATH lacks the folder still."""
    install(machine)
    run = machine.run("install", "--version", "0.25.0").ok()
    run.says("~/.local/bin is put on PATH in ~/.bashrc and ~/.profile. In this terminal: export")
    run.is_silent_about("warning: ~/.local")


def test_what_a_killed_run_left_is_swept(machine: Machine) -> None:
    this_machine = staging_name().rsplit("-", 2)[0]
    left = machine.home / f".wasp-staging-{this_machine}-{sleeping_elsewhere()}-abcdef"
    left.write_text("half a file")
    install(machine)
    assert not left.exists()


# --- Taking it back ------------------------------------------------------------------------------

REMOVALS: dict[str, Callable[[Machine], Run]] = {
    "uninstall": lambda machine: machine.run("uninstall", "--yes"),
    "last-version": lambda machine: machine.run("uninstall", "0.25.0"),
    "migrate-to-npm": lambda machine: machine.run("migrate-to-npm"),
}


@pytest.mark.parametrize("removal", REMOVALS)
def test_every_removal_takes_the_lines_along(machine: Machine, removal: str) -> None:
    (machine.home / ".bashrc").write_text("# mine")
    before = dotfiles(machine.home)
    install(machine)
    REMOVALS[removal](machine).ok().says("Took ~/.local/bin off PATH in ~/.bashrc and ~/.profile")
    assert dotfiles(machine.home) == before


def test_an_uninstall_after_wasps_own(machine: Machine) -> None:
    install(machine)
    shutil.rmtree(machine.layout.share)
    machine.layout.launcher.unlink()
    machine.run("uninstall", "--yes").ok().says("No Wasp is installed", "Took")
    assert dotfiles(machine.home) == {}


def test_a_version_that_is_left_needs_the_line(machine: Machine) -> None:
    machine.layout.plant("0.24.0")
    install(machine)
    before = dotfiles(machine.home)
    machine.run("uninstall", "0.25.0").ok().is_silent_about("PATH")
    assert dotfiles(machine.home) == before


@pytest.mark.parametrize("option", ["--dry-run", "--no-modify-path", "--destdir=/nowhere"])
@pytest.mark.parametrize("command", ["uninstall", "migrate-to-npm"])
def test_a_removal_that_leaves_the_lines(machine: Machine, command: str, option: str) -> None:
    install(machine)
    before = dotfiles(machine.home)
    stage = option.replace("/nowhere", str(machine.root / "stage"))
    machine.run(command, stage).ok().is_silent_about("Took")
    assert dotfiles(machine.home) == before


def test_other_programs_in_the_folder_are_thought_of(machine: Machine) -> None:
    install(machine)
    (machine.layout.launcher.parent / "other").write_text("")
    machine.run("uninstall", "--yes").ok().says("other programs")


def test_a_removal_that_cannot_write_says_so(machine: Machine) -> None:
    machine.wrapper = without_privileges()
    install(machine)
    (machine.home / ".bashrc").chmod(0o444)
    run = machine.run("uninstall", "--yes", "--json").ok()
    for warning, line in zip(run.warnings(), (LINE, COMPLETION_LINES[".bashrc"])):
        assert "~/.bashrc" in warning
        assert line in warning
    assert len(run.warnings()) == 2
    assert not (machine.home / ".profile").exists()


# --- What is left alone --------------------------------------------------------------------------


def test_a_folder_that_is_on_path_needs_no_line(machine: Machine) -> None:
    bin_folder = machine.layout.launcher.parent
    run = install(machine.set(PATH=f"{machine.toolbox.folder}:{bin_folder}"))
    assert set(dotfiles(machine.home)) == {".bashrc"}
    assert LINE not in (machine.home / ".bashrc").read_text()
    run.is_silent_about("to PATH", "your PATH", "In this terminal")


@pytest.mark.parametrize(
    "variable",
    CI_VARIABLES,
)
def test_nothing_is_changed_on_ci(machine: Machine, variable: str) -> None:
    run = install(machine.set(**{variable: "true"}))
    assert dotfiles(machine.home) == {}
    [warning] = path_warnings(run)
    assert "~/.local/bin is not on your PATH" in warning


@pytest.mark.parametrize("value", ["", "false", "0"])
def test_a_variable_of_ci_may_say_no(machine: Machine, value: str) -> None:
    install(machine.set(CI=value, GITHUB_ACTIONS=value, GITHUB_PATH=str(machine.root / "path")))
    assert set(dotfiles(machine.home)) == {".bashrc", ".profile"}


def test_nothing_is_changed_when_told_so(machine: Machine) -> None:
    write_files(machine.home)
    before = dotfiles(machine.home)
    run = install(machine, "--no-modify-path")
    assert dotfiles(machine.home) == before
    assert len(path_warnings(run)) == 1


def test_a_dry_run_says_what_it_would_change(machine: Machine) -> None:
    run = install(machine, "--dry-run")
    assert picture(machine.home) == {}
    run.says("  path  ~/.bashrc and ~/.profile", "  tab   ~/.bashrc\n")


def test_what_is_staged_changes_no_home(machine: Machine) -> None:
    stage = str(machine.root / "stage")
    install(machine, "--destdir", stage).is_silent_about("PATH", "completion")
    install(machine, "--destdir", stage, "--dry-run").is_silent_about("path ", "tab ")
    assert picture(machine.home) == {}


def test_the_home_of_another_user_is_left_alone(machine: Machine) -> None:
    """As under sudo, which may keep HOME."""
    give_away(machine.home)
    run = install(machine, "--prefix", str(machine.root / "prefix"))
    assert picture(machine.home) == {}
    assert len(path_warnings(run)) == 1
    machine.run("uninstall", "--yes", "--prefix", str(machine.root / "prefix")).ok()


@pytest.mark.parametrize("home", [None, "", "relative", "/no/such/home"])
def test_without_a_home_the_line_is_said(machine: Machine, home: str | None) -> None:
    prefix = str(machine.root / "prefix")
    run = install(machine.set(HOME=home), "--prefix", prefix)
    assert f'export PATH="{prefix}/bin:$PATH"' in path_warnings(run)[0]
    machine.run("uninstall", "--yes", "--prefix", prefix).ok()


@pytest.mark.parametrize("name", ["a:colon", "a\nline break"], ids=["colon", "line-break"])
def test_a_folder_that_path_cannot_hold(machine: Machine, name: str) -> None:
    run = install(machine, "--prefix", str(machine.root / name))
    assert dotfiles(machine.home) == {}
    assert "cannot be" in path_warnings(run)[0]
    machine.run("uninstall", "--yes", "--prefix", str(machine.root / name)).ok()


# --- GitHub Actions ------------------------------------------------------------------------------


@pytest.fixture
def job(machine: Machine) -> Path:
    """The file of a job in which later steps look for their PATH."""
    file = machine.root / "github path"
    file.write_text("/from/another/step\n")
    machine.set(CI="true", GITHUB_ACTIONS="true", GITHUB_PATH=str(file))
    return file


def test_a_job_of_github_actions_is_set_up(machine: Machine, job: Path) -> None:
    run = install(machine)
    run.says("Added ~/.local/bin to PATH for the next steps", "In this step: export PATH=")
    bin_folder = machine.layout.launcher.parent
    assert job.read_text() == f"/from/another/step\n{bin_folder}\n"
    assert dotfiles(machine.home) == {}
    assert path_warnings(run) == []
    install(machine)
    assert job.read_text() == f"/from/another/step\n{bin_folder}\n"


def test_an_unended_line_of_another_step_is_ended(machine: Machine, job: Path) -> None:
    job.write_text("/from/another/step")
    install(machine)
    assert job.read_text() == f"/from/another/step\n{machine.layout.launcher.parent}\n"


@pytest.mark.parametrize("option", ["--no-modify-path", "--dry-run", "--destdir=stage"])
def test_a_job_that_is_left_alone(machine: Machine, job: Path, option: str) -> None:
    install(machine, option.replace("stage", str(machine.root / "stage")))
    assert job.read_text() == "/from/another/step\n"


@pytest.mark.parametrize("kind", ["absent", "folder", "pipe"])
def test_a_job_whose_file_cannot_be_written(machine: Machine, job: Path, kind: str) -> None:
    job.unlink()
    if kind == "folder":
        job.mkdir()
    elif kind == "pipe":
        os.mkfifo(job)
    [warning] = path_warnings(install(machine))
    assert "GITHUB_PATH" in warning
    assert job.exists() is (kind != "absent")


# --- Links, and what is in the way ---------------------------------------------------------------


@pytest.mark.parametrize("target", ["dotfiles/bashrc", "{home}/dotfiles/bashrc"])
def test_a_link_inside_the_home_is_followed_and_kept(machine: Machine, target: str) -> None:
    folder = machine.home / "dotfiles"
    folder.mkdir()
    (folder / "bashrc").write_text("# mine")
    (machine.home / ".bashrc").symlink_to("second-link")
    (machine.home / "second-link").symlink_to(target.format(home=machine.home))
    before = dotfiles(machine.home)
    install(machine)
    assert (folder / "bashrc").read_text() == with_lines(".bashrc", "# mine")
    assert os.readlink(machine.home / ".bashrc") == "second-link"
    machine.run("uninstall", "--yes").ok()
    assert dotfiles(machine.home) == before


def test_a_folder_that_is_a_link_inside_the_home_is_followed(machine: Machine) -> None:
    folder = machine.home / "dotfiles" / "fish"
    folder.mkdir(parents=True)
    (folder / "config.fish").write_text("")
    (machine.home / ".config").symlink_to("dotfiles")
    before = dotfiles(machine.home)
    install(machine)
    assert (folder / "conf.d" / "wasp.fish").read_text() == with_lines("wasp.fish")
    machine.run("uninstall", "--yes").ok()
    assert dotfiles(machine.home) == before


def test_a_home_that_is_a_link_is_a_home(machine: Machine) -> None:
    link = machine.root / "link-to-home"
    link.symlink_to(machine.home)
    install(machine.set(HOME=str(link)))
    assert set(dotfiles(machine.home)) == {".bashrc", ".profile"}
    machine.run("uninstall", "--yes").ok()
    assert dotfiles(machine.home) == {}


def _link_outside(machine: Machine) -> None:
    outside = machine.root / "outside"
    outside.write_text("# outside\n")
    (machine.home / ".bashrc").symlink_to(outside)


def _link_through_outside(machine: Machine) -> None:
    outside = machine.root / "outside-folder"
    outside.mkdir()
    (outside / "bashrc").write_text("# outside\n")
    (machine.home / "folder").symlink_to(outside)
    (machine.home / ".bashrc").symlink_to("folder/bashrc")


def _link_to_nowhere(machine: Machine) -> None:
    (machine.home / ".bashrc").symlink_to("not-there")


def _link_to_itself(machine: Machine) -> None:
    (machine.home / ".bashrc").symlink_to(".bashrc")


def _folder(machine: Machine) -> None:
    (machine.home / ".bashrc").mkdir()


def _pipe(machine: Machine) -> None:
    os.mkfifo(machine.home / ".bashrc")


def _read_only(machine: Machine) -> None:
    machine.wrapper = without_privileges()
    (machine.home / ".bashrc").write_text("# mine\n")
    (machine.home / ".bashrc").chmod(0o444)


def _strangers(machine: Machine) -> None:
    machine.wrapper = without_privileges()
    (machine.home / ".bashrc").write_text("# mine\n")
    (machine.home / ".bashrc").chmod(0o666)
    need_root("a file of another user")
    os.chown(machine.home / ".bashrc", STRANGER, STRANGER)


OBSTACLES: dict[str, tuple[Callable[[Machine], None], str]] = {
    "link-outside": (_link_outside, "is outside your home folder"),
    "link-through-outside": (_link_through_outside, "is outside your home folder"),
    "link-to-nowhere": (_link_to_nowhere, "is a link that leads nowhere"),
    "link-to-itself": (_link_to_itself, "is a link that leads nowhere"),
    "folder": (_folder, "is not a file"),
    "pipe": (_pipe, "is not a file"),
    "read-only": (_read_only, "cannot be written to"),
    "strangers": (_strangers, "cannot be written to"),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_must_not_be_written_is_left_and_the_line_said(
    machine: Machine, obstacle: str
) -> None:
    put, words = OBSTACLES[obstacle]
    put(machine)
    before = picture(machine.root)
    run = install(machine)
    [warning] = path_warnings(run)
    assert warning.startswith(f"~/.bashrc {words}, so it was left as it is.")
    assert warning.endswith(f"\n{LINE}")
    run.says("Added ~/.local/bin to PATH in ~/.profile.")
    machine.run("uninstall", "--yes").ok()
    after = picture(machine.root)
    del after["wasp.tgz"]
    assert {name: entry for name, entry in after.items() if "home/.local" not in name} == before


@pytest.mark.parametrize("variable", ["ZDOTDIR", "XDG_CONFIG_HOME"])
def test_a_folder_outside_the_home_is_left_alone(machine: Machine, variable: str) -> None:
    outside = machine.root / "settings"
    outside.mkdir()
    shell = "zsh" if variable == "ZDOTDIR" else "fish"
    run = install(machine.set(SHELL=f"/bin/{shell}", **{variable: str(outside)}))
    [warning] = path_warnings(run)
    assert "is outside your home folder" in warning
    assert list(outside.iterdir()) == []


def test_a_line_that_a_person_added_by_hand_is_enough(machine: Machine) -> None:
    """Where this installer must not write, it finds what it asked for."""
    _link_outside(machine)
    with (machine.home / ".bashrc").open("a") as file:
        file.write(f"{LINE}\n")
    assert path_warnings(install(machine)) == []


def test_a_home_that_cannot_be_written_to(machine: Machine) -> None:
    machine.wrapper = without_privileges()
    (machine.home / ".local").mkdir()
    machine.home.chmod(0o555)
    run = install(machine)
    machine.home.chmod(0o755)
    assert len(path_warnings(run)) == 2
    assert dotfiles(machine.home) == {}


# --- The report ----------------------------------------------------------------------------------


def test_json_says_what_path_has_now(machine: Machine) -> None:
    run = install(machine)
    assert run.json["on_path"] is False
    assert path_warnings(run) == []


def test_quiet_is_quiet(machine: Machine) -> None:
    run = install(machine, "--quiet")
    assert run.stderr == ""
    assert set(dotfiles(machine.home)) == {".bashrc", ".profile"}


def test_installs_at_once_add_one_line(machine: Machine) -> None:
    (machine.home / ".bashrc").write_text("# mine\n")
    machine.layout.plant("0.25.0")
    runs = [machine.start("install", "--version", "0.25.0") for _ in range(6)]
    assert [run.result().code for run in runs] == [0] * 6
    assert (machine.home / ".bashrc").read_text() == with_lines(".bashrc", "# mine\n")
    assert (machine.home / ".profile").read_text() == with_lines(".profile")


def test_the_line_is_as_shells_have_it(machine: Machine) -> None:
    """Every shell of this machine can read it, also under the strictest of options."""
    install(machine)
    for shell in ("dash", "bash", "zsh", "mksh", "yash", "ksh93"):
        script = 'set -eu; . "$HOME/.profile"; . "$HOME/.profile"; printf %s "$PATH"'
        done = subprocess.run(
            [real_tool(shell), "-c", script],
            env={"HOME": str(machine.home), "PATH": "/usr/bin", **_marked(machine)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"{machine.layout.prefix}/bin:/usr/bin"
        assert done.stderr == ""


def _marked(machine: Machine) -> dict[str, str]:
    names = ("WASP_TELEMETRY_DISABLE", "WASP_TELEMETRY_URL", "WASP_NEWS_SERVER_URL")
    return {name: machine.environment[name] for name in names}
