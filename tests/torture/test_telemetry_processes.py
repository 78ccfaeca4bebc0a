"""A thousand commands while the collector hangs: how many processes they make, for how long."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import telemetry_ping as ping
from tests.support.certificates import Authority
from tests.support.collector import Collector
from tests.support.installed import Installed
from tests.support.processes import marked
from tests.support.replies import Content, Drip
from tests.support.scale import Scale
from tests.torture.tallies import Tally

pytestmark = pytest.mark.timeout(900)

AREA = "Telemetry processes"
# Each byte is an answer that goes on, so nothing but the deadline ends it; a whole takes a minute.
HANGING = Drip(b"x" * 300, pieces=300, pause=0.2)
# What a machine that is busy with other things may add to the deadline.
SLACK_S = 20.0


@dataclass
class Census:
    """Counts the telemetry processes of a machine again and again, beside what the test does."""

    mark: str
    #: When each of those that send was first and last seen at it.
    first_seen: dict[int, float] = field(default_factory=dict)
    last_seen: dict[int, float] = field(default_factory=dict)
    most: Counter[str] = field(default_factory=Counter)
    _ended: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def taken(self) -> Iterator[Census]:
        thread = threading.Thread(target=self._take)
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join()

    def _take(self) -> None:
        while not self._ended.wait(0.05):
            now = time.monotonic()
            alive = [pid for pid, command in marked(self.mark).items() if is_telemetry(command)]
            sending = [pid for pid in alive if has_socket(pid)]
            for pid in sending:
                self.first_seen.setdefault(pid, now)
                self.last_seen[pid] = now
            self._note("alive", len(alive))
            # Those that were there before and after a moment were all there at that moment.
            self._note("sending", sum(map(has_socket, sending)))

    def _note(self, what: str, number: int) -> None:
        self.most[what] = max(self.most[what], number)

    def longest_s(self) -> float:
        return max(self.last_seen[pid] - self.first_seen[pid] for pid in self.first_seen)


def is_telemetry(command: str) -> bool:
    return " invoked " in command


def has_socket(pid: int) -> bool:
    folder = f"/proc/{pid}/fd"
    with contextlib.suppress(OSError):
        return any(
            os.readlink(f"{folder}/{name}").startswith("socket:") for name in os.listdir(folder)
        )
    return False


@pytest.fixture
def project(tmp_path: Path, authority: Authority, collector: Collector) -> Installed:
    project = Installed(tmp_path, authority, collector)
    collector.reply = HANGING
    collector.server.fallback = HANGING
    return project.set(WASP_AUTO_NEWS_DISABLE=None)


def run_all(project: Installed, folders: list[Path], script: str) -> None:
    """Runs `wasp` in the folders, twenty at a time, as a script over many projects would."""
    argv = ["xargs", "-0", "-n", "1", "-P", "20", "sh", "-c", f'cd "$1" && {script}', "sh"]
    listed = "\0".join(map(str, folders)) + "\0"
    project.set(WASP=str(project.launcher))
    run = subprocess.run(
        argv, input=listed.encode(), env=project.environment, capture_output=True, cwd=project.here
    )
    assert run.returncode == 0, run.stderr


def test_many_projects_at_once_make_few_processes(
    project: Installed, collector: Collector, scale: Scale, tally: Tally
) -> None:
    count = max(5 * ping.SENDERS_LIMIT, scale.times(120, most=1000))
    folders = [project.home / f"project {number}" for number in range(count)]
    for folder in folders:
        folder.mkdir()
        (folder / ".wasproot").touch()
    with Census(project.mark).taken() as census, project.waiting() as waiting:
        run_all(project, folders, '"$WASP" deploy fly; :')
        children = Path(f"/proc/{waiting.pid}/task/{waiting.pid}/children").read_text()
    assert children == ""
    assert 1 <= census.most["sending"] <= ping.SENDERS_LIMIT
    assert census.longest_s() <= ping.DEADLINE_S + SLACK_S
    check_that_none_is_forgotten(project, collector, folders)
    tally(AREA, "Commands in as many projects", count)
    tally(AREA, "Telemetry processes that sent at once, at most", census.most["sending"])
    tally(AREA, "Telemetry processes alive at once, at most", census.most["alive"])
    tally(AREA, "Seconds that the longest of them took", round(census.longest_s()))


def check_that_none_is_forgotten(
    project: Installed, collector: Collector, folders: list[Path]
) -> None:
    """A project for which there was no process sends with its next command, deploy and all."""
    told = {delivery.properties["project_hash"] for delivery in collector.deliveries}
    assert len(told) < len(folders)
    collector.forget()
    collector.reply = collector.server.fallback = Content(b"{}")
    store = ping.Store(str(project.cache))
    unheard = [folder for folder in folders if store.project_hash(str(folder)) not in told]
    project.used("version", folder=unheard[-1])
    [delivery] = collector.deliveries
    assert delivery.properties["deploy_cmd_args"] == "fly"


def test_many_commands_in_one_project_make_two_senders(
    project: Installed, collector: Collector, scale: Scale, tally: Tally
) -> None:
    count = scale.times(120, most=1000)
    with Census(project.mark).taken() as census:
        run_all(project, [project.folder] * (count // 2), '"$WASP" version; "$WASP" build; :')
        project.settle()
    assert sorted(delivery.properties["is_build"] for delivery in collector.deliveries) == [
        False,
        True,
    ]
    assert 1 <= census.most["sending"] <= 2
    assert census.longest_s() <= ping.DEADLINE_S + SLACK_S
    tally(AREA, "Commands in one project", count)
