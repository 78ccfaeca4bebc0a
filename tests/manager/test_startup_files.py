"""Which start-up files get the line, and what they hold then and afterwards."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from telemetry_ping import CI_VARIABLES, context_of
from tests.manager.homes import (
    FISH_FILE,
    MARK,
    VERSION,
    add_lines,
    dotfiles,
    line_for,
    path_warnings,
    set_up,
    take_lines_out,
    with_line,
    write,
)
from tests.support.filesystems import give_away
from tests.support.functions import call_functions, run_command
from tests.support.machines import Machine

MINE = b"# mine\n"


# --- Which files ---------------------------------------------------------------------------------

FISH_SET_UP = ".config/fish/config.fish"
#: SHELL and other variables, with "+" what is there, and what has the line then.
FILES = {
    "bash": ".bashrc .profile",
    "bash +.profile": ".bashrc .profile",
    "bash +.bash_login +.profile": ".bashrc .bash_login .profile",
    "bash +.bash_profile +.bash_login": ".bashrc .bash_profile",
    # Where the folder is on PATH, only completion needs a line.
    "bash PATH={tools}:{home}/.local/bin +.profile +.zshrc +.kshrc": ".bashrc .zshrc",
    f"bash +{FISH_SET_UP}": f".bashrc .profile {FISH_FILE}",
    "zsh": ".zshrc",
    "zsh +.profile +.bashrc": ".zshrc .profile .bashrc",
    "zsh +.zshenv": ".zshrc",
    "zsh ZDOTDIR={home}/z": "z/.zshrc",
    "sh": ".profile",
    "dash +.zshrc +.mkshrc": ".profile .zshrc .mkshrc",
    " +.bashrc": ".profile .bashrc",
    "mksh": ".profile .mkshrc",
    "ksh93": ".profile .kshrc",
    "yash": ".yashrc .yash_profile",
    "fish": FISH_FILE,
    f"fish +{FISH_SET_UP} +.bash_login": f"{FISH_FILE} .bash_login",
    "fish XDG_CONFIG_HOME={home}/set": "set/fish/conf.d/wasp.fish",
    # https://specifications.freedesktop.org/basedir-spec: a relative name is to be ignored.
    "zsh ZDOTDIR=set": ".zshrc",
    "fish XDG_CONFIG_HOME=set": FISH_FILE,
    # What it cannot write for.
    **{f"{name} +.bashrc": ".bashrc" for name in ("nu", "tcsh", "elvish", "xonsh", "pwsh")},
}


@pytest.mark.parametrize("case", FILES)
def test_the_own_shell_is_set_up_and_those_whose_files_are_there(
    machine: Machine, case: str
) -> None:
    shell, *words = case.format(home=machine.home, tools=machine.toolbox.folder).split(" ")
    there, changed = [word[1:] for word in words if word[0] == "+"], FILES[case].split()
    machine.set(SHELL=f"/some/bin/{shell}" if shell else "")
    machine.set(**dict(word.split("=") for word in words if word[0] != "+"))
    write(machine.home, dict.fromkeys(there, MINE))
    before = dotfiles(machine.home)
    plan = run_command(machine, 'plan_startup_files\nsay "$edited"', "use", VERSION).ok().stderr
    assert sorted(plan.strip().split(", ")) == sorted(f"~/{it}" for it in changed)
    assert dotfiles(machine.home) == before
    run = add_lines(machine).says(*(f"~/{name}" for name in changed))
    for name in {*there, *changed}:
        mine = MINE if name in there else None
        expected = with_line(name, mine) if name in changed else mine
        assert (machine.home / name).read_bytes() == expected
    after = dotfiles(machine.home)
    assert {name for name, entry in after.items() if entry.kind == "file"} == {*there, *changed}
    if changed == [".bashrc"]:
        # And nothing is said in another shell's language.
        [warning] = path_warnings(run)
        assert f"in {shell}" in warning
        assert "export" not in run.stderr
    else:
        assert path_warnings(run) == []
    # Once is enough.
    add_lines(machine).is_silent_about("Added")
    assert dotfiles(machine.home) == after
    told = take_lines_out(machine).says("Removed Wasp from")
    told.says(*(f"~/{name}" for name in changed))
    assert dotfiles(machine.home) == before


# --- What becomes of them ------------------------------------------------------------------------

CONTENTS = (
    *(b"# mine\nexport A=1\n", b"# mine\nexport A=1", b"", b"\n", b"\n\n# mine\n\n\n"),
    *(b"export A=1 \\\n", b"export A=1 \\", b"# mine\r\nexport A=1\r\n", b"if true; then\n`"),
    *(b"# \xff\xfe\x80\n# nul \x00 here\n\x00", b'export PATH="$HOME/.local/bin:$PATH"\n'),
    # Longer than what a tool reads at once.
    b"\x1b[ cat <<X\n" + b"x" * 70_000 + b"\r",
    # Like ours, and of another prefix.
    f"# {line_for('')} {MARK}\n{line_for('')} {MARK} \n".encode(),
    f". /opt/share/wasp-lang/env.sh {MARK}\n".encode(),
)


@pytest.mark.parametrize("first", [0, 7])
def test_a_file_is_as_it_was_afterwards(machine: Machine, first: int) -> None:
    """Each kind of content, in one file or another."""
    names = (".bashrc", ".profile", ".zshrc", FISH_FILE, ".kshrc", ".mkshrc", ".yashrc")
    mine = dict(zip(names, CONTENTS[first:]))
    assert len(mine) == len(names)
    write(machine.home, mine)
    before = dotfiles(machine.home)
    add_lines(machine.with_umask(0o077))
    for name, content in mine.items():
        assert (machine.home / name).read_bytes() == with_line(name, content), content[:99]
    take_lines_out(machine)
    assert dotfiles(machine.home) == before


#: What earlier versions of this installer have put there.
SCRIPTS = "$HOME/.local/share/wasp-lang/completions"
BIN = "$HOME/.local/bin"
OLD_LINES = {
    ".bashrc": (
        f'case ":${{PATH}}:" in *:"{BIN}":*) ;; *) export PATH="{BIN}:$PATH" ;; esac',
        f'[ -z "${{BASH_VERSION-}}" ] || [ ! -r "{SCRIPTS}/wasp.bash" ] || . "{SCRIPTS}/wasp.bash"',
    ),
    FISH_FILE: (
        f'contains -- "{BIN}" $PATH; or set -gx PATH "{BIN}" $PATH',
        f'test -r "{SCRIPTS}/wasp.fish"; and source "{SCRIPTS}/wasp.fish"',
    ),
}


@pytest.mark.parametrize("is_added", [True, False])
def test_old_lines_give_way(machine: Machine, is_added: bool) -> None:
    mine = b"# mine\n# between\n# behind\n"
    for name, lines in OLD_LINES.items():
        one, other = (f"{line} {MARK}\n".encode() for line in lines)
        write(machine.home, {name: MINE + one + b"# between\n" + other + b"# behind\n"})
    if is_added:
        add_lines(machine)
        for name in OLD_LINES:
            assert (machine.home / name).read_bytes() == with_line(name, mine)
    take_lines_out(machine)
    for name in OLD_LINES:
        assert (machine.home / name).read_bytes() == mine


def test_what_was_written_behind_the_line_stays(machine: Machine) -> None:
    write(machine.home, {".bashrc": b"# before"})
    add_lines(machine)
    for name in (".bashrc", ".profile"):
        with (machine.home / name).open("a") as file:
            file.write("# after")
    take_lines_out(machine)
    assert (machine.home / ".bashrc").read_text() == "# before\n# after"
    assert (machine.home / ".profile").read_text() == "# after"


def test_two_prefixes_have_a_line_each(machine: Machine) -> None:
    add_lines(machine)
    alone = dotfiles(machine.home)
    other = machine.root / "other"
    take_lines_out(machine, "--prefix", str(other))
    assert dotfiles(machine.home) == alone
    add_lines(machine, "--prefix", str(other))
    assert f'. "{other}/share/wasp-lang/env.sh"' in (machine.home / ".bashrc").read_text()
    take_lines_out(machine, "--prefix", str(other))
    assert dotfiles(machine.home) == alone


@pytest.mark.parametrize("removal", ["uninstall", f"uninstall {VERSION}", "migrate-to-npm"])
def test_every_removal_takes_the_lines_along_unless_told_otherwise(
    machine: Machine, removal: str
) -> None:
    write(machine.home, {".bashrc": b"# mine"})
    before = dotfiles(machine.home)
    assert set_up(machine, "--quiet").stderr == ""
    after = dotfiles(machine.home)
    assert set(after) == {".bashrc", ".profile"}
    machine.run(*removal.split(), "--no-modify-path").ok().is_silent_about("from ~/.bashrc")
    assert dotfiles(machine.home) == after
    set_up(machine, "--force")
    machine.run(*removal.split()).ok().says("Removed Wasp from ~/.bashrc, ~/.profile")
    assert dotfiles(machine.home) == before
    assert machine.layout.prefix.exists() == (removal == "migrate-to-npm")


# --- Where nothing is changed --------------------------------------------------------------------

CI_SAYS = (
    *({name: "true"} for name in CI_VARIABLES),
    *({"CI": value} for value in ("", "0", "false", "1")),
    {"TRAVIS": "False", "GITHUB_ACTIONS": "0", "BUILD": "1"},
)


def test_what_is_continuous_integration(every_shell_machine: Machine) -> None:
    """As in the rule of the ping, telemetry_ping.context_of."""
    calls = [
        "\n".join(
            [*(f"{name}={value}" for name, value in variables.items()), "is_on_ci && echo CI"]
        )
        for variables in CI_SAYS
    ]
    told = call_functions(every_shell_machine, calls)
    assert told == [context_of(variables) for variables in CI_SAYS]
    assert told == ["CI"] * len(CI_VARIABLES) + ["", "", "", "CI", ""]


ADD_IT = '~/.local/bin is not on your PATH. To add it:\nexport PATH="$HOME/.local/bin:$PATH"'
ADD_PREFIX = 'To add it:\nexport PATH="{prefix}/bin:$PATH"'
OF_ANOTHER = "in the home of another user, as under sudo, which may keep HOME"
UNTOUCHED: dict[str, tuple[dict[str, str | None], str, str]] = {
    # Variables, an option, and what is said.
    "on CI": ({"CI": "true"}, "", ADD_IT),
    "when told so": ({}, "--no-modify-path", ADD_IT),
    OF_ANOTHER: ({}, "", ADD_IT),
    "with a colon": ({}, "--prefix={prefix}:", "cannot be on PATH"),
    "with a line break": ({}, "--prefix={prefix}\n.", "cannot be on PATH"),
    "without a home": ({"HOME": None}, "--prefix={prefix}", ADD_PREFIX),
    "with an empty home": ({"HOME": ""}, "--prefix={prefix}", ADD_PREFIX),
    "with a relative home": ({"HOME": "relative"}, "--prefix={prefix}", ADD_PREFIX),
    "with a missing home": ({"HOME": "/no/such/home"}, "--prefix={prefix}", ADD_PREFIX),
}


@pytest.mark.parametrize("case", UNTOUCHED)
def test_nothing_is_changed_and_the_line_is_said(machine: Machine, case: str) -> None:
    variables, option, said = UNTOUCHED[case]
    write(machine.home, dict.fromkeys((".bashrc", ".zshrc", FISH_FILE), MINE))
    before = dotfiles(machine.home)
    if case == OF_ANOTHER:
        give_away(machine.home)
    machine.set(**variables)
    options = [option.format(prefix=machine.layout.prefix)] if option else []
    [warning] = path_warnings(add_lines(machine, *options))
    assert said.format(prefix=machine.layout.prefix) in warning
    take_lines_out(machine, *options)
    assert dotfiles(machine.home) == before


# --- In a job of GitHub Actions, GITHUB_PATH is for the next steps -------------------------------


@pytest.fixture
def job(machine: Machine) -> Path:
    """The file of a job in which later steps look for their PATH."""
    file = machine.root / "github path"
    file.write_text("/from/another/step\n")
    machine.set(CI="true", GITHUB_ACTIONS="true", GITHUB_PATH=str(file))
    return file


@pytest.mark.parametrize("before", ["", "/from/another/step\n", "/from/another/step"])
def test_a_job_is_set_up(machine: Machine, job: Path, before: str) -> None:
    job.write_text(before)
    run = add_lines(machine)
    run.says("Added ~/.local/bin to PATH for the next steps", "In this step: export PATH=")
    expected = [*before.split(), str(machine.layout.launcher.parent)]
    assert job.read_text().splitlines() == expected
    assert dotfiles(machine.home) == {}
    assert path_warnings(run) == []


def test_a_job_that_is_left_alone(machine: Machine, job: Path) -> None:
    set_up(machine, "--no-modify-path")
    set_up(machine, "--dry-run")
    stage = machine.root / "stage"
    shutil.copytree(machine.home, f"{stage}{machine.home}")
    machine.set(DESTDIR=str(stage)).run("use", VERSION, "--porcelain").ok()
    # A variable of CI may say no.
    add_lines(machine.set(CI="False", GITHUB_ACTIONS="0", DESTDIR=None))
    assert set(dotfiles(machine.home)) == {".bashrc", ".profile"}
    assert job.read_text() == "/from/another/step\n"


@pytest.mark.parametrize("kind", ["absent", "folder", "pipe"])
def test_a_job_whose_file_cannot_be_written(machine: Machine, job: Path, kind: str) -> None:
    job.unlink()
    {"absent": lambda _: None, "folder": os.mkdir, "pipe": os.mkfifo}[kind](job)
    [warning] = path_warnings(add_lines(machine))
    assert "~/.local/bin is not on your PATH" in warning
    assert job.exists() is (kind != "absent")
