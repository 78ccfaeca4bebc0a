"""The GitHub action, whose step is run as a runner runs it; and what the workflows may do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.packaging.jails import finds_nothing
from tests.support.collector import Collector
from tests.support.frontends import CHECKOUT, REPOSITORY
from tests.support.machines import Machine, MachineRoom, Run
from tests.support.releases import Upstream
from tests.support.toolboxes import real_tool

FOLDER = CHECKOUT / "packaging" / "github-action"
ACTION: dict[str, Any] = yaml.safe_load((FOLDER / "action.yml").read_text())
[STEP] = ACTION["runs"]["steps"]


class Runner(Machine):
    """Runs the step with the files by which it tells the runner what comes of it."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.script = self.root / "step.sh"
        self.script.write_text(STEP["run"])
        for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_ENV"):
            (self.root / name).touch()
            self.set(**{name: str(self.root / name)})
        self.set(CI="true", GITHUB_ACTIONS="true", GITHUB_ACTION_PATH=str(FOLDER))

    def step(self, **inputs: str) -> Run:
        """Runs the step with these inputs."""
        given = {name: each["default"] for name, each in ACTION["inputs"].items()} | inputs
        variables = {
            name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: given[found[1]], value)
            for name, value in STEP["env"].items()
        }
        argv = [str(real_tool("sh")), "-e", str(self.script)]
        return self.run_program(argv, env=variables)

    def told(self, name: str) -> list[str]:
        return (self.root / name).read_text().splitlines()


@pytest.fixture
def runner(machines: MachineRoom, upstream: Upstream, collector: Collector) -> Runner:
    """Nothing but the inputs decides about telemetry."""
    upstream.publish("0.24.0")
    upstream.publish("0.25.0")
    return machines.build_as(Runner, "dash").collects(collector)


def test_it_is_an_action_as_github_wants_it(tmp_path: Path) -> None:
    assert set(ACTION) == {"name", "description", "branding", "inputs", "outputs", "runs"}
    assert {name: each["value"] for name, each in ACTION["outputs"].items()} == {
        name: f"${{{{ steps.{STEP['id']}.outputs.{name} }}}}" for name in ("version", "executable")
    }
    assert (ACTION["runs"]["using"], set(STEP)) == ("composite", {"id", "shell", "env", "run"})
    script = tmp_path / "step.sh"
    script.write_text(STEP["run"])
    finds_nothing("shellcheck", f"--shell={STEP['shell']}", script)


def test_it_installs_and_tells_the_next_steps(runner: Runner) -> None:
    executable = runner.layout.launcher
    # Twice, as in a job with a cache.
    for times in (1, 2):
        runner.step(telemetry="false").ok()
        assert (
            runner.told("GITHUB_OUTPUT") == ["version=0.25.0", f"executable={executable}"] * times
        )
    assert runner.told("GITHUB_PATH")[0] == str(executable.parent)
    assert runner.run_program([str(executable), "version"]).ok().stdout == "0.25.0\n"


def test_version_and_prefix_are_what_is_asked_for(runner: Runner) -> None:
    prefix = runner.root / "a tool; cache"
    runner.step(version="v0.24.0", prefix=str(prefix), telemetry="false").ok()
    assert runner.told("GITHUB_OUTPUT") == ["version=0.24.0", f"executable={prefix}/bin/wasp"]
    assert not (runner.home / ".local").exists()


def test_the_input_decides_about_telemetry(runner: Runner, collector: Collector) -> None:
    runner.step(telemetry="false").ok()
    assert runner.told("GITHUB_ENV") == ["WASP_TELEMETRY_DISABLE=1"]
    runner.wait_for_background()
    assert collector.events == []
    runner.step(version="0.24.0").ok()
    runner.wait_for_background()
    assert [event["event"] for event in collector.events] == ["install-script:run"]


@pytest.mark.parametrize(
    ("inputs", "code", "words"),
    [
        ({"version": "0.99.0"}, 5, "Wasp was not installed (no-such-version): no source has Wasp"),
        ({"version": "$(id)"}, 2, "Wasp was not installed (bad-version): "),
        ({"telemetry": "maybe"}, 2, "telemetry is 'maybe'"),
    ],
)
def test_what_goes_wrong_is_an_annotation_and_the_exit_code(
    runner: Runner, inputs: dict[str, str], code: int, words: str
) -> None:
    run = runner.step(**{"telemetry": "false", **inputs})
    assert run.code == code
    assert f"::error::{words}" in run.stdout
    assert runner.told("GITHUB_OUTPUT") == runner.layout.versions() == []


# --- The workflows: what they may do, and whose code they run. Nobody runs them here. -------------

WORKFLOWS = REPOSITORY / ".github" / "workflows"
#: That of another action than GitHub's own would have to be thought about.
PINNED = re.compile(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def test_zizmor_has_nothing_to_say() -> None:
    """It finds what others could make a workflow do (https://docs.zizmor.sh/audits): by an
    expression in a script, an action without a commit, a token that is left, needless rights."""
    quiet = ("--offline", "--no-config", "--no-progress", "--persona=pedantic")
    finds_nothing("zizmor", *quiet, WORKFLOWS, REPOSITORY / "packaging" / "github-action")


@pytest.mark.parametrize("name", ["ci", "release"])
def test_a_workflow_reads_sends_no_event_and_runs_nobody_elses_code(name: str) -> None:
    text = (WORKFLOWS / f"{name}.yml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow["env"]["WASP_TELEMETRY_DISABLE"] == "1"
    assert [line for line in re.findall(r"uses: (.+)", text) if not PINNED.fullmatch(line)] == []
    for title, job in workflow["jobs"].items():
        assert job["permissions"] == {"contents": "read"} or title == "publish"


def test_only_a_tag_publishes_by_a_job_that_runs_no_code_of_the_repository() -> None:
    workflow = yaml.safe_load((WORKFLOWS / "release.yml").read_text())
    # YAML 1.1 reads the key "on" as true.
    assert workflow[True] == {"push": {"tags": ["v*"]}}
    job = workflow["jobs"]["publish"]
    assert job["permissions"] == dict.fromkeys(("contents", "id-token", "attestations"), "write")
    assert job["needs"] == "make"
    used = [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step]
    assert used == ["actions/download-artifact", "actions/attest-build-provenance"]
    run = [step["run"].split()[0] for step in job["steps"] if "run" in step]
    assert run == ["sha256sum", "gh"]
