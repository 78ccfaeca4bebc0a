"""Versions on disk, asked of the functions of the sh program: which are whole, which stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.functions import call_functions
from tests.support.machines import Machine
from tests.support.toolboxes import real_tool

WHOLE = '{"version": "0.25.0", "source": "npm"}\n'
#: What a receipt of 0.25.0 may be, and whether that is an installed version.
RECEIPTS = {
    WHOLE: True,
    WHOLE[:-1]: True,
    WHOLE[:-2]: False,
    WHOLE[:-12]: False,
    WHOLE[1:]: False,
    WHOLE.replace("0.25.0", "0.25.1"): False,
    "": False,
}


@pytest.fixture
def share(machine: Machine) -> Path:
    """The folder of all versions."""
    folder = machine.root / "share"
    folder.mkdir()
    return folder


def put(folder: Path, word: str, receipt: str | None = WHOLE) -> None:
    """A version in its folder, whose binary has this word."""
    folder.mkdir(parents=True)
    (folder / "wasp-bin").write_text(word)
    (folder / "wasp-bin").chmod(0o755)
    if receipt is not None:
        (folder / ".receipt.json").write_text(receipt)


def test_a_receipt_that_was_cut_is_none(machine: Machine, share: Path) -> None:
    for number, receipt in enumerate(RECEIPTS):
        put(share / str(number) / "0.25.0", "", receipt)
    put(share / "none" / "0.25.0", "", None)
    put(share / "no program" / "0.25.0", "")
    (share / "no program" / "0.25.0" / "wasp-bin").chmod(0o644)
    folders = [*map(str, range(len(RECEIPTS))), "none", "no program"]
    calls = [f"share_dir='{share}/{each}'\nis_installed 0.25.0 && echo yes" for each in folders]
    told = [said == "yes" for said in call_functions(machine, calls)]
    assert told == [*RECEIPTS.values(), False, False]


#: What is there, whether --force was given, and which of the two then is.
PLACES = {
    ("whole", "false"): "old",
    ("whole", "true"): "new",
    ("cut", "false"): "new",
    ("a link", "false"): "new",
    ("", "false"): "new",
}


def test_a_version_that_another_run_has_put_there_is_kept(machine: Machine, share: Path) -> None:
    calls = []
    for number, (there, force) in enumerate(PLACES):
        folder = share / str(number)
        put(folder / "staging" / "new", "new")
        if there == "a link":
            (folder / "0.25.0").symlink_to("nowhere")
        elif there:
            put(folder / "0.25.0", "old", WHOLE if there == "whole" else WHOLE[:-9])
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
RENAMES = {"": ("0", ["a"]), "an empty folder": ("1", []), "a folder": ("1", ["b"])}


@pytest.mark.parametrize("kind", RENAMES)
def test_a_folder_is_never_moved_into_another(machine: Machine, share: Path, kind: str) -> None:
    """As the mv of BSD does, which has no -T."""
    mv = real_tool("mv")
    machine.toolbox.script(
        "mv", f'[ "$1" != -T ] || {{ echo "mv: illegal option" >&2; exit 64; }}\nexec {mv} "$@"'
    )
    (share / "one").mkdir()
    (share / "one" / "a").touch()
    if kind:
        (share / "other").mkdir()
    if kind == "a folder":
        (share / "other" / "b").touch()
    code, names = RENAMES[kind]
    call = f"rename_folder '{share}/one' '{share}/other'\necho $?"
    assert call_functions(machine, [call]) == [code]
    assert [path.name for path in (share / "other").iterdir()] == names
