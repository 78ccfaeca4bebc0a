"""The installer that tests run: this checkout's, but for the releases that it knows.

Tests make releases up, and one that is known must have the digest that was published.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assemble import install_sh

REPOSITORY = Path(__file__).resolve().parents[2]
_VARIABLE = "WASP_TESTS_CHECKOUT"
#: What stays as it is; the rest is copied, as it looks for what is beside it.
_LINKED = (
    *("wasp_installer", "installed", "telemetry_ping.py", "requirements.lock"),
    *("LICENSE", "pyproject.toml"),
)


def checkout() -> Path:
    """A checkout whose installer knows no release; one for all workers of a run."""
    if _VARIABLE not in os.environ:
        folder = Path(tempfile.mkdtemp(prefix="wasp-tests-checkout-"))
        atexit.register(_remove, folder, os.getpid())
        make_checkout(folder, [])
        os.environ[_VARIABLE] = str(folder)
    return Path(os.environ[_VARIABLE])


def _remove(folder: Path, owner: int) -> None:
    """At the end of the process that has made it, not of one that was forked from that."""
    if os.getpid() == owner:
        shutil.rmtree(folder)


def make_checkout(folder: Path, releases: Sequence[Mapping[str, Any]]) -> Path:
    """Makes one whose installer knows these ``releases``, as packaging/releases.json has them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _LINKED:
        (folder / name).symlink_to(REPOSITORY / name)
    shutil.copy(REPOSITORY / "install.py", folder)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "packaging", folder / "packaging", ignore=ignored)
    (folder / "packaging" / "releases.json").write_text(json.dumps({"releases": releases}))
    text = install_sh({"releases": releases})
    (folder / "install.sh").write_text(text, encoding="utf-8")
    (folder / "program").write_text(program_in(text), encoding="utf-8")
    return folder


def program_in(install_sh: str) -> str:
    """The here-document of the prelude, which writes it into a file."""
    _, _, rest = install_sh.partition("<<'WASP_INSTALLER'\n")
    program, end, _ = rest.partition("\nWASP_INSTALLER\n")
    assert end, "install.sh has no program"
    return program + "\n"


def with_program(install_sh: str, program: str) -> str:
    """The same prelude around another program."""
    return install_sh.replace(program_in(install_sh), program)
