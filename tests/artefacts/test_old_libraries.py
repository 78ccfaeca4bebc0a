"""The libraries for Python 3.9, which get no fixes any more: what is wrong there is not reached."""

from __future__ import annotations

from pathlib import Path

import pytest
from artefacts.lock import requirements

from tests.support.archives import sha256_hex
from tests.support.frontends import REPOSITORY
from tests.support.machines import MachineRoom
from tests.support.server import Server
from tests.threats.test_answers import reads_no_body_of_a_redirect

pytestmark = pytest.mark.real

OLD = [
    each
    for each in requirements((REPOSITORY / "requirements.lock").read_text())
    if each.condition == "sys.version_info < (3, 10)"
]


def test_the_body_of_a_redirect_is_not_read(
    machines: MachineRoom, server: Server, dist: Path, wheels: Path
) -> None:
    """``dist`` has seen to it that their wheels are there."""
    assert dist.exists()
    hashes = {digest for each in OLD for digest in each.hashes}
    found = [path for path in wheels.glob("*.whl") if sha256_hex(path.read_bytes()) in hashes]
    assert len(found) == len(OLD) == 2
    used = reads_no_body_of_a_redirect(machines.build("python"), server, found)
    assert sorted(used.split()) == sorted(each.version for each in OLD)
