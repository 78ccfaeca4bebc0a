"""Which start-up files get the line, and what they hold then and afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from telemetry_ping import CI_VARIABLES, context_of
from tests.manager.homes import (
    FISH_FILE,
    MARK,
    VERSION,
    dotfiles,
    line_for,
    path_warnings,
    set_up,
    uninstall,
    with_line,
    write,
)
from tests.support.filesystems import give_away
from tests.support.functions import call_functions
from tests.support.machines import Machine, Run
from tests.support.trees import picture

MINE = b"# mine\n"


@pytest.fixture
def machine(shell_machine: Machine) -> Machine:
    return shell_machine


# --- Which files ---------------------------------------------------------------------------------

FILES = {
    # SHELL, what is there, and what has the line then.
    "bash": ("bash", [], [".bashrc", ".profile"]),
    "bash-profile": ("bash", [".profile"], [".bashrc", ".profile"]),
    "bash-login": ("bash", [".bash_login", ".profile"], [".bashrc", ".bash_login", ".profile"]),
    "bash-bash_profile": ("bash", [".bash_profile", ".bash_login"], [".bashrc", ".bash_profile"]),
    "zsh": ("zsh", [], [".zshrc"]),
    "zsh-others": ("zsh", [".profile", ".bashrc"], [".zshrc", ".profile", ".bashrc"]),
    "zsh-zshenv": ("zsh", [".zshenv"], [".zshrc"]),
    "sh": ("sh", [], [".profile"]),
    "dash": ("dash", [".zshrc", ".mkshrc"], [".profile", ".zshrc", ".mkshrc"]),
    "none": ("", [".bashrc"], [".profile", ".bashrc"]),
    "mksh": ("mksh", [], [".profile", ".mkshrc"]),
    "ksh": ("ksh93", [], [".profile", ".kshrc"]),
    "yash": ("yash", [], [".yashrc", ".yash_profile"]),
    "fish": ("fish", [], [FISH_FILE]),
    "fish-login": ("fish", [".config/fish/config.fish", ".bash_login"], [FISH_FILE, ".bash_login"]),
    "bash-fish": ("bash", [".config/fish/config.fish"], [".bashrc", ".profile", FISH_FILE]),
    "nu": ("nu", [".bashrc"], [".bashrc"]),
}


@pytest.mark.parametrize("case", FILES)
def test_the_own_shell_is_set_up_and_those_whose_files_are_there(
    machine: Machine, case: str
) -> None:
    shell, there, changed = FILES[case]
    write(machine.home, dict.fromkeys(there, MINE))
    before = dotfiles(machine.home)
    machine.set(SHELL=f"/some/bin/{shell}" if shell else "")
    planned = [f"~/{name}" for name in changed]
    if case in ("bash-login", "zsh-others", "fish-login", "nu"):
        planned = machine.run("check", "--dry-run", "--porcelain").ok().json["startup"]
        assert dotfiles(machine.home) == before
    run = set_up(machine).says(*(f"~/{name}" for name in changed))
    for name in changed:
        assert (machine.home / name).read_bytes() == with_line(
            name, MINE if name in there else None
        )
        assert f"~/{name}" in planned
    after = dotfiles(machine.home)
    assert {name for name, entry in after.items() if entry.kind == "file"} == {*there, *changed}
    assert len(path_warnings(run)) == (shell == "nu")
    if case in ("bash", "fish"):
        # Once is enough.
        set_up(machine).is_silent_about("Added")
        assert dotfiles(machine.home) == after
    uninstall(machine).says("Removed Wasp from", *(f"~/{name}" for name in changed))
    assert dotfiles(machine.home) == before


def test_where_the_folder_is_on_path_only_completion_needs_a_line(machine: Machine) -> None:
    write(machine.home, dict.fromkeys((".profile", ".zshrc", ".kshrc", ".bash_login"), MINE))
    machine.set(PATH=f"{machine.toolbox.folder}:{machine.layout.launcher.parent}")
    run = set_up(machine).says("tab completion for new terminals in ~/.bashrc, ~/.zshrc.")
    assert path_warnings(run) == []
    for name in (".profile", ".kshrc", ".bash_login"):
        assert (machine.home / name).read_bytes() == MINE
    assert (machine.home / ".zshrc").read_bytes() == with_line(".zshrc", MINE)


FOLDERS = {
    # Variables, the file, and what its line is for.
    "zdotdir": ({"SHELL": "/bin/zsh", "ZDOTDIR": "{home}/my zsh"}, "my zsh/.zshrc"),
    "config": (
        {"SHELL": "/bin/fish", "XDG_CONFIG_HOME": "{home}/set"},
        "set/fish/conf.d/wasp.fish",
    ),
    # https://specifications.freedesktop.org/basedir-spec: a relative name is to be ignored.
    "relative": ({"SHELL": "/bin/fish", "XDG_CONFIG_HOME": "set"}, FISH_FILE),
    "relative, zsh": ({"SHELL": "/bin/zsh", "ZDOTDIR": "set"}, ".zshrc"),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_the_folders_that_variables_name_count(machine: Machine, case: str) -> None:
    variables, file = FOLDERS[case]
    machine.set(**{name: value.format(home=machine.home) for name, value in variables.items()})
    set_up(machine)
    assert (machine.home / file).read_bytes() == with_line(file, None)
    files = {name for name, entry in dotfiles(machine.home).items() if entry.kind == "file"}
    assert files == {file}
    uninstall(machine)
    assert dotfiles(machine.home) == {}


@pytest.mark.parametrize("name", ["nu", "tcsh", "elvish", "xonsh", "pwsh"])
def test_a_shell_that_it_cannot_write_for_is_named(machine: Machine, name: str) -> None:
    """And nothing is said in another shell's language."""
    write(machine.home, {".bashrc": MINE})
    run = set_up(machine.set(SHELL=f"/usr/bin/{name}"))
    [warning] = path_warnings(run)
    assert f"in {name}" in warning
    assert "export" not in run.stderr


