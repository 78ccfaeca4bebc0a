"""Any start-up files, and any order of runs: every byte that is not ours survives."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.manager.homes import FISH_FILE, MARK, MARK_WITH_BREAK, line_for, uninstall
from tests.support.frontends import FULL
from tests.support.machines import Machine

NAMES = (
    *(".bashrc", ".bash_profile", ".bash_login", ".profile", ".zshrc", ".zshenv", ".kshrc"),
    *(".mkshrc", ".yashrc", ".yash_profile", FISH_FILE),
)
PIECES = (
    *(b"\n", b"\n\n", b"\\", b"\\\n", b"\r\n", b"\r", b"\0", b"\xff\xfe", b" ", b"\t", b"'"),
    *(b"export A=1", b"# a comment", b"if true; then\n", b'"$HOME"', b"`", b"cat <<X\n", b"\x1b["),
    *(b"# added by the Wasp installer", b". /opt/wasp # added by the Wasp installer\n"),
    # Longer than what a tool reads at once.
    b"export LONG=" + b"x" * 70_000,
)
COMMANDS = ("use 0.25.0", "use 0.25.0", "uninstall --yes", "uninstall 0.25.0")


@dataclass(frozen=True)
class StartupFile:
    """What a person has of one start-up file: its content, and what kind of file it is."""

    name: str
    content: bytes
    kind: str
    mode: int

    def put(self, home: Path) -> None:
        place = home / self.name
        place.parent.mkdir(parents=True, exist_ok=True)
        kept = home / "dotfiles" / self.name.replace("/", "-")
        kept.parent.mkdir(exist_ok=True)
        file = place if self.kind == "plain" else kept
        file.write_bytes(self.content)
        file.chmod(self.mode)
        if self.kind == "link":
            place.symlink_to(os.path.relpath(kept, place.parent))
        elif self.kind == "hard link":
            place.hardlink_to(kept)

    def assert_kept(self, home: Path) -> None:
        """The same file, and without our lines the same bytes."""
        place = home / self.name
        assert place.is_symlink() == (self.kind == "link"), self
        assert place.stat().st_nlink == 1 + (self.kind == "hard link"), self
        assert place.stat().st_mode & 0o7777 == self.mode, self
        assert without_ours(place.read_bytes(), self.name) == self.content, self
        assert place.read_bytes().count(line_for(self.name).encode()) <= 1, self


def without_ours(content: bytes, name: str) -> bytes:
    line = line_for(name).encode()
    content = content.replace(b"\n" + line + f" {MARK_WITH_BREAK}\n".encode(), b"")
    return content.replace(line + f" {MARK}\n".encode(), b"")


def random_file(chosen: random.Random, name: str) -> StartupFile:
    content = b"".join(chosen.choice(PIECES) for _ in range(chosen.choice([0, 1, 2, 5, 20])))
    kind = chosen.choice(["plain", "plain", "link", "hard link"])
    return StartupFile(name, content, kind, chosen.choice([0o644, 0o600, 0o755, 0o666]))


@pytest.mark.parametrize("seed", range(60 if FULL else 3))
def test_every_byte_survives(machine: Machine, seed: int) -> None:
    chosen = random.Random(seed)
    machine.set(SHELL=chosen.choice(["/bin/bash", "/bin/zsh", "/bin/fish", "/bin/mksh"]))
    files = [random_file(chosen, name) for name in NAMES if chosen.random() < 0.8]
    for file in files:
        file.put(machine.home)
    for _ in range(3):
        number = chosen.choice([1, 1, 2, 3])
        machine.layout.plant("0.25.0")
        runs = [machine.start(*chosen.choice(COMMANDS).split()) for _ in range(number)]
        for run in runs:
            done = run.result()
            assert done.code in (0, 5, 7), done
            assert number > 1 or done.code in (0, 5), done
        for file in files:
            file.assert_kept(machine.home)
    uninstall(machine)
    for file in files:
        file.assert_kept(machine.home)
        assert (machine.home / file.name).read_bytes() == file.content
    ours = {name for name in NAMES if (machine.home / name).exists()}
    assert ours == {file.name for file in files}
