"""The GitHub action, whose step is run as a runner runs it; and what the workflows may do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.packaging.jails import linter, run_to_end
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

    def __post_init__(self) -> None:
        super().__post_init__()
        self.script = self.root / "step.sh"
        self.script.write_text(STEP["run"])
        self.files = {
            name: self.root / name for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_ENV")
        }
        for path in self.files.values():
            path.touch()
        self.set(**{name: str(path) for name, path in self.files.items()})
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

    def told(self, name: str) -> dict[str, str]:
        lines = self.files[name].read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def runner(machines: MachineRoom, upstream: Upstream, collector: Collector) -> Runner:
    """Nothing but the inputs decides about telemetry."""
    upstream.publish("0.24.0")
    upstream.publish("0.25.0")
    return machines.build_as(Runner, "dash").collects(collector)


def test_it_is_a_composite_action_with_the_keys_that_github_knows() -> None:
    assert set(ACTION) == {"name", "description", "branding", "inputs", "outputs", "runs"}
    assert set(ACTION["inputs"]) == {"version", "prefix", "telemetry"}
    for each in ACTION["inputs"].values():
        assert isinstance(each["default"], str)
        assert each["description"]
    outputs = {name: each["value"] for name, each in ACTION["outputs"].items()}
    assert outputs == {
        name: f"${{{{ steps.{STEP['id']}.outputs.{name} }}}}" for name in ("version", "executable")
    }
    assert ACTION["runs"]["using"] == "composite"
    assert set(STEP) == {"id", "shell", "env", "run"}


def test_shellcheck_has_nothing_to_say(tmp_path: Path) -> None:
    script = tmp_path / "step.sh"
    script.write_text(STEP["run"])
    shellcheck = [linter("shellcheck"), f"--shell={STEP['shell']}", str(script)]
    assert run_to_end(shellcheck, {}).ok().stdout == ""


def test_it_installs_and_tells_the_next_steps(runner: Runner) -> None:
    runner.step(telemetry="false").ok()
    executable = str(runner.layout.launcher)
    assert runner.told("GITHUB_OUTPUT") == {"version": "0.25.0", "executable": executable}
    assert runner.files["GITHUB_PATH"].read_text() == f"{runner.layout.launcher.parent}\n"
    assert runner.run_program([executable, "version"]).ok().stdout == "0.25.0\n"
    # Again, as in a job with a cache.
    runner.step(telemetry="false").ok()


def test_version_and_prefix_are_what_is_asked_for(runner: Runner) -> None:
    prefix = runner.root / "a tool; cache"
    runner.step(version="v0.24.0", prefix=str(prefix), telemetry="false").ok()
    told = runner.told("GITHUB_OUTPUT")
    assert told == {"version": "0.24.0", "executable": f"{prefix}/bin/wasp"}
    assert not (runner.home / ".local").exists()


def test_the_input_decides_about_telemetry(runner: Runner, collector: Collector) -> None:
    runner.step(telemetry="false").ok()
    assert runner.told("GITHUB_ENV") == {"WASP_TELEMETRY_DISABLE": "1"}
    runner.wait_for_background()
    assert collector.events == []
    runner.step(version="0.24.0").ok()
    [event] = collector.wait_for(1)
    assert event["event"] == "install-script:run"
    runner.wait_for_background()


def test_what_goes_wrong_is_an_annotation_and_the_exit_code(runner: Runner) -> None:
    run = runner.step(version="0.99.0", telemetry="false")
    assert run.code == 5
    assert (
        "::error::Wasp was not installed (no-such-version): no source has Wasp 0.99.0" in run.stdout
    )
    assert runner.told("GITHUB_OUTPUT") == {}
    assert runner.step(version="$(id)", telemetry="false").code == 2
    refused = runner.step(telemetry="maybe")
    assert refused.code == 2
    assert "::error::telemetry is 'maybe'" in refused.stdout
    assert runner.layout.versions() == []


# --- The workflows: what they may do, and whose code they run. Nobody runs them here. -------------

WORKFLOWS = REPOSITORY / ".github" / "workflows"
NAMES = ("ci", "release")
#: That of another action than GitHub's own would have to be thought about.
PINNED = re.compile(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def text_of(name: str) -> str:
    return (WORKFLOWS / f"{name}.yml").read_text()


def jobs(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(text_of(name))["jobs"]
    return found


def steps(name: str) -> Iterator[dict[str, Any]]:
    for job in jobs(name).values():
        yield from job["steps"]


def test_these_are_all() -> None:
    assert sorted(path.name for path in WORKFLOWS.iterdir()) == [f"{name}.yml" for name in NAMES]


def test_zizmor_has_nothing_to_say() -> None:
    """It finds what others could make a workflow do (https://docs.zizmor.sh/audits), such as by an
    expression in a script."""
    command = [linter("zizmor"), "--offline", "--no-config", "--no-progress", "--persona=pedantic"]
    places = [str(WORKFLOWS), str(REPOSITORY / "packaging" / "github-action")]
    run_to_end([*command, *places], {}).ok()


@pytest.mark.parametrize("name", NAMES)
def test_every_action_is_pinned_to_a_commit_and_says_its_version(name: str) -> None:
    used = re.findall(r"uses: (.+)", text_of(name))
    assert used
    assert [line for line in used if not PINNED.fullmatch(line)] == []


def test_an_action_has_one_commit_everywhere() -> None:
    used = {line for name in NAMES for line in re.findall(r"uses: (.+)", text_of(name))}
    assert len({line.partition("@")[0] for line in used}) == len(used)


@pytest.mark.parametrize("name", NAMES)
def test_a_job_may_do_nothing_but_what_it_names(name: str) -> None:
    assert yaml.safe_load(text_of(name))["permissions"] == {}
    for title, job in jobs(name).items():
        if title != "publish":
            assert job["permissions"] == {"contents": "read"}, title


def test_only_what_publishes_may_write_and_it_runs_no_code_of_the_repository() -> None:
    job = jobs("release")["publish"]
    assert job["permissions"] == dict.fromkeys(("contents", "id-token", "attestations"), "write")
    assert job["needs"] == "make"
    used = [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step]
    assert used == ["actions/download-artifact", "actions/attest-build-provenance"]
    run = [step["run"].split()[0] for step in job["steps"] if "run" in step]
    assert run == ["sha256sum", "gh"]


@pytest.mark.parametrize("name", NAMES)
def test_a_checkout_leaves_no_token(name: str) -> None:
    found = [step for step in steps(name) if "checkout" in step.get("uses", "")]
    assert found
    assert all(step["with"] == {"persist-credentials": False} for step in found)


def test_no_event_is_sent() -> None:
    for name in NAMES:
        assert yaml.safe_load(text_of(name))["env"]["WASP_TELEMETRY_DISABLE"] == "1"


def test_a_release_needs_a_tag() -> None:
    # YAML 1.1 reads the key "on" as true.
    [event] = yaml.safe_load(text_of("release"))[True].items()
    assert event == ("push", {"tags": ["v*"]})
