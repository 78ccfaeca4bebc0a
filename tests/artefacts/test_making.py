"""How the artefacts are made: the same bytes everywhere, readable, and with all licences."""

from __future__ import annotations

import ast
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
from artefacts.lock import requirements
from artefacts.python import STAND_INS, literal
from hypothesis import example, given
from hypothesis import strategies as st

from tests.artefacts.conftest import EPOCH, make
from tests.support.archives import sha256_hex
from tests.support.frontends import CHECKOUT, REPOSITORY
from tests.support.machines import MachineRoom
from tests.support.server import Server
from tests.support.toolboxes import real_tool
from tests.threats.test_answers import reads_no_body_of_a_redirect
from wasp_installer import __version__

pytestmark = pytest.mark.real

SOURCES = (
    *("install.sh", "telemetry_ping.py", "wasp_installer", "packaging/artefacts"),
    "packaging/assemble.py",
    *("LICENSE", "pyproject.toml", "requirements.lock", "packaging/releases.json"),
)
LOCK = requirements((REPOSITORY / "requirements.lock").read_text())
INSIDE = [each for each in LOCK if each.name not in STAND_INS]
HASH = "--hash=sha256:" + "0" * 64


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


def test_install_py_is_plain_text_that_shows_what_it_is_and_runs(dist: Path) -> None:
    text = (dist / "install.py").read_text()
    # So that nothing on the way, such as a pipe of PowerShell, can change it.
    assert re.fullmatch(r"[\n -~]+", text)
    lines = text.splitlines()
    assert max(map(len, lines)) < 1000
    header = lines[: lines.index("")]
    assert header[0] == "#!/usr/bin/env python3"
    assert all(line.startswith("#") and len(line) <= 100 for line in header)
    words = ("Installs Wasp", "Python 3.9", "make dist", *map(str, INSIDE))
    assert [each for each in words if each not in "\n".join(header)] == []
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
    for name, digest, encoded in wheels:
        assert sha256_hex(base64.b64decode(encoded)) == digest
        assert name.startswith(str(known[digest]).replace(" ", "-"))
    assert [known[digest] for _, digest, _ in wheels] == INSIDE


def test_the_licences_of_all_that_is_inside(dist: Path) -> None:
    licences = (dist / "LICENSES.txt").read_text()
    assert (REPOSITORY / "LICENSE").read_text().strip() in licences
    for requirement in map(re.escape, map(str, INSIDE)):
        assert re.search(f"^    {requirement}: .*(MIT|BSD|Apache|MPL)", licences, re.MULTILINE)
        assert re.search(rf"^(.*, )?{requirement} \(", licences, re.MULTILINE)
    plain = licences.encode("ascii", "backslashreplace").decode().splitlines()
    comments = [f"# {line}".rstrip() for line in plain]
    assert "\n".join(comments) in (dist / "install.py").read_text()


def test_what_is_wrong_in_the_libraries_for_python_3_9_is_not_reached(
    machines: MachineRoom, server: Server, dist: Path, wheels: Path
) -> None:
    """They get no fixes any more. ``dist`` has seen to it that their wheels are there."""
    assert dist.exists()
    old = [each for each in LOCK if each.condition == "sys.version_info < (3, 10)"]
    hashes = {digest for each in old for digest in each.hashes}
    found = [path for path in wheels.glob("*.whl") if sha256_hex(path.read_bytes()) in hashes]
    assert len(found) == len(old) == 2
    used = reads_no_body_of_a_redirect(machines.build("python"), server, found)
    assert sorted(used.split()) == sorted(each.version for each in old)


@example(text='def f(x):\n    return "a"\n')
@given(st.text(st.sampled_from("\"\\\n\r\t\0a'é…\U0001f41d")) | st.text())
def test_a_literal_is_the_text(text: str) -> None:
    written = literal(text)
    assert ast.literal_eval(written) == text
    assert written.isascii()
    if text.startswith("def"):
        assert written == f'"""\\\n{text}"""'


@pytest.mark.parametrize(
    ("line", "condition"),
    [
        (f"one==1.2 {HASH}", "True"),
        (f"one==1.2 \\\n    {HASH} \\\n    {HASH}", "True"),
        (f"one==1.2 ; python_full_version < '3.10' {HASH}", "sys.version_info < (3, 10)"),
        (f"one==1.2 ; python_full_version >= '3.10' {HASH}", "sys.version_info >= (3, 10)"),
        (f"one==1.2 ; sys_platform == 'win32' {HASH}", 'sys.platform == "win32"'),
        (f"one==1.2 ; implementation_name == 'pypy' {HASH}", None),
        (f"one==1.2 ; python_full_version > '3.10' {HASH}", None),
        (f"one>=1.2 {HASH}", None),
        ("one==1.2", None),
        ("one @ https://example.com/one.whl", None),
    ],
)
def test_a_line_of_a_lock_is_understood_or_refused(line: str, condition: str | None) -> None:
    if condition is None:
        with pytest.raises(ValueError, match="not understood"):
            requirements(line)
    else:
        [requirement] = requirements(f"# made by uv\n{line}\n")
        assert (str(requirement), requirement.condition) == ("one 1.2", condition)