# --- What becomes of them ------------------------------------------------------------------------

CONTENTS = {
    "usual": b"# mine\nexport A=1\n",
    "unended": b"# mine\nexport A=1",
    "empty": b"",
    "one-line-break": b"\n",
    "blank-lines": b"\n\n# mine\n\n\n",
    "backslash": b"export A=1 \\\n",
    "unended-backslash": b"export A=1 \\",
    "carriage-returns": b"# mine\r\nexport A=1\r\n",
    "no-text": b"# \xff\xfe\x80\n# nul \x00 here\n\x00",
    "own-line": b'export PATH="$HOME/.local/bin:$PATH"\n',
    "like-ours": f"# {line_for('')} {MARK}\n{line_for('')} {MARK} \n".encode(),
    "of-another": f". /opt/share/wasp-lang/env.sh {MARK}\n".encode(),
}


@pytest.mark.parametrize("first", range(0, len(CONTENTS), 4))
def test_a_file_is_as_it_was_afterwards(machine: Machine, first: int) -> None:
    """Each kind of content, in one file or another."""
    names = (".bashrc", ".profile", ".zshrc", FISH_FILE, ".kshrc", ".mkshrc", ".yashrc")
    chosen = {name: [*CONTENTS, *CONTENTS][first + number] for number, name in enumerate(names)}
    write(machine.home, {name: CONTENTS[content] for name, content in chosen.items()})
    before = dotfiles(machine.home)
    set_up(machine.with_umask(0o077))
    for name, content in chosen.items():
        assert (machine.home / name).read_bytes() == with_line(name, CONTENTS[content]), content
    uninstall(machine)
    assert dotfiles(machine.home) == before


