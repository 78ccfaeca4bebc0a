"""Homes that are not one's own, what is to stay away, and what telemetry costs."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tests.support.filesystems import give_away, small_filesystem, without_privileges
from tests.support.installed import Installed, real_python


def check_silence(wasp: Installed) -> None:
    before = wasp.files()
    run = wasp.used("opted-out")
    assert (run.code, run.stdout, run.stderr) == (0, "1 1\n", "")
    assert wasp.collector.deliveries == []
    assert wasp.files() == before


def test_a_home_or_a_cache_of_another_user(wasp: Installed) -> None:
    cache = wasp.home / ".cache"
    cache.mkdir()
    give_away(cache)
    check_silence(wasp)
    for path in [wasp.home, *wasp.home.rglob("*")]:
        give_away(path)
    check_silence(wasp)


def test_a_home_that_is_read_only(wasp: Installed) -> None:
    wasp.home.chmod(0o555)
    argv = [*without_privileges(), str(wasp.launcher)]
    try:
        assert wasp.run([*argv, "opted-out"]).stdout == "1 1\n"
        wasp.settle()
        told = wasp.run([*argv, "telemetry"]).stdout
        assert told == "Telemetry: DISABLED (you have no home folder to write to)\n"
    finally:
        wasp.home.chmod(0o755)
    assert wasp.collector.deliveries == []
    assert not wasp.cache.exists()


def test_no_home(wasp: Installed) -> None:
    for home in (None, "", "relative", "/no/such/home"):
        check_silence(wasp.set(HOME=home))
    assert not Path("/no/such").exists()


def test_a_cache_elsewhere_is_made_but_nothing_above_it(wasp: Installed) -> None:
    wasp.set(XDG_CACHE_HOME=str(wasp.here / "missing" / "cache")).used("version")
    assert list(wasp.here.iterdir()) == []
    wasp.set(XDG_CACHE_HOME=f"{wasp.here}/cache/", HOME=f"{wasp.home}/").used("version")
    assert (wasp.here / "cache" / "wasp" / "telemetry" / "secret").exists()
    assert not wasp.cache.exists()
    assert len(wasp.collector.deliveries) == 1


#: Removes the home before a call that makes or opens something, each time before a later one, until
#: there is no such call any more; prints how many there were.
REMOVING = """
import mmap, os, shutil, sys
root, aside, project = sys.argv[1:]
home = os.environ["HOME"]
removed = mmap.mmap(-1, 1)
left = -1
watched = ("open", "os.mkdir", "os.rename", "os.remove", "os.chmod", "fcntl.flock", "os.listdir")
def watch(name, _):
    global left
    if name in watched and left >= 0:
        left -= 1
        if left < 0:
            removed[0] = 1
            shutil.rmtree(home)
sys.path.insert(0, root)
import telemetry_ping
sys.addaudithook(watch)
for number in range(1000):
    os.chdir("/")
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(aside, home)
    os.chdir(project)
    removed[0] = 0
    if os.fork() == 0:
        left = number
        telemetry_ping.run(["invoked", "0.25.0"])
    os.wait()
    if not removed[0]:
        break
    assert not os.path.exists(home), number
print(number)
"""


def test_a_home_that_is_removed_meanwhile_stays_away(wasp: Installed) -> None:
    """At any moment: each call that looks at a file is followed by the removal, in its turn."""
    aside = wasp.base / "aside"
    shutil.copytree(wasp.home, aside)
    argv = [real_python(), "-I", "-S", "-B", "-c", REMOVING, str(wasp.root), str(aside)]
    run = wasp.run([*argv, str(wasp.folder)]).ok()
    assert run.stderr == ""
    assert int(run.stdout) > 30
    assert wasp.cache.is_dir()


def test_an_uninstall_is_not_counted_and_brings_nothing_back(wasp: Installed, shell: str) -> None:
    wasp.used("version", shell=shell)
    wasp.state_file.unlink()
    wasp.binary.write_text('#!/bin/sh\nrm -rf "$HOME/.cache" "$HOME/.local"\n')
    wasp.used("uninstall", shell=shell).ok()
    assert wasp.files() == ["my app", "my app/.wasproot"]
    assert len(wasp.collector.deliveries) == 1


def test_a_full_disk(wasp: Installed) -> None:
    cache = wasp.base / "small"
    with small_filesystem(cache, "size=64k,mode=700"):
        (cache / "filler").write_bytes(b"x" * 65536)
        check_silence(wasp.set(XDG_CACHE_HOME=str(cache)))
        (cache / "filler").unlink()
        wasp.used("version")
        assert len(wasp.collector.deliveries) == 1


# --- what it costs


def test_python_keeps_what_it_compiled_in_a_folder_of_this_user_alone(wasp: Installed) -> None:
    module, kept = wasp.root / "telemetry_ping.py", wasp.root / "__pycache__"
    texts = []
    for _ in range(2):
        wasp.used("version")
        wasp.state_file.unlink()
        names = {file.name.partition(".")[0]: file for file in kept.iterdir()}
        assert sorted(names) == ["telemetry_messages", "telemetry_ping"]
        texts.append(names["telemetry_ping"].read_bytes())
        module.write_text(module.read_text() + "# of an update\n")
    assert texts[0] != texts[1]
    # And in that of another user, nothing.
    shutil.rmtree(kept)
    give_away(wasp.root)
    wasp.used("version")
    assert len(wasp.collector.deliveries) == 3
    assert not kept.exists()


def pythons() -> set[str]:
    """All that this machine has, from the oldest that the ping knows on; this one at least."""
    script = "import sys; print(sys.executable)"
    found = {real_python()}
    for version in (f"3.{minor}" for minor in range(8, 20)):
        # A version manager wants to be told which.
        command = ["env", f"PYENV_VERSION={version}", f"python{version}", "-I", "-S", "-c", script]
        found.update(subprocess.run(command, capture_output=True, text=True).stdout.split())
    return found


def test_any_python_of_the_machine_will_do(wasp: Installed) -> None:
    wasp.set(WASP_AUTO_NEWS_DISABLE=None)
    for python in pythons():
        wasp.put(wasp.prefix, python=python)
        shutil.rmtree(wasp.cache, ignore_errors=True)
        wasp.used("deploy", "fly").ok()
        event = wasp.collector.events.pop()
        assert event["properties"]["deploy_cmd_args"] == "fly", python
        assert (wasp.cache / "messages.json").exists(), python
        shown = wasp.called("telemetry", "show").ok()
        assert json.loads(shown.stdout)["distinct_id"] == event["distinct_id"], python
        assert "other commands: no event until 20" in shown.stderr, python
        wasp.collector.forget()
