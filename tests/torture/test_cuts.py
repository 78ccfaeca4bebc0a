"""install.sh, cut at any byte by a connection that ended: nothing runs, and the shell says so."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from artefacts.shell import assemble

from tests.support.frontends import INSTALL_SH, REPOSITORY, FrontEnd
from tests.support.machines import Machine, MachineRoom
from tests.support.releases import Upstream
from tests.support.scale import Scale
from tests.torture.tallies import Tally

AREA = "Cut scripts"
# With every byte there are hundreds of thousands of them.
pytestmark = pytest.mark.timeout(7200)

# These two are /bin/sh nearly everywhere, and meet every byte when all is asked for.
THOROUGH = ("dash", "bash")
MOST_FOR_OTHERS = 4000
THREADS = os.cpu_count() or 1
# What comes before this is comments, and one line that does nothing but in zsh.
BEGINNING = b"\n{\n"


@pytest.fixture(params=["source", "published"])
def script(request: pytest.FixtureRequest) -> bytes:
    """install.sh as it lies here, and as it is published, with telemetry_ping.py inside."""
    text = INSTALL_SH.read_text()
    # With WASP_TESTS_SCRIPTS it is the published one already.
    if request.param == "published" and "\nEND_OF_TELEMETRY_PING" not in text:
        text = assemble(text, (REPOSITORY / "telemetry_ping.py").read_text())
    return text.encode()


class Trap:
    """PATH: each word that begins a line, and each beginning of one, is a program that tells."""

    def __init__(self, folder: Path, script: bytes) -> None:
        self.folder = folder / "path"
        self.folder.mkdir()
        self._log = folder / "sprung"
        wire = folder / "wire"
        wire.write_text(f"#!/bin/sh\necho \"${{0##*/}}\" >>'{self._log}'\n")
        wire.chmod(0o755)
        words = set(re.findall(rb"^ *([A-Za-z_][A-Za-z0-9_]*)", script, re.MULTILINE))
        for name in {word[:end] for word in words for end in range(1, len(word) + 1)}:
            (self.folder / name.decode()).symlink_to(wire)

    def sprung(self) -> str:
        """The programs that ran since this was asked."""
        if not self._log.exists():
            return ""
        ran = self._log.read_text()
        self._log.unlink()
        return ran


@pytest.fixture(scope="session")
def trap(tmp_path_factory: pytest.TempPathFactory) -> Trap:
    return Trap(tmp_path_factory.mktemp("trap"), INSTALL_SH.read_bytes())


@dataclass
class Cutter:
    """Gives a shell the beginnings of a script, and looks at what becomes of it."""

    script: bytes
    shell: FrontEnd
    machine: Machine
    trap: Trap
    begins: int = field(init=False)

    def __post_init__(self) -> None:
        assert self.script.count(BEGINNING) == 1, "the script is not one group in braces"
        self.begins = self.script.index(BEGINNING) + len(BEGINNING) - 1
        self.machine.set(PATH=str(self.trap.folder))

    def as_files(self, offsets: Sequence[int]) -> None:
        """From a file that becomes shorter and shorter, which is the fastest way to many cuts."""
        shares = [sorted(offsets[start::THREADS], reverse=True) for start in range(THREADS)]
        with ThreadPoolExecutor(THREADS) as pool:
            for done in [pool.submit(self._shorten, share) for share in shares]:
                done.result()
        self._nothing_happened()

    def _shorten(self, offsets: Sequence[int]) -> None:
        file = self.machine.root / f"script-{offsets[0] if offsets else 'none'}"
        with file.open("w+b") as content:
            content.write(self.script)
            for offset in offsets:
                content.flush()
                content.truncate(offset)
                content.seek(0)
                run = subprocess.run(
                    self.shell.interpreter(),
                    stdin=content,
                    capture_output=True,
                    env=self.machine.environment,
                    cwd=self.machine.here,
                )
                self._check(run, offset)
        file.unlink()

    def as_pipes(self, offsets: Sequence[int]) -> None:
        """curl … | sh"""
        for offset in offsets:
            run = subprocess.run(
                self.shell.interpreter(),
                input=self.script[:offset],
                capture_output=True,
                env=self.machine.environment,
                cwd=self.machine.here,
            )
            self._check(run, offset)
        self._nothing_happened()

    def _check(self, run: subprocess.CompletedProcess[bytes], offset: int) -> None:
        where = f"cut at {offset}, after {self.script[max(0, offset - 40) : offset]!r}"
        assert run.stdout == b"", where
        assert not self.trap.sprung(), where
        for folder in (self.machine.home, self.machine.here, self.machine.temporary):
            assert not os.listdir(folder), where
        if offset > self.begins:
            # `curl … | sh` fails, with the words of the shell and none of ours.
            assert run.returncode != 0, where
            assert run.stderr, where
        assert not re.search(rb"^(error|warning): ", run.stderr, re.MULTILINE), where

    def _nothing_happened(self) -> None:
        assert self.machine.upstream.server.connections == 0


@pytest.fixture
def cutter(
    script: bytes, shell: FrontEnd, machines: MachineRoom, trap: Trap, upstream: Upstream
) -> Cutter:
    upstream.publish("0.25.0")
    return Cutter(script, shell, machines.build(shell), trap)


def remarkable(script: bytes) -> Iterator[list[int]]:
    """Places where a shell may be misled: by kind, at even distances in each."""
    end = len(script.rstrip())
    beginning = script.index(BEGINNING)
    yield list(range(beginning - 60, beginning + 20))
    yield list(range(end - 40, end))
    # The beginning of a function's name is a command, if it comes to be run.
    names = re.finditer(rb"^ *[a-z_]+(?=\(\) \{$)", script, re.MULTILINE)
    yield [place for name in names for place in range(name.start() + 1, name.end() + 4)]
    # Inside a character of several bytes.
    yield [place for place in range(end) if script[place] & 0xC0 == 0x80]
    # At both ends of here-documents.
    documents = re.finditer(rb"<<'([A-Z_]+)'\n(?:.*\n)*?\1\n", script)
    yield [
        place
        for document in documents
        for edge in (document.start(), document.start(0) + 15, document.end() - 10, document.end())
        for place in range(edge - 5, edge + 5)
    ]


def test_a_cut_script_does_nothing(cutter: Cutter, scale: Scale, tally: Tally) -> None:
    end = len(cutter.script.rstrip())
    thorough = cutter.shell.name in THOROUGH
    most = end if thorough else MOST_FOR_OTHERS
    number = min(scale.times(60 if thorough else 10, most=end), most)
    offsets = {round(step * (end - 1) / max(1, number - 1)) for step in range(number)}
    for places in remarkable(cutter.script):
        offsets.update(scale.sample(places, 12 if thorough else 3) if places else [])
    piped = scale.sample(sorted(offsets), 4)[:MOST_FOR_OTHERS]
    cutter.as_pipes(piped)
    offsets.difference_update(piped)
    cutter.as_files(sorted(offsets))
    tally(AREA, "from a pipe", len(piped))
    tally(
        AREA,
        f"from a file, in {cutter.shell.name if thorough else 'six other shells'}",
        len(offsets),
    )


@pytest.mark.parametrize("left_over", [b"make", b"echo out", b": >file", b":"])
def test_the_check_would_notice(machines: MachineRoom, trap: Trap, left_over: bytes) -> None:
    """What a cut may leave of a script that is not in braces."""
    machine = machines.build("dash")
    cutter = Cutter(b"#!/bin/sh\n{\n}\n", machine.front_end, machine, trap)
    cutter.script, cutter.begins = left_over, 0
    with pytest.raises(AssertionError, match=f"cut at {len(left_over)}"):
        cutter.as_pipes([len(left_over)])
    (machine.here / "file").unlink(missing_ok=True)