#: What earlier versions of this installer have put there.
SCRIPTS = "$HOME/.local/share/wasp-lang/completions"
BIN = "$HOME/.local/bin"
OLD_PATH_LINE = f'case ":${{PATH}}:" in *:"{BIN}":*) ;; *) export PATH="{BIN}:$PATH" ;; esac'
OLD_BASH_LINE = (
    f'[ -z "${{BASH_VERSION-}}" ] || [ ! -r "{SCRIPTS}/wasp.bash" ] || . "{SCRIPTS}/wasp.bash"'
)
OLD_FISH_LINE = f'contains -- "{BIN}" $PATH; or set -gx PATH "{BIN}" $PATH'
OLD_FISH_TAB_LINE = f'test -r "{SCRIPTS}/wasp.fish"; and source "{SCRIPTS}/wasp.fish"'
OLD_LINES = {
    ".bashrc": (OLD_PATH_LINE, OLD_BASH_LINE),
    FISH_FILE: (OLD_FISH_LINE, OLD_FISH_TAB_LINE),
}


@pytest.mark.parametrize("first", ["use", "uninstall"])
def test_old_lines_give_way(machine: Machine, first: str) -> None:
    for name, lines in OLD_LINES.items():
        one, other = (f"{line} {MARK}\n".encode() for line in lines)
        write(machine.home, {name: MINE + one + b"# between\n" + other + b"# behind\n"})
    if first == "use":
        set_up(machine)
        for name in OLD_LINES:
            mine = b"# mine\n# between\n# behind\n"
            assert (machine.home / name).read_bytes() == with_line(name, mine)
    uninstall(machine)
    for name in OLD_LINES:
        assert (machine.home / name).read_bytes() == b"# mine\n# between\n# behind\n"


def test_what_was_written_behind_the_line_stays(machine: Machine) -> None:
    write(machine.home, {".bashrc": b"# before"})
    set_up(machine)
    for name in (".bashrc", ".profile"):
        with (machine.home / name).open("a") as file:
            file.write("# after")
    uninstall(machine)
    assert (machine.home / ".bashrc").read_text() == "# before\n# after"
    assert (machine.home / ".profile").read_text() == "# after"


def test_two_prefixes_have_a_line_each(machine: Machine) -> None:
    set_up(machine)
    alone = dotfiles(machine.home)
    other = machine.root / "other"
    machine.run("migrate-to-npm", "--prefix", str(other)).ok()
    assert dotfiles(machine.home) == alone
    shutil.copytree(machine.layout.share / VERSION, other / "share" / "wasp-lang" / VERSION)
    machine.run("use", VERSION, "--prefix", str(other), "--force").ok()
    assert f'. "{other}/share/wasp-lang/env.sh"' in (machine.home / ".bashrc").read_text()
    uninstall(machine, "--prefix", str(other))
    assert dotfiles(machine.home) == alone


# --- Taking it back ------------------------------------------------------------------------------

REMOVALS: dict[str, Callable[[Machine], Run]] = {
    "uninstall": uninstall,
    "last-version": lambda machine: machine.run("uninstall", VERSION),
    "migrate-to-npm": lambda machine: machine.run("migrate-to-npm"),
}


@pytest.mark.parametrize("removal", REMOVALS)
def test_every_removal_takes_the_lines_along(machine: Machine, removal: str) -> None:
    write(machine.home, {".bashrc": b"# mine"})
    before = dotfiles(machine.home)
    set_up(machine)
    REMOVALS[removal](machine).ok().says("Removed Wasp from ~/.bashrc, ~/.profile")
    assert dotfiles(machine.home) == before


@pytest.mark.parametrize("command", ["uninstall", "migrate-to-npm"])
def test_a_removal_may_leave_the_lines(machine: Machine, command: str) -> None:
    set_up(machine)
    before = dotfiles(machine.home)
    machine.run(command, "--yes", "--no-modify-path").ok().is_silent_about("Took")
    assert dotfiles(machine.home) == before


