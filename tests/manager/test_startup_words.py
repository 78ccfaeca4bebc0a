"""A line that was put into a start-up file can be taken out without a trace."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.toolboxes import real_tool
from wasp_installer.shells import BinFolder, own_shell, shells
from wasp_installer.startup_files import with_line, without_line

LINE = b"the line # added by the Wasp installer"
CONTENTS = st.lists(st.sampled_from([b"\n", b"a", b"\r", b"\x00", b"\xff", LINE + b" ", b" "])).map(
    b"".join
)


@given(CONTENTS)
@example(b"")
@example(b"\n")
def test_taking_the_line_out_gives_the_old_bytes(content: bytes) -> None:
    added = with_line(content, LINE)
    assert added.startswith(content)
    assert LINE in added.split(b"\n")
    assert without_line(added, LINE) == content


def test_a_file_that_was_made_for_the_line_is_known() -> None:
    assert without_line(with_line(None, LINE), LINE) is None


@given(CONTENTS, CONTENTS)
def test_what_was_written_behind_the_line_stays(content: bytes, more: bytes) -> None:
    ended = content + b"\n"
    assert without_line(with_line(ended, LINE) + more + b"x", LINE) == ended + more + b"x"


@given(st.text(st.characters(exclude_characters="\x00:\n", exclude_categories=["Cs"]), min_size=1))
@example("it's")
@example("a\\b\\\\'c' \"$HOME\" `x` $(y) {a,b} [z] *?~ !x ;&|<>#")
def test_any_name_is_one_word(name: str) -> None:
    """What is printed is compared as bytes, with no line break added."""
    folder = BinFolder(f"/opt/{name}/bin", {"HOME": "/home/me"})
    done = subprocess.run(
        ["/bin/sh", "-c", f"printf %s {folder.word}"], capture_output=True, check=True
    )
    assert done.stdout == f"/opt/{name}/bin".encode()


@pytest.mark.parametrize("name", ["plain", "it's", "a\\b\\\\'c' \"$HOME\" $(y) {a,b} [z] *?~ #"])
def test_fish_reads_the_same_name(name: str) -> None:
    folder = BinFolder(f"/home/me/{name}/bin", {"HOME": "/home/me"})
    done = subprocess.run(
        [real_tool("fish"), "--no-config", "-c", f"printf %s {folder.fish_word}"],
        capture_output=True,
        check=True,
        env={"HOME": "/home/me", "WASP_TELEMETRY_DISABLE": "1", **_closed()},
    )
    assert done.stdout == f"/home/me/{name}/bin".encode()


def _closed() -> dict[str, str]:
    """What the tests' guard wants of every process."""
    url = "http://127.0.0.1:9/"
    return {"WASP_TELEMETRY_URL": url, "WASP_NEWS_SERVER_URL": url}


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        ("/opt/bin", True),
        ("/opt/a:b/bin", False),
        ("/opt/a\nb/bin", False),
        ("/home/two\nlines/bin", True),
        ("/home/two\nlines/and\nmore/bin", False),
    ],
)
def test_what_path_can_hold(path: str, fits: bool) -> None:
    assert BinFolder(path, {"HOME": "/home/two\nlines"}).fits is fits


def test_every_shell_knows_its_name() -> None:
    for name in ("sh", "dash", "bash", "zsh", "fish", "ksh", "mksh", "yash", ""):
        environment = {"HOME": "/home/me", "SHELL": f"/usr/bin/{name}"}
        assert own_shell(environment) == name
        assert [shell.is_own for shell in shells(environment)].count(True) == 1
