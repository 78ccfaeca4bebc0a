"""Archives of every shape through both unpackers: the whole tree, or nothing at all.

tests/unit/test_archives.py has the unpacker of install.py alone.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.machines import Machine, MachineRoom
from tests.support.scale import Scale
from tests.support.tar_corpus import TAKEN, corpus
from tests.support.toolboxes import BUSYBOX_TOOLS, real_tool
from tests.support.trees import Entry, picture
from tests.torture.archive_shapes import any_archives, honest_archives
from tests.torture.conftest import Tally
from wasp_installer.errors import InstallerError
from wasp_installer.placing.archives import ArchiveReceiver
from wasp_installer.placing.unpacking import unpack

pytestmark = pytest.mark.timeout(3600)

AREA = "Archives"
TARS = ("gnu", "bsd", "busybox")
Tree = dict[str, Entry]


@dataclass
class Verdict:
    """What became of one archive: its tree, or why it was refused."""

    tree: Tree | None
    slug: str | None


@contextlib.contextmanager
def neighbourhood() -> Iterator[Path]:
    """A folder to unpack into, with a neighbour that must stay as it is."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "neighbour").mkdir()
        (base / "neighbour" / "precious").write_text("precious\n")
        (base / "staging" / "new").mkdir(parents=True)
        before = picture(base / "neighbour")
        yield base
        assert picture(base / "neighbour") == before
        assert {item.name for item in base.iterdir()} == {"neighbour", "staging"}
        assert not Path("/tmp/wasp-test-escaped").exists()


def by_python(archive: bytes) -> Verdict:
    """The archive through the unpacker of install.py, as a download brings it."""
    with neighbourhood() as base:
        receiver = ArchiveReceiver(base / "staging", ["sha256"])
        try:
            receiver.take(archive)
            unpack(receiver.finish([]), base / "staging" / "new")
        except InstallerError as error:
            return Verdict(None, error.slug)
        finally:
            receiver.close()
        return Verdict(picture(base / "staging" / "new"), None)


@dataclass
class Unpacker:
    """install.sh on a machine with one of the tars."""

    machine: Machine
    runs: int = field(default=0)

    def __call__(self, archive: bytes) -> Verdict:
        machine = self.machine
        self.runs += 1
        file = machine.root / "wasp.tgz"
        file.write_bytes(archive)
        prefix = machine.root / "prefix"
        before = set(machine.root.iterdir())
        options = ("--no-modify-path", "--prefix", str(prefix), "--from-file", str(file))
        run = machine.install(None, *options)
        assert "\x1b" not in run.stderr
        if run.code == 0:
            tree = picture(prefix / "share" / "wasp-lang" / "0.25.0")
            tree.pop(".receipt.json")
            shutil.rmtree(prefix)
        # A tar that reads a size otherwise may cut the binary, which then does not run.
        elif run.code != 3 or run.json["error"] != "binary-does-not-run":
            run.failed(6)
        assert set(machine.root.iterdir()) == before, run
        assert picture(machine.home) == {}, run
        assert not list(machine.here.iterdir()), run
        assert not Path("/tmp/wasp-test-escaped").exists()
        return Verdict(tree, None) if run.code == 0 else Verdict(None, run.json["error"])


@pytest.fixture(params=TARS)
def by_install_sh(request: pytest.FixtureRequest, machines: MachineRoom) -> Unpacker:
    """install.sh with each tar in turn: GNU, BSD (macOS) and busybox (Alpine)."""
    machine = machines.build("busybox" if request.param == "busybox" else "dash")
    box = machine.toolbox
    if request.param == "bsd":
        box.alias("tar", "bsdtar")
    if request.param == "busybox":
        real_tool("busybox")
        for tool in list(box.folder.iterdir()):
            tool.unlink()
        box.busybox(*BUSYBOX_TOOLS, "sha256sum", "sha512sum").fake_musl()
    return Unpacker(machine)


def check_tree(tree: Tree) -> None:
    """A release and nothing else: plain files, folders, and links that stay inside."""
    assert {name.partition("/")[0] for name in tree} == {"wasp-bin", "data"}
    assert tree["wasp-bin"].kind == "file"
    assert tree["wasp-bin"].mode == 0o755
    assert tree["data"].kind == "folder"
    for name, entry in tree.items():
        assert entry.kind in ("file", "folder", "link"), name
        # A folder's group may be that of the folder around it.
        mode = entry.mode & ~0o2000 if entry.kind == "folder" else entry.mode
        assert mode in (0o755, 0o644) or entry.kind == "link", name
        assert entry.kind != "link" or not entry.content.startswith("/"), name


def examples(
    scale: Scale, number: int, strategy: st.SearchStrategy[bytes], check: Callable[[bytes], None]
) -> int:
    """Checks about so many archives; the same ones in each run that is not asked for more."""
    tried = Counter[str]()

    def counted(archive: bytes) -> None:
        tried["examples"] += 1
        check(archive)

    wanted: Any = settings(
        max_examples=scale.times(number),
        derandomize=scale.factor == 1,
        database=None,
        deadline=None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    wanted(given(strategy)(counted))()
    return tried["examples"]


def test_the_corpus_in_install_sh(by_install_sh: Unpacker, scale: Scale, tally: Tally) -> None:
    cases = scale.sample(list(corpus().items()), 6)
    for name, archive in cases:
        verdict = by_install_sh(archive)
        if verdict.tree is not None:
            check_tree(verdict.tree)
        if name in TAKEN:
            assert verdict.tree == by_python(archive).tree, name
    tally(AREA, "odd and hostile archives with a name, with one of three tars", len(cases))


def test_generated_archives_in_both(by_install_sh: Unpacker, scale: Scale, tally: Tally) -> None:
    """Whatever is taken is a release; what both take is one tree."""

    def check(archive: bytes) -> None:
        python, shell = by_python(archive), by_install_sh(archive)
        for verdict in (python, shell):
            if verdict.tree is not None:
                check_tree(verdict.tree)
        if python.tree is not None and shell.tree is not None:
            assert shell.tree == python.tree

    number = examples(scale, 15, any_archives, check)
    tally(AREA, "generated archives through both front ends, with one of three tars", number)


def test_honest_archives_in_both(by_install_sh: Unpacker, scale: Scale, tally: Tally) -> None:
    def check(archive: bytes) -> None:
        python, shell = by_python(archive), by_install_sh(archive)
        assert python.tree is not None, python.slug
        assert shell.tree == python.tree

    number = examples(scale, 5, honest_archives, check)
    tally(AREA, "honest archives of many shapes, taken alike by both front ends", number)
