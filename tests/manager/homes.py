"""A home with start-up files, and what an install makes of them."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.archives import tiny_package
from tests.support.functions import run_command
from tests.support.machines import Machine, Run
from tests.support.trees import Entry, picture

VERSION = "0.25.0"
MARK = "# added by the Wasp installer"
MARK_WITH_BREAK = f"{MARK}, with the line break before it"
FISH_FILE = ".config/fish/conf.d/wasp.fish"
ADD_LINES = 'add_to_startup_files\n[ -z "$path_message" ] || say "$path_message"'
TAKE_LINES_OUT = "take_out_of_startup_files"


def line_for(name: str, root: str = "$HOME/.local/share/wasp-lang") -> str:
    """The line in a start-up file of this name, before its mark."""
    if name.endswith(".fish"):
        return f'if test -f "{root}/env.fish"; source "{root}/env.fish"; end'
    file = f'"{root}/env.sh"'
    return f"if [ -f {file} ] && [ -r {file} ]; then . {file}; fi"


def with_line(name: str, mine: bytes | None) -> bytes:
    """What an install makes of a start-up file."""
    line = line_for(name)
    if mine is None or (mine.endswith(b"\n") and not mine.endswith(b"\\\n")):
        return (mine or b"") + f"{line} {MARK}\n".encode()
    return mine + f"\n{line} {MARK_WITH_BREAK}\n".encode()


def archive(machine: Machine, version: str = VERSION) -> str:
    """A release in a file."""
    file = machine.root / f"wasp-{version}.tgz"
    file.write_bytes(tiny_package(version).npm_archive())
    return str(file)


def install(machine: Machine, *options: str) -> Run:
    """Installs from a file: what matters here is what follows."""
    return machine.install(None, "--from-file", archive(machine), *options).ok()


def set_up(machine: Machine, *options: str) -> Run:
    """The second half of an install alone."""
    if "--prefix" not in options:
        machine.layout.plant(VERSION)
    return machine.run("use", VERSION, "--porcelain", *options).ok()


def add_lines(machine: Machine, *options: str) -> Run:
    """What `use` does to start-up files, and nothing else of it."""
    machine.layout.prefix.mkdir(exist_ok=True)
    return run_command(machine, ADD_LINES, "use", VERSION, "--porcelain", *options).ok()


def take_lines_out(machine: Machine, *options: str) -> Run:
    """What `uninstall` does to start-up files, and nothing else of it."""
    return run_command(machine, TAKE_LINES_OUT, "uninstall", "--porcelain", *options).ok()


def uninstall(machine: Machine, *options: str) -> Run:
    return machine.run("uninstall", "--yes", *options).ok()


def dotfiles(home: Path) -> dict[str, Entry]:
    """A picture of the home without what Wasp itself is."""
    found = picture(home)
    return {name: entry for name, entry in found.items() if name.partition("/")[0] != ".local"}


def write(home: Path, contents: dict[str, bytes]) -> None:
    for name, content in contents.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)


def path_warnings(run: Run) -> list[str]:
    return [warning for warning in run.warnings() if "PATH" in warning and "Node" not in warning]


def in_home(machine: Machine, command: str) -> None:
    """Runs a line of sh in the home."""
    machine.run_program(["/bin/sh", "-c", f"cd && {command}"]).ok()


def machine_name() -> str:
    """How runs call this machine in what they leave, before their number."""
    text = f"{os.uname().nodename}_{os.readlink('/proc/self/ns/pid')}"
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in text)
