"""The published install.sh: one file, from a pipe, without Python."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.frontends import REPOSITORY, FrontEnd
from tests.support.machines import Machine
from tests.support.releases import Upstream
from tests.support.trees import picture

pytestmark = pytest.mark.real

PING_MODULE = REPOSITORY / "telemetry_ping.py"


def text_of(front_end: FrontEnd) -> bytes:
    return Path(front_end.prefix()[-1]).read_bytes()


def test_from_a_pipe(script_machine: Machine, upstream: Upstream) -> None:
    """curl … | sh, with no Python, nothing beside it, and no locale, as in a container."""
    machine = script_machine
    content = text_of(machine.front_end)
    # yash reads no script that has characters which the locale has not.
    if machine.front_end.name != "yash" or content.isascii():
        machine.set(LANG=None)
    release = upstream.publish("0.25.0")
    run = machine.run_program(machine.front_end.interpreter(), stdin=content.decode()).ok()
    assert run.stdout == ""
    share = machine.layout.share
    assert (share / "telemetry_ping.py").read_bytes() == PING_MODULE.read_bytes()
    assert machine.layout.receipt("0.25.0")["digest"] == release.npm_digest
    assert sorted(path.name for path in share.iterdir()) == [
        "0.25.0",
        "completions",
        "telemetry_ping.py",
    ]
    assert machine.wasp("version").ok().stdout == "0.25.0\n"


def test_as_a_file_with_another_name(script_machine: Machine, upstream: Upstream) -> None:
    """What a browser makes of it."""
    upstream.publish("0.25.0")
    copy = script_machine.root / "install(1).sh"
    copy.write_bytes(text_of(script_machine.front_end))
    script_machine.run_program([*script_machine.front_end.interpreter(), str(copy)]).ok()
    placed = script_machine.layout.share / "telemetry_ping.py"
    assert placed.read_bytes() == PING_MODULE.read_bytes()


def cuts(content: bytes) -> list[int]:
    """Where to cut: at both ends of the here-document, and inside."""
    start = content.index(b"<<'END_OF_TELEMETRY_PING")
    first = content.index(b"\n", start) + 1
    last = content.rindex(b"\nEND_OF_TELEMETRY_PING") + 1
    middle = (first + last) // 2
    after = content.index(b"\n", last) + 1
    return [start, start + 10, first, middle, last, last + 10, after - 1, after, after + 2]


def test_cut_in_the_ping_module_it_does_nothing(
    script_machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    content = text_of(script_machine.front_end)
    for offset in cuts(content):
        cut = subprocess.run(
            script_machine.front_end.interpreter(),
            input=content[:offset],
            capture_output=True,
            env=script_machine.environment,
            cwd=script_machine.here,
        )
        assert cut.stdout == b"", f"cut at {offset}"
        assert upstream.server.connections == 0, f"cut at {offset}"
        assert picture(script_machine.home) == {}, f"cut at {offset}"
