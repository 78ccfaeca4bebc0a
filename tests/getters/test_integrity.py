"""Checksums: when they are compared, with what, and what happens without them."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import pytest

from tests.getters.deliveries import Take
from tests.support.archives import sha256_hex, tiny_package
from tests.support.functions import call_functions
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.releases import Upstream
from tests.support.replies import LyingLength
from tests.support.toolboxes import HASH_TOOLS, Toolbox
from tests.support.trees import picture
from wasp_installer.placing.archives import ArchiveReceiver

ARCHIVE = tiny_package("0.25.0").npm_archive()
SHA256 = sha256_hex(ARCHIVE)


def test_ones_own_sha256(take: Take) -> None:
    options = {
        "right": f"--sha256 {SHA256.upper()} --require-checksum",
        "wrong": f"--sha256 {'0' * 64}",
        "none": "--require-checksum",
    }
    taken = take({name: (ARCHIVE, words) for name, words in options.items()})
    assert all(by_sh == by_python for by_sh, by_python in taken.values())
    slugs = {name: both[0].slug for name, both in taken.items()}
    assert slugs == {"right": "", "wrong": "checksum-mismatch", "none": "no-checksum"}
    assert taken["right"][0].digest == f"sha256:{SHA256}"
    assert "0" * 64 in (words := taken["wrong"][0].words)
    assert SHA256 in words


@pytest.mark.parametrize("source", ["npm", "github"])
def test_wrong_bytes_are_refused_and_no_other_source_is_tried(
    both: Getters, upstream: Upstream, source: str
) -> None:
    upstream.publish("0.25.0", npm=source == "npm")
    for path in list(upstream.server.known_paths()):
        if path.endswith("gz") and "/download/" not in path:
            upstream.server.answer(path, LyingLength(ARCHIVE, len(ARCHIVE) - 1))
    run = both.install("0.25.0").failed(6, "checksum-mismatch")
    run.says("sha512" if source == "npm" else "sha256")
    asked = {path.split("/")[1] for path in upstream.server.requests}
    assert "github" not in asked or source == "github"
    assert picture(both.machine.home) == {}


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_the_beginning_of_a_digest_is_none(
    shell_machine: Machine, tmp_path: Path, algorithm: str
) -> None:
    """Half of a SHA-512 is enough, since no more is known of what was published."""
    whole = f"{algorithm}:{hashlib.new(algorithm, ARCHIVE).hexdigest()}"
    digests = [whole[: len("sha256:") + digits] for digits in (0, 8, 63, 64, 66, 128)]
    (tmp_path / "archive").write_bytes(ARCHIVE)
    calls = [f"staging='{tmp_path}'\nverify_digest {each} && echo right" for each in digests]
    by_sh = [said == "right" for said in call_functions(shell_machine, calls)]
    with contextlib.closing(ArchiveReceiver(tmp_path, [algorithm])) as receiver:
        receiver.take(ARCHIVE)
        by_python = [bool(receiver.digest_like(each)) for each in digests]
    assert by_sh == by_python == [False] * 3 + [True] * 3


#: Hash tools on PATH, and whether they do.
TOOLS = {"sha256sum sha512sum": True, "shasum": True, "openssl": True, "": False}
BROKEN = ("cat >/dev/null", "exit 1", "kill -KILL $$")


def test_every_hash_tool_serves_and_one_that_does_not_work_is_no_pass(
    shell_machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "archive").write_bytes(ARCHIVE)
    path = shell_machine.toolbox.remove(*HASH_TOOLS).folder
    boxes = [Toolbox(tmp_path / str(n)).link(*tools.split()) for n, tools in enumerate(TOOLS)]
    for number, body in enumerate(BROKEN):
        box = Toolbox(tmp_path / f"broken-{number}")
        boxes.append(box.script("sha256sum", body).script("sha512sum", body))
    digests = [f"{name}:{hashlib.new(name, ARCHIVE).hexdigest()}" for name in ("sha256", "sha512")]
    calls = [
        f"PATH='{box.folder}:{path}' staging='{tmp_path}' porcelain=true\n"
        + "".join(f"verify_digest {digest}\n" for digest in digests)
        + "echo right"
        for box in boxes
    ]
    told = call_functions(shell_machine, calls)
    works = [*TOOLS.values(), *(False for _ in BROKEN)]
    assert [said == "right" for said in told] == works
    assert all("error=no-hash-tool" in said for said in told if said != "right")
