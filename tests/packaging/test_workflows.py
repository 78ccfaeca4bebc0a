"""The GitHub workflows: what they may do, and whose code they run. Nobody runs them here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.packaging.jails import linter, run_to_end
from tests.support.frontends import REPOSITORY

FOLDER = REPOSITORY / ".github" / "workflows"
NAMES = ("ci", "release")
#: That of another action than GitHub's own would have to be thought about.
PINNED = re.compile(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.yml").read_text()


def jobs(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(text_of(name))["jobs"]
    return found


def steps(name: str) -> Iterator[dict[str, Any]]:
    for job in jobs(name).values():
        yield from job["steps"]


def test_these_are_all() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == [f"{name}.yml" for name in NAMES]


def test_zizmor_has_nothing_to_say() -> None:
    """It finds what others could make a workflow do (https://docs.zizmor.sh/audits)."""
    command = [linter("zizmor"), "--offline", "--no-config", "--no-progress", "--persona=pedantic"]
    places = [str(FOLDER), str(REPOSITORY / "packaging" / "github-action")]
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


@pytest.mark.parametrize("name", NAMES)
def test_a_script_holds_nothing_that_is_put_in_from_outside(name: str) -> None:
    """What ${{ }} stands for could be more script."""
    assert [step for step in steps(name) if "${{" in step.get("run", "")] == []


def test_no_event_is_sent() -> None:
    for name in NAMES:
        assert yaml.safe_load(text_of(name))["env"]["WASP_TELEMETRY_DISABLE"] == "1"


def test_a_release_needs_a_tag() -> None:
    # YAML 1.1 reads the key "on" as true.
    [event] = yaml.safe_load(text_of("release"))[True].items()
    assert event == ("push", {"tags": ["v*"]})
