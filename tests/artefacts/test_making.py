"""How the artefacts are made: the same bytes everywhere, readable, and with all licences."""

from __future__ import annotations

import base64
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from artefacts.__main__ import source_commit
from artefacts.lock import Requirement, requirements
from artefacts.python import STAND_INS

from tests.artefacts.conftest import EPOCH, make
from tests.support.archives import sha256_hex
from tests.support.frontends import CHECKOUT, REPOSITORY
from tests.support.toolboxes import real_tool
from wasp_installer import __version__

pytestmark = pytest.mark.real

SOURCES = (
    *("install.sh", "telemetry_ping.py", "wasp_installer", "packaging/artefacts"),
    "packaging/assemble.py",
    *("LICENSE", "pyproject.toml", "requirements.lock", "packaging/releases.json"),
)
INSIDE = [
    each
    for each in requirements((REPOSITORY / "requirements.lock").read_text())
    if each.name not in STAND_INS
]


def test_made_elsewhere_they_are_the_same(dist: Path, wheels: Path, tmp_path: Path) -> None:
    """Another folder without a repository, another time zone, umask and locale, without network."""
    elsewhere = tmp_path / "else where"
    for name in SOURCES:
        place = elsewhere / name
        place.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (CHECKOUT / name).is_dir() else shutil.copy
        copy(CHECKOUT / name, place)
    surroundings = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    before = os.umask(0o077)
    try:
        make(elsewhere, tmp_path / "made", wheels, {**surroundings, "PIP_NO_INDEX": "1"})
    finally:
        os.umask(before)
    for one in sorted(dist.iterdir()):
        other = tmp_path / "made" / one.name
        assert other.read_bytes() == one.read_bytes(), one.name
        mode = 0o755 if one.name.startswith("install.") else 0o644
        for made in (one, other):
            assert stat.S_IMODE(made.stat().st_mode) == mode
            assert made.stat().st_mtime == EPOCH


def test_both_name_the_commit(wheels: Path, tmp_path: Path) -> None:
    make(CHECKOUT, tmp_path, wheels, {"SOURCE_COMMIT": "0123456789ab"})
    for command in ([sys.executable, "-I", "install.py"], [str(real_tool("sh")), "install.sh"]):
        done = subprocess.run([*command, "-V"], cwd=tmp_path, capture_output=True, text=True)
        assert (done.stdout, done.stderr) == (f"Wasp installer {__version__} (0123456789ab)\n", "")


def test_the_commit_is_what_is_checked_out(tmp_path: Path) -> None:
    """With a mark where something was changed since; none without a history."""
    assert source_commit(tmp_path, {}) == ""
    assert source_commit(tmp_path, {"SOURCE_COMMIT": "named"}) == "named"
    file = tmp_path / "file"
    file.write_text("1")
    git = [str(real_tool("git")), "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x"]
    for words in ("init -q", "add file", "commit -q -m x", "tag -a v1 -m x"):
        subprocess.run([*git, *words.split()], check=True)
    asked = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
    commit = asked.stdout[:12]
    assert source_commit(tmp_path, {}) == commit != ""
    file.write_text("2")
    assert source_commit(tmp_path, {}) == f"{commit}-dirty"


def test_there_are_three_files_and_their_checksums(dist: Path) -> None:
    command = [str(real_tool("sha256sum")), "--strict", "-c", "SHA256SUMS"]
    done = subprocess.run(command, cwd=dist, capture_output=True, text=True)
    assert done.stdout == "LICENSES.txt: OK\ninstall.py: OK\ninstall.sh: OK\n", done.stderr
    assert len(list(dist.iterdir())) == 4


def test_install_py_begins_with_what_it_is(dist: Path) -> None:
    lines = (dist / "install.py").read_text().splitlines()
    header = lines[: lines.index("")]
    assert header[0] == "#!/usr/bin/env python3"
    assert all(line.startswith("#") and len(line) <= 100 for line in header)
    assert 10 <= len(header) <= 20
    text = re.sub(r"\n#\s*", " ", "\n".join(header))
    for words in ("Installs Wasp", "Python 3.9", "make dist", *map(str, INSIDE)):
        assert words in text
    hosts = set(re.findall(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|io|net|org|sh)\b", text))
    assert {"github.com"} <= hosts <= {"wasp.sh", "get.wasp.sh", "github.com", "install.sh"}


def test_install_py_is_plain_text(dist: Path) -> None:
    """So that nothing on the way, such as a pipe of PowerShell, can change it."""
    text = (dist / "install.py").read_bytes()
    assert re.fullmatch(rb"[\n -~]+", text)
    assert max(map(len, text.splitlines())) < 1000


def test_install_py_shows_the_code_that_it_runs(dist: Path) -> None:
    lines = (dist / "install.py").read_text().splitlines()
    for module in sorted((REPOSITORY / "wasp_installer").glob("*.py")):
        shown = [line for line in module.read_text().splitlines() if line.startswith("def ")]
        assert [line for line in shown if line not in lines] == []


def test_the_libraries_are_those_of_the_lock(dist: Path) -> None:
    """By their hashes, so that anyone can tell that they are what was published."""
    wheels = re.findall(
        r'^# (.+\.whl)\n# SHA-256 (.+)\nif .+:\n    WHEELS\.append\(.+ """\n([^"]+)"""\)\)$',
        (dist / "install.py").read_text(),
        re.MULTILINE,
    )
    known = {digest: each for each in INSIDE for digest in each.hashes}
    found = []
    for name, digest, encoded in wheels:
        assert sha256_hex(base64.b64decode(encoded)) == digest
        assert name.startswith(str(known[digest]).replace(" ", "-"))
        found.append(known[digest])
    assert found == INSIDE


@pytest.mark.parametrize("requirement", INSIDE, ids=str)
def test_the_licences_of_all_that_is_inside(dist: Path, requirement: Requirement) -> None:
    licences = (dist / "LICENSES.txt").read_text()
    named = re.search(f"^    {re.escape(str(requirement))}: (.+)$", licences, re.MULTILINE)
    assert named is not None
    assert re.search("MIT|BSD|Apache|MPL", named[1])
    assert re.search(rf"^(.*, )?{re.escape(str(requirement))} \(", licences, re.MULTILINE)
    assert (REPOSITORY / "LICENSE").read_text().strip() in licences
    comments = [f"# {line}".rstrip() for line in ascii_lines(licences)]
    assert "\n".join(comments) in (dist / "install.py").read_text()


def ascii_lines(text: str) -> list[str]:
    return text.encode("ascii", "backslashreplace").decode().splitlines()
