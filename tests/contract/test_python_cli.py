"""`notify_invocation`, for CLIs that are Python themselves."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import telemetry_ping
from tests.support.collector import Collector
from tests.support.machines import MachineRoom, Run
from tests.support.projects import Project
from tests.support.replies import Stall

CLI = """
import sys
sys.path.insert(0, {folder!r})
import telemetry_ping
telemetry_ping.notify_invocation(sys.argv[1:], "0.25.0")
print("done")
children = open(f"/proc/self/task/{{__import__('os').getpid()}}/children").read()
print("children:", children)
"""


@pytest.fixture
def project(machines: MachineRoom, collector: Collector) -> Project:
    project = machines.build_as(Project, "python")
    script = CLI.format(folder=str(Path(telemetry_ping.__file__).parent))
    (project.root / "cli.py").write_text(script)
    project.collects(collector)
    return project


def call(project: Project, *arguments: str, folder: Path | None = None) -> Run:
    argv = [sys.executable, str(project.root / "cli.py"), *arguments]
    return project.run_program(argv, cwd=folder or project.folder).ok()


def test_a_call_sends_one_event(project: Project, collector: Collector) -> None:
    for _ in range(2):
        run = call(project, "deploy", "fly", "secret")
        assert (run.stdout, run.stderr) == ("done\nchildren: \n", "")
        project.wait_for_background()
    [delivery] = collector.deliveries
    assert delivery.properties["deploy_cmd_args"] == "fly"
    assert delivery.properties["wasp_version"] == "0.25.0"


def test_it_returns_at_once_and_leaves_no_child(project: Project, collector: Collector) -> None:
    collector.reply = Stall()
    assert call(project, "version").stdout == "done\nchildren: \n"
    collector.wait_for(1)
    [sender] = project.processes()
    assert os.getsid(sender) != os.getsid(0)
    os.kill(sender, 15)
    project.wait_for_background()


@pytest.mark.parametrize(
    ("variables", "arguments"),
    [
        ({"WASP_TELEMETRY_DISABLE": ""}, ["version"]),
        ({"DO_NOT_TRACK": "1"}, ["version"]),
        ({}, ["completion:list"]),
        ({"HOME": "/no/such/home"}, ["version"]),
    ],
    ids=["disabled", "do-not-track", "completion", "no-home"],
)
def test_what_is_not_counted(
    project: Project, collector: Collector, variables: dict[str, str], arguments: list[str]
) -> None:
    run = call(project.set(**variables), *arguments)
    assert (run.stdout, run.stderr) == ("done\nchildren: \n", "")
    project.wait_for_background()
    assert collector.server.connections == 0
    assert not project.cache.exists()


def test_outside_a_project_nothing_is_counted(project: Project, collector: Collector) -> None:
    call(project, "version", folder=project.here)
    project.wait_for_background()
    assert collector.server.connections == 0


def test_debugging_prints_the_event(project: Project, collector: Collector) -> None:
    run = call(project.set(WASP_TELEMETRY_DEBUG="1"), "version")
    assert run.stderr.startswith('{"api_key"')
    project.wait_for_background()
    assert collector.deliveries == []
