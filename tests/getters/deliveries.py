"""Releases in files, taken by the functions of both getters with no install around them."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.functions import call_functions
from tests.support.machines import Machine
from tests.support.porcelain import from_porcelain
from tests.support.trees import Entry, picture
from wasp_installer import Console, InstallerError
from wasp_installer.command_line.options import parse
from wasp_installer.delivering import Delivery
from wasp_installer.getting.platforms import Platform
from wasp_installer.placing.staging import Staging

LINUX = Platform("linux", "x86_64", "glibc", "linux-x64-glibc", ["linux-x86_64"])
_CALL = """
result() {{ :; }}
parse_arguments --porcelain --quiet {words}
check_arguments
name_owner
os=linux arch=x86_64 libc=glibc npm_build=linux-x64-glibc github_builds=linux-x86_64
make_staging
{settings}
take_file
cp -Rp "$staging/new" '{folder}/taken'
lines "version=$version" "digest=$release_digest" "node=$release_node"
leave 0
"""
#: Archives by name, each alone or with options.
Files = Mapping[str, "bytes | tuple[bytes, str]"]
Take = Callable[..., "dict[str, tuple[Taken, Taken]]"]


@dataclass(frozen=True)
class Taken:
    """What came of a file: a release, or the slug and the words of a refusal."""

    slug: str = ""
    words: str = ""
    version: str = ""
    digest: str = ""
    node: str = ""
    files: Mapping[str, Entry] = field(default_factory=dict)


def _by_python(words: list[str]) -> Taken:
    options = parse(words)
    try:
        with Staging(options.share) as staging:
            delivery = Delivery(options, Console(quiet=True), LINUX, staging)
            release = delivery.from_file(options.from_file or "")
            files = picture(staging.new)
    except InstallerError as error:
        return Taken(error.slug, f"{error.message}\n{error.hint}")
    return Taken("", "", release.version, release.digest or "", release.node or "", files)


def _by_sh(said: str, files: dict[str, Entry]) -> Taken:
    told = from_porcelain("\n".join(re.findall(r"^(?!warning)\w+=.*", said, re.MULTILINE)))
    assert bool(files) == ("error" not in told), said
    if "error" in told:
        return Taken(told["error"], f"{told['message']}\n{told['hint']}")
    version, digest, node = (told[key] or "" for key in ("version", "digest", "node"))
    return Taken("", "", version, digest, node, files)


@pytest.fixture
def take(shell_machine: Machine) -> Take:
    """Takes each file by the sh program and by install.py; nothing is left anywhere of a run.

    ``settings`` is what the sh program is told besides, and ``program`` another text of it.
    """

    def take(
        files: Files, *, settings: str = "", program: Path | None = None
    ) -> dict[str, tuple[Taken, Taken]]:
        base = shell_machine.root / "deliveries"
        (base / "outside").mkdir(parents=True)
        (base / "outside" / "precious").write_text("precious\n")
        calls, words, taken = [], {}, {}
        for number, (name, given) in enumerate(files.items()):
            archive, options = given if isinstance(given, tuple) else (given, "")
            folder = base / str(number)
            folder.mkdir()
            (folder / "wasp.tgz").write_bytes(archive)
            places = [f"--prefix={folder}/prefix", f"--from-file={folder}/wasp.tgz"]
            words[name] = [*places, *options.split()]
            shown = shlex.join(words[name])
            calls.append(_CALL.format(words=shown, settings=settings, folder=folder))
        before = picture(base)
        told = call_functions(shell_machine, calls, program=program)
        for number, (name, said) in enumerate(zip(files, told)):
            copy = base / str(number) / "taken"
            by_sh = _by_sh(said, picture(copy))
            shutil.rmtree(copy, ignore_errors=True)
            taken[name] = by_sh, _by_python(words[name])
        assert picture(base) == before
        assert (base / "outside" / "precious").stat().st_nlink == 1
        shutil.rmtree(base)
        return taken

    return take
