"""Single functions of the sh program, where a whole command seldom gets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest
from assemble import INSTALLED

from tests.support.frontends import REPOSITORY
from tests.support.functions import call_functions
from tests.support.machines import Machine, MachineRoom
from tests.support.skips import need_root
from tests.support.toolboxes import real_tool

# --- Helper programs: what counts as an answer, and how long they may take -----------------------

#: What a helper does, and what it has answered then.
HELPERS = {
    "echo said": "said",
    "echo said >&2": "",
    "echo said; exit 1": "",
    "exec sleep 3": "",
    "sleep 2; echo late": "",
    "trap '' TERM; while :; do sleep 0.1; done": "",
}


@pytest.mark.parametrize("limiter", ["timeout", "perl"])
def test_what_a_helper_answers_in_time(machine: Machine, limiter: str) -> None:
    """By timeout or by perl, of which macOS has the latter."""
    machine.toolbox.remove("timeout").link(limiter)
    calls = [f'HELPER_LIMIT_S=1\nask sh -c "{helper}" || :' for helper in HELPERS]
    told = call_functions(machine, calls, together=True)
    assert dict(zip(HELPERS, told)) == HELPERS


def test_without_either_a_helper_has_all_the_time(machine: Machine) -> None:
    machine.toolbox.remove("timeout")
    assert call_functions(machine, ["HELPER_LIMIT_S=1\nask sh -c 'sleep 2; echo late'"]) == ["late"]


# --- Files that are installed beside Wasp --------------------------------------------------------

WRITE = """
wasp_root=/opt/wasp
{before}
mkdir '{folder}' '{folder}/completions'
(write_installed '{folder}') >/dev/null 2>&1
echo $?
"""


@pytest.mark.parametrize("awk", ["awk", "busybox"])
def test_a_file_that_is_not_written_whole_is_an_error(
    machines: MachineRoom, tmp_path: Path, awk: str
) -> None:
    """As on a full disk, of which the awk of busybox says nothing."""
    # Shells count the limit in units of their own; this one in blocks of 512 bytes.
    machine = machines.build("dash")
    machine.toolbox.script("awk", f'exec {real_tool(awk)} {"awk" * (awk == "busybox")} "$@"')
    limits = {"whole": "", "cut": "trap '' XFSZ\nulimit -f 8"}
    calls = [WRITE.format(before=limits[name], folder=tmp_path / name) for name in limits]
    assert call_functions(machine, calls) == ["0", "7"]
    for name in ("telemetry_ping.py", "project_version.sh"):
        written = (tmp_path / "whole" / name).read_bytes()
        assert written == (REPOSITORY / INSTALLED[name]).read_bytes()


# --- The end of an edit of a start-up file: what comes in its place, and how ---------------------

OLD = "mine\n"
NEW = "mine\nours # added by the Wasp installer\n"
THEIRS = "mine\nof another program meanwhile\n"


class End(NamedTuple):
    """What is in the file by then and how, and what it has in the end."""

    found: str = OLD
    is_linked: bool = False
    functions: str = ""
    wanted: str = NEW
    left: str = NEW
    code: int = 0


OF_ANOTHER = "of an owner that a copy would not have"
NO_ROOM = 'overwrite() { cat "$1" >"$real"; case $1 in */new) return 1 ;; esac; }'
ENDS = {
    "as it was": End(),
    "changed meanwhile": End(THEIRS, left=THEIRS, code=1),
    "with another name": End(is_linked=True),
    "with another name, changed meanwhile": End(THEIRS, is_linked=True, left=THEIRS, code=1),
    OF_ANOTHER: End(functions='owner_of() { echo "$1"; }'),
    "with another name, and no room": End(is_linked=True, functions=NO_ROOM, left=OLD, code=1),
    "whose own lines would be lost": End(wanted=NEW.removeprefix(OLD), left=OLD, code=1),
}


@pytest.mark.parametrize("kind", ENDS)
def test_what_comes_in_the_place_of_a_file(machine: Machine, tmp_path: Path, kind: str) -> None:
    end = ENDS[kind]
    folder = tmp_path / "folder"
    folder.mkdir()
    file = folder / "file"
    file.write_text(end.found)
    if end.is_linked:
        os.link(file, folder / "other")
    if kind == OF_ANOTHER:
        need_root("a file of another user")
        os.chown(file, 65534, -1)
    before = file.stat().st_ino
    call = f"""
    {end.functions}
    printf '{OLD}' >"$work/old"
    printf '{end.wanted}' >"$work/new"
    real='{file}' edited_file='{file}' real_home='{folder}' keeps_empty=false owner_name=here-1
    finish_edit
    echo $?
    """
    assert call_functions(machine, [call]) == [str(end.code)]
    assert file.read_text() == end.left
    assert (file.stat().st_ino != before) == (kind == "as it was")
    assert not end.is_linked or (folder / "other").read_text() == end.left
    assert not list(folder.glob(".wasp-*"))


def test_what_is_written_over_a_file_is_all_that_it_has(machine: Machine, tmp_path: Path) -> None:
    """Also where that is less; the file itself stays."""
    texts = ("", "short", "longer than what is there")
    calls = []
    for number, text in enumerate(texts):
        (tmp_path / f"{number}").write_text("what is there")
        call = (
            f"real='{tmp_path}/{number}'\nprintf '{text}' >\"$work/new\"\noverwrite \"$work/new\""
        )
        calls.append(f"{call} 2>/dev/null")
    call_functions(machine, calls)
    assert [(tmp_path / f"{number}").read_text() for number in range(len(texts))] == [*texts]


# --- Versions on disk: which are whole, which stay -----------------------------------------------


@pytest.fixture
def share(machine: Machine) -> Path:
    """The folder of all versions."""
    folder = machine.root / "share"
    folder.mkdir()
    return folder


WHOLE = '{"version": "0.25.0", "source": "npm"}\n'


def put(folder: Path, word: str, receipt: str = WHOLE) -> None:
    """A version in its folder, whose binary has this word."""
    folder.mkdir(parents=True)
    (folder / "wasp-bin").write_text(word)
    (folder / "wasp-bin").chmod(0o644 if receipt == NO_PROGRAM else 0o755)
    if receipt:
        (folder / ".receipt.json").write_text(WHOLE if receipt == NO_PROGRAM else receipt)


NO_PROGRAM = "whole, and still no program"
A_LINK = "a link"
#: The receipt of what is there, whether --force was given, and which of the two then is.
PLACES = {
    (WHOLE, "false"): "old",
    (WHOLE, "true"): "new",
    (WHOLE[:-1], "false"): "old",
    (WHOLE[:-2], "false"): "new",
    (WHOLE[:-12], "false"): "new",
    (WHOLE[1:], "false"): "new",
    (WHOLE.replace("0.25.0", "0.25.1"), "false"): "new",
    ("", "false"): "new",
    (NO_PROGRAM, "false"): "new",
    (A_LINK, "false"): "new",
}


def test_a_version_that_another_run_has_put_there_is_kept(machine: Machine, share: Path) -> None:
    """Not one whose receipt was cut."""
    calls = []
    for number, (receipt, force) in enumerate(PLACES):
        folder = share / str(number)
        put(folder / "staging" / "new", "new")
        if receipt == A_LINK:
            (folder / "0.25.0").symlink_to("nowhere")
        else:
            put(folder / "0.25.0", "old", receipt)
        calls.append(
            f"share_dir='{folder}' staging='{folder}/staging' version=0.25.0 force={force}\n"
            f"place_version && cat '{folder}/0.25.0/wasp-bin'"
        )
    assert call_functions(machine, calls) == list(PLACES.values())


#: What has the place of a version that was moved aside, whether this run has put it there, and what
#: is there when the rest was discarded.
ASIDE = {
    ("", "false"): "aside",
    ("", "true"): "none",
    ("new", "false"): "new",
    ("new", "true"): "new",
}


def test_a_version_that_was_moved_aside_comes_back(machine: Machine, share: Path) -> None:
    calls = []
    for number, (there, committed) in enumerate(ASIDE):
        folder = share / str(number)
        put(folder / "staging" / "replaced" / "0.25.0", "aside")
        if there:
            put(folder / "0.25.0", there)
        calls.append(
            f"share_dir='{folder}' committed={committed}\ndiscard '{folder}/staging'\n"
            f"cat '{folder}/0.25.0/wasp-bin' 2>/dev/null || echo none"
        )
    assert call_functions(machine, calls) == list(ASIDE.values())
    assert not list(share.rglob("staging"))


def test_what_is_no_longer_whole_is_not_put_back_by_the_next_run(
    machine: Machine, share: Path
) -> None:
    """Removing it was cut short, here since nothing can be removed."""
    put(share / "staging" / "replaced" / "0.25.0", "aside")
    call = f"share_dir='{share}' committed=true\nremove_tree() {{ :; }}\ndiscard '{share}/staging'"
    call_functions(machine, [call])
    assert [path.name for path in (share / "staging").iterdir()] == ["discarded"]


#: What is at the new name, whether the rename is done, and what is there then.
RENAMES: dict[tuple[str, ...], tuple[str, list[str]]] = {
    (): ("0", ["a"]),
    ("other",): ("1", []),
    ("other", "other/b"): ("1", ["b"]),
}


@pytest.mark.parametrize("there", RENAMES)
def test_a_folder_is_never_moved_into_another(
    machine: Machine, share: Path, there: tuple[str, ...]
) -> None:
    """As the mv of BSD does, which has no -T."""
    refuse = '[ "$1" != -T ] || { echo "mv: illegal option" >&2; exit 64; }'
    machine.toolbox.script("mv", f'{refuse}\nexec {real_tool("mv")} "$@"')
    for name in ("one", "one/a", *there):
        (share / name).mkdir()
    call = f"rename_folder '{share}/one' '{share}/other'\necho $?"
    code, names = RENAMES[there]
    assert call_functions(machine, [call]) == [code]
    assert [path.name for path in (share / "other").iterdir()] == names
