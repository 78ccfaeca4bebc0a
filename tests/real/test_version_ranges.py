"""Version ranges and their order, with npm's own library as the judge."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import pytest
import telemetry_messages

from tests.support.registries import npm_environment, npm_package
from tests.support.toolboxes import real_tool

pytestmark = pytest.mark.real

_JUDGE = """
const semver = require(process.argv[1])
const { ranges, pairs } = JSON.parse(require("fs").readFileSync(0, "utf8"))
const options = { includePrerelease: true }
console.log(JSON.stringify({
  ranges: ranges.map(([version, range]) => semver.satisfies(version, range, options)),
  pairs: pairs.map(([one, other]) => semver.compare(one, other)),
}))
"""


SUFFIXES = ("-rc1", "-rc2", "-rc10", "-rc.1", "-rc.2", "-rc.10", "-0", "-a.b.1", "-1")


def _release(dice: random.Random) -> str:
    return ".".join(str(dice.choice([0, 1, 2, 9, 10, 25, 26, 100])) for _ in range(3))


def _version(dice: random.Random) -> str:
    return _release(dice) + dice.choice(["", "", "", *SUFFIXES])


def _range(dice: random.Random) -> str:
    alternatives = [
        " ".join(
            dice.choice([">=", "<=", ">", "<", "=", ""])
            + dice.choice([_version, _release, _release])(dice)
            for _ in range(dice.choice([1, 2, 2, 3]))
        )
        for _ in range(dice.choice([1, 1, 2]))
    ]
    return dice.choice([" || ", "||"]).join(alternatives)


@pytest.fixture(scope="session")
def semver(registry: str, shared_folder: Path) -> Path:
    return npm_package("semver@7", shared_folder / "semver", registry)


def test_npm_would_say_the_same(semver: Path, registry: str, tmp_path: Path) -> None:
    dice = random.Random(20_000)
    ranges = [(_version(dice), _range(dice)) for _ in range(20_000)]
    pairs = [(_version(dice), _version(dice)) for _ in range(5_000)]
    judged = subprocess.run(
        [str(real_tool("node")), "-e", _JUDGE, str(semver)],
        input=json.dumps({"ranges": ranges, "pairs": pairs}),
        capture_output=True,
        text=True,
        env=npm_environment(tmp_path, registry),
        check=True,
    )
    verdicts = json.loads(judged.stdout)
    differing = [
        (version, text, verdict)
        for (version, text), verdict in zip(ranges, verdicts["ranges"])
        if telemetry_messages.is_in_range(version, text) is not verdict
    ]
    assert differing == []
    assert sum(verdicts["ranges"]) > 1000
    for (one, other), verdict in zip(pairs, verdicts["pairs"]):
        first, second = telemetry_messages.version_key(one), telemetry_messages.version_key(other)
        assert (first > second) - (first < second) == verdict, (one, other)
