"""The libraries for Python 3.9, which get no fixes any more: what is wrong there is not reached."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from artefacts.lock import requirements

from tests.support.archives import sha256_hex
from tests.support.frontends import REPOSITORY
from tests.support.machines import Machine, MachineRoom
from tests.support.releases import Upstream, github_asset_path, github_download_path
from tests.support.replies import Endless
from tests.threats.test_answers import BODIES

pytestmark = pytest.mark.real

OLD = [
    each
    for each in requirements((REPOSITORY / "requirements.lock").read_text())
    if each.condition == "sys.version_info < (3, 10)"
]


@pytest.fixture
def machine(machines: MachineRoom, dist: Path, wheels: Path) -> Machine:
    """Whose Python finds them first; ``dist`` has seen to it that their wheels are there."""
    assert dist.exists()
    hashes = {digest for each in OLD for digest in each.hashes}
    found = [path for path in wheels.glob("*.whl") if sha256_hex(path.read_bytes()) in hashes]
    assert len(found) == len(OLD) == 2
    return machines.build("python").set(PYTHONPATH=os.pathsep.join(map(str, found)))


def test_they_are_used(machine: Machine) -> None:
    code = "import requests, urllib3; print(requests.__version__, urllib3.__version__)"
    said = machine.run_program([sys.executable, "-c", code]).ok().stdout.split()
    assert sorted(said) == sorted(each.version for each in OLD)


@pytest.mark.parametrize("kind", BODIES)
def test_the_body_of_a_redirect_is_not_read(
    machine: Machine, upstream: Upstream, kind: str
) -> None:
    upstream.publish("0.25.0")
    encoding, again = BODIES[kind]
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    asset = github_asset_path("0.25.0", "linux-x86_64").encode()
    head = b"HTTP/1.1 302 Found\r\nLocation: " + asset + b"\r\n" + encoding
    reply = Endless(head + b"Transfer-Encoding: chunked\r\n\r\n", again, 1 << 40)
    upstream.server.answer(github_download_path("0.25.0", "linux-x86_64"), reply)
    machine.install("0.25.0", "--source", "github").ok()
