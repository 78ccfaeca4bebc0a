"""Tab completion of the real Wasp, in real shells on a terminal, as an install has set them up."""

from __future__ import annotations

import pytest

from tests.real.conftest import go_online
from tests.support.machines import Machine
from tests.support.terminals import Terminal
from tests.support.toolboxes import real_tool

pytestmark = pytest.mark.real

# What is typed before the tab key, and the arguments that wasp then has.
LINES = {
    "wasp tele": "telemetry",
    "wasp db migr": "db migrate-dev",
    # Wasp's own list lacks these.
    "wasp installe": "installer",
    "wasp installer doc": "installer doctor",
    "wasp installer use 0.2": "installer use 0.25.0",
    "wasp instal": "install",
    "wasp build st": "build start",
    "wasp telemetry sh": "telemetry show",
    # And it repeats this one.
    "wasp clean cl": "clean cl",
}
ECHO = "PS1='> '; wasp() { echo \"wasp has: $*.\"; }\n"
#: Start-up files that make wasp show what was completed.
OWNERS = {
    "bash": (".bashrc", ECHO),
    "zsh": (".zshrc", f"{ECHO}autoload -Uz compinit && compinit -u\n"),
    "fish": (".config/fish/config.fish", 'function wasp; echo "wasp has: $argv."; end\n'),
}


def test_the_tab_key_completes_what_wasp_has(shell_machine: Machine, registry: str) -> None:
    machine = shell_machine
    go_online(machine, registry).install("0.25.0").ok()
    for name, (startup, content) in OWNERS.items():
        file = machine.home / startup
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        # It is installed already; the lines come with that.
        machine.set(SHELL=f"/bin/{name}").install("0.25.0").ok().says("tab completion")
        # Some shells leave files in TMPDIR.
        environment = {**machine.environment, "TMPDIR": str(machine.home)}
        shell = Terminal([str(real_tool(name)), "-i"], environment, machine.here)
        for typed, arguments in LINES.items():
            shell.type(f"{typed}\t\r")
            shell.wait_for(f"wasp has: {arguments}.")
        shell.type("exit\r")
        shell.finish()
        file.unlink()
