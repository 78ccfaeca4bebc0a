"""What lies around: the environment, the current folder, and links where something is written."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from pathlib import Path

import pytest

from tests.support.collector import Collector
from tests.support.filesystems import give_away, without_privileges
from tests.support.frontends import INSTALL_PY, FrontEnd
from tests.support.getters import Getters
from tests.support.releases import Upstream
from tests.support.toolboxes import real_tool
from tests.support.trees import picture

#: What a checkout can bring along, or a file that some tool reads into the environment.
MODULES = ("sitecustomize", "usercustomize", "json", "os", "venv", "pip", "requests", "hashlib")


def test_what_lies_around_injects_nothing(
    both: Getters, upstream: Upstream, collector: Collector
) -> None:
    """What a shell, tar, gzip, curl, Python and git would take from the environment, in a checkout
    with modules that Python would import, and programs that a shell would find."""
    upstream.publish("0.25.0")
    root, machine = both.machine.root, both.machine.collects(collector)
    mark, checkout = root / "was-here", root / "checkout"
    hook = f"touch {shlex.quote(str(mark))}\n"
    (root / "hook").write_text(hook)
    (root / ".curlrc").write_text(f'trace = "{mark}"\n')
    checkout.mkdir()
    for name in MODULES:
        (checkout / f"{name}.py").write_text(f"open({str(mark)!r}, 'w')\n")
    for name in ("curl", "tar", "gzip", "sh", "wasp", "wasp-bin", "npm"):
        (checkout / name).write_text(f"#!/bin/sh\n{hook}")
        (checkout / name).chmod(0o755)
    (checkout / ".wasproot").touch()
    # A helper that is a script of bash's, as ldd is.
    machine.toolbox.script("bash", f'exec {real_tool("bash")} "$@"')
    ldd = machine.toolbox.folder / "ldd"
    ldd.write_text(f"#!{real_tool('bash')}\necho 'ldd (GNU libc) 2.36'\n")
    machine.set(
        **dict.fromkeys(("BASH_ENV", "ENV", "PYTHONSTARTUP", "GIT_SSH_COMMAND"), f"{root}/hook"),
        TAR_OPTIONS=f"--checkpoint=1 --checkpoint-action=exec={root}/hook",
        GZIP="--keep --name",
        CURL_HOME=str(root),
        PYTHONPATH=str(checkout),
        GIT_EXEC_PATH=str(root),
        LESSOPEN=f"|{root}/hook %s",
        PERL5OPT="-MDoesNotExist",
        POSIXLY_CORRECT="1",
        IFS="/",
        CDPATH=str(root),
    )
    # Whether Python reads PYTHONPATH is up to who starts it.
    both.python = FrontEnd("python", lambda: [sys.executable, "-I", str(INSTALL_PY)])
    both.install("0.25.0", "--source", "github", cwd=checkout).ok()
    assert not mark.exists()
    wasp = str(machine.layout.launcher)
    assert machine.run_program([wasp, "version"], cwd=checkout).ok().stdout == "0.25.0\n"
    machine.run_program([wasp, "telemetry"], cwd=checkout).ok()
    machine.wait_for_background()
    assert not mark.exists()
    assert collector.deliveries


# --- links


@pytest.fixture
def precious(both: Getters) -> Path:
    """A folder that nothing here has to do with."""
    folder = both.machine.root / "precious"
    folder.mkdir()
    (folder / "file").write_text("precious\n")
    return folder


def test_what_is_left_in_the_temporary_folder(
    both: Getters, upstream: Upstream, precious: Path
) -> None:
    """Links with names such as this installer's, and a folder that another user has left, all old
    enough to be cleaned up; nothing is said of what cannot be removed."""
    upstream.publish("0.25.0")
    before, temporary = picture(precious), both.machine.temporary
    names = ("wasp-installer-999999999-abcdef", "wasp-npm-abcdefgh", "wasp-installer-1-abcdef")
    links = [temporary / name for name in names]
    mine, theirs = (temporary / f"wasp-installer-99999999{n}-abcdef" for n in "78")
    for folder in (mine, theirs):
        folder.mkdir()
        links.append(folder / "link")
    for link in links:
        link.symlink_to(precious)
    old = time.time() - 200_000
    for path in (*links, mine, theirs):
        os.utime(path, (old, old), follow_symlinks=False)
    give_away(theirs)
    give_away(temporary)
    temporary.chmod(0o1777)
    both.machine.wrapper = without_privileges()
    both.install().ok().is_silent_about("rm:", "permission", "permitted")
    assert picture(precious) == before
    assert (theirs / "link").is_symlink()
    shutil.rmtree(theirs)
    for link in links:
        link.unlink(missing_ok=True)


def test_links_in_the_prefix(both: Getters, upstream: Upstream, precious: Path) -> None:
    """In the place of everything that an install writes there, to a file, a folder and nothing."""
    upstream.publish("0.25.0")
    both.install().ok()
    share = both.machine.layout.share
    written = [path for path in (*share.iterdir(), both.machine.layout.launcher) if path.is_file()]
    assert len(written) > 5
    before = picture(precious)
    for target in (precious / "file", precious, precious / "new"):
        for path in written:
            path.unlink()
            path.symlink_to(target)
        shutil.rmtree(share / "completions")
        (share / "completions").symlink_to(precious)
        both.install("0.25.0", "--force").ok()
        assert picture(precious) == before
        assert not [path for path in (*written, share / "completions") if path.is_symlink()]