# --- Where nothing is changed --------------------------------------------------------------------


CI_SAYS = [({name: "true"}, True) for name in CI_VARIABLES] + [
    *(
        ({"CI": value}, value not in ("", "0", "false", "False"))
        for value in ("", "0", "false", "1")
    ),
    ({"TRAVIS": "False", "GITHUB_ACTIONS": "0", "BUILD": "1"}, False),
]


def test_what_is_continuous_integration(every_shell_machine: Machine) -> None:
    """As in the rule of the ping, telemetry_ping.context_of."""
    calls = [
        "\n".join(
            [*(f"{name}={value}" for name, value in variables.items()), "is_on_ci && echo yes"]
        )
        for variables, _ in CI_SAYS
    ]
    told = [answer == "yes" for answer in call_functions(every_shell_machine, calls)]
    assert told == [is_ci for _, is_ci in CI_SAYS]
    assert told == [context_of(variables) == "CI" for variables, _ in CI_SAYS]


def test_nothing_is_changed_on_ci(machine: Machine) -> None:
    run = set_up(machine.set(CI="true"))
    assert dotfiles(machine.home) == {}
    [warning] = path_warnings(run)
    assert "~/.local/bin is not on your PATH" in warning
    assert 'export PATH="$HOME/.local/bin:$PATH"' in warning


def test_a_variable_of_ci_may_say_no(machine: Machine) -> None:
    job = machine.root / "path"
    job.write_text("")
    set_up(machine.set(CI="False", GITHUB_ACTIONS="0", GITHUB_PATH=str(job)))
    assert set(dotfiles(machine.home)) == {".bashrc", ".profile"}
    assert job.read_text() == ""


def test_nothing_is_changed_when_told_so(machine: Machine) -> None:
    write(machine.home, dict.fromkeys((".bashrc", ".zshrc", FISH_FILE), MINE))
    before = dotfiles(machine.home)
    assert len(path_warnings(set_up(machine, "--no-modify-path"))) == 1
    assert dotfiles(machine.home) == before


def test_the_home_of_another_user_is_left_alone(machine: Machine) -> None:
    """As under sudo, which may keep HOME."""
    prefix = machine.root / "prefix"
    machine.layout.plant(VERSION)
    machine.layout.share.parent.parent.rename(prefix)
    give_away(machine.home)
    run = machine.run("use", VERSION, "--porcelain", "--prefix", str(prefix)).ok()
    assert len(path_warnings(run)) == 1
    uninstall(machine, "--prefix", str(prefix))
    assert picture(machine.home) == {}


@pytest.mark.parametrize("home", [None, "", "relative", "/no/such/home"])
def test_without_a_home_the_line_is_said(machine: Machine, home: str | None) -> None:
    prefix = str(machine.layout.prefix)
    run = set_up(machine.set(HOME=home), "--prefix", prefix)
    assert f'export PATH="{prefix}/bin:$PATH"' in path_warnings(run)[0]
    uninstall(machine, "--prefix", prefix)
    assert picture(machine.home) == {}


@pytest.mark.parametrize("name", ["a:colon", "a\nline break"], ids=["colon", "line-break"])
def test_a_folder_that_path_cannot_hold(machine: Machine, name: str) -> None:
    prefix = machine.root / name
    machine.layout.plant(VERSION)
    machine.layout.prefix.rename(prefix)
    run = machine.run("use", VERSION, "--porcelain", "--prefix", str(prefix)).ok()
    assert "cannot be" in path_warnings(run)[0]
    uninstall(machine, "--prefix", str(prefix))
    assert picture(machine.home) == {}


def test_quiet_is_quiet(machine: Machine) -> None:
    machine.layout.plant(VERSION)
    assert machine.run("use", VERSION, "--quiet").ok().stderr == ""
    assert set(dotfiles(machine.home)) == {".bashrc", ".profile"}
