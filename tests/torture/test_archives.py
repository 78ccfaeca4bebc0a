"""Archives of every shape through both unpackers: the whole tree, or nothing at all.

tests/unit/test_archives.py has the unpacker of install.py alone.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, Union

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.support.machines import Machine, MachineRoom
from tests.support.scale import Scale
from tests.support.tar_corpus import AMBIGUOUS, TAKEN, corpus
from tests.support.toolboxes import BUSYBOX_TOOLS, real_tool
from tests.support.trees import Entry, Layout, picture
from tests.torture.archive_shapes import any_archives, honest_archives
from tests.torture.conftest import Tally
from wasp_installer.errors import InstallerError
from wasp_installer.placing.archives import ArchiveReceiver
from wasp_installer.placing.unpacking import unpack

pytestmark = pytest.mark.timeout(3600)

AREA = "Archives"
#: What became of an archive: its tree, or why it was refused.
Verdict = Union[dict[str, Entry], str]


def by_python(archive: bytes) -> Verdict:
    """The unpacker of install.py, as a download brings it the archive."""
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder, "new")
        new.mkdir()
        receiver = ArchiveReceiver(new.parent, ["sha256"])
        try:
            receiver.take(archive)
            unpack(receiver.finish([]), new)
            return picture(new)
        except InstallerError as error:
            return error.slug
        finally:
            receiver.close()


def by_install_sh(machine: Machine, archive: bytes) -> Verdict:
    file, prefix = machine.root / "wasp.tgz", machine.root / "prefix"
    file.write_bytes(archive)
    before = set(machine.root.iterdir())
    options = ("--no-modify-path", "--prefix", str(prefix), "--from-file", str(file))
    run = machine.install(None, *options)
    assert "\x1b" not in run.stderr
    tree = Layout(prefix).version_picture("0.25.0")
    if run.code == 0:
        shutil.rmtree(prefix)
    else:
        # A tar that reads a size otherwise may cut the binary, which then does not run.
        run.failed(3 if run.json["error"] == "binary-does-not-run" else 6)
    assert set(machine.root.iterdir()) == before, run
    assert picture(machine.home) == picture(machine.here) == {}, run
    assert not Path("/tmp/wasp-test-escaped").exists()
    return tree if run.code == 0 else str(run.json["error"])


@pytest.fixture(params=["gnu", "bsd", "busybox"])
def machine(request: pytest.FixtureRequest, machines: MachineRoom) -> Machine:
    """One with each tar in turn: GNU, BSD (macOS) and busybox (Alpine)."""
    machine = machines.build("busybox" if request.param == "busybox" else "dash")
    box = machine.toolbox
    if request.param == "bsd":
        box.alias("tar", "bsdtar")
    if request.param == "busybox":
        real_tool("busybox")
        box.remove(*(tool.name for tool in box.folder.iterdir()))
        box.busybox(*BUSYBOX_TOOLS, "sha256sum", "sha512sum").fake_musl()
    return machine


def check(machine: Machine, archive: bytes, *, is_honest: bool, is_ambiguous: bool = False) -> None:
    """Whatever is taken is a release; what both take is one tree, unless readers do not agree."""
    python, shell = by_python(archive), by_install_sh(machine, archive)
    trees = [verdict for verdict in (python, shell) if not isinstance(verdict, str)]
    assert len(trees) == 2 or not is_honest, (python, shell)
    for tree in trees:
        assert tree == trees[0] or is_ambiguous
        assert {name.partition("/")[0] for name in tree} == {"wasp-bin", "data"}
        assert (tree["wasp-bin"].kind, tree["wasp-bin"].mode) == ("file", 0o755)
        for name, entry in tree.items():
            assert entry.kind in ("file", "folder", "link"), name
            # A folder's group may be that of the folder around it.
            mode = entry.mode & ~0o2000 if entry.kind == "folder" else entry.mode
            assert mode in (0o755, 0o644) or entry.kind == "link", name
            assert entry.kind != "link" or not entry.content.startswith("/"), name


def test_archives_with_a_name(machine: Machine, scale: Scale, tally: Tally) -> None:
    # What BSD tar unpacks of the longest path is too deep for Python to look at.
    names = [name for name in corpus() if name != "path of 5000 bytes"]
    chosen = scale.sample(names, 6)
    for name in chosen:
        archive = corpus()[name]
        check(machine, archive, is_honest=name in TAKEN, is_ambiguous=name in AMBIGUOUS)
    tally(AREA, "odd and hostile archives with a name, with one of three tars", len(chosen))


@pytest.mark.parametrize("is_honest", [False, True])
def test_generated_archives(machine: Machine, scale: Scale, tally: Tally, is_honest: bool) -> None:
    """The same ones in each run that is not asked for more."""
    tried = []

    def counted(archive: bytes) -> None:
        tried.append(archive)
        check(machine, archive, is_honest=is_honest)

    wanted: Any = settings(
        max_examples=scale.times(5 if is_honest else 15),
        derandomize=scale.factor == 1,
        database=None,
        deadline=None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    wanted(given(honest_archives if is_honest else any_archives)(counted))()
    kind = "honest archives of many shapes" if is_honest else "generated archives"
    tally(AREA, f"{kind}, with one of three tars", len(tried))
