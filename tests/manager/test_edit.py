"""The end of an edit of a start-up file: what comes in its place, and how."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.functions import call_functions
from tests.support.machines import Machine
from tests.support.skips import need_root

OLD = "mine\n"
NEW = "mine\nours # added by the Wasp installer\n"
THEIRS = "mine\nof another program meanwhile\n"


@dataclass(frozen=True)
class End:
    """What is in the file by then, and what holds; what it has in the end, and whether anew."""

    found: str = OLD
    linked: bool = False
    of_another: bool = False
    functions: str = ""
    wanted: str = NEW
    left: str = NEW
    is_new: bool = False
    code: int = 0


ENDS = {
    "as it was": End(is_new=True),
    "changed meanwhile": End(THEIRS, left=THEIRS, code=1),
    "with another name": End(linked=True),
    "with another name, changed meanwhile": End(THEIRS, linked=True, left=THEIRS, code=1),
    "of an owner that a copy would not have": End(
        of_another=True, functions='owner_of() { echo "$1"; }'
    ),
    # As on a full disk.
    "with another name, and no room": End(
        linked=True,
        functions='overwrite() { cat "$1" >"$real"; case $1 in */new) return 1 ;; esac; }',
        left=OLD,
        code=1,
    ),
    "whose own lines would be lost": End(
        wanted="ours # added by the Wasp installer\n", left=OLD, code=1
    ),
}


@pytest.mark.parametrize("kind", ENDS)
def test_what_comes_in_the_place_of_a_file(machine: Machine, kind: str) -> None:
    end = ENDS[kind]
    folder = machine.root / "folder"
    folder.mkdir()
    file = folder / "file"
    file.write_text(end.found)
    if end.linked:
        os.link(file, folder / "other")
    if end.of_another:
        need_root("a file of another user")
        os.chown(file, 65534, -1)
    before = file.stat().st_ino
    (folder / "old").write_text(OLD)
    (folder / "wanted").write_text(end.wanted)
    call = f"""
    {end.functions}
    cp '{folder}/old' "$work/old"
    cp '{folder}/wanted' "$work/new"
    real='{file}' edited_file='{file}' real_home='{folder}' keeps_empty=false owner_name=here-1
    finish_edit
    echo $?
    """
    assert call_functions(machine, [call]) == [str(end.code)]
    assert file.read_text() == end.left
    assert (file.stat().st_ino != before) == end.is_new
    assert not end.linked or (folder / "other").read_text() == end.left
    assert not list(folder.glob(".wasp-*"))


def test_what_is_written_over_a_file_is_all_that_it_has(machine: Machine, tmp_path: Path) -> None:
    """Also where that is less; the file itself stays."""
    calls = []
    for number, text in enumerate(("", "short", "longer than what is there")):
        (tmp_path / f"new-{number}").write_text(text)
        (tmp_path / f"file-{number}").write_text("what is there")
        calls.append(
            f"real='{tmp_path}/file-{number}'\noverwrite '{tmp_path}/new-{number}' 2>/dev/null"
        )
    call_functions(machine, calls)
    for number in range(len(calls)):
        new, file = (tmp_path / f"{name}-{number}" for name in ("new", "file"))
        assert file.read_text() == new.read_text()
