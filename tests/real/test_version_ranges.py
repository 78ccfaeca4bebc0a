"""Version ranges and their order, with npm's own library as the judge."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import pytest
from telemetry_messages import is_in_range, version_key

from tests.support.registries import npm_environment, npm_package
from tests.support.toolboxes import real_tool

pytestmark = pytest.mark.real

_JUDGE = """
const semver = require(process.argv[1])
const { ranges, pairs } = JSON.parse(require("fs").readFileSync(0, "utf8"))
const options = { includePrerelease: true }
console.log(JSON.stringify([
  ranges.map(([version, range]) => semver.satisfies(version, range, options)),
  pairs.map(([one, other]) => semver.compare(one, other)),
]))
"""
SUFFIXES = ["-rc1", "-rc2", "-rc10", "-rc.1", "-rc.2", "-rc.10", "-0", "-a.b.1", "-1"]
DICE = random.Random(20_000)


def version(suffixes: list[str]) -> str:
    numbers = DICE.choices([0, 1, 2, 9, 10, 25, 26, 100], k=3)
    return ".".join(map(str, numbers)) + DICE.choice(["", "", "", *suffixes])


def comparators() -> str:
    operators = DICE.choices([">=", "<=", ">", "<", "=", ""], k=DICE.choice([1, 2, 2, 3]))
    return " ".join(f"{it}{version(DICE.choice([SUFFIXES, [], []]))}" for it in operators)


def alternatives() -> str:
    both = DICE.choice([" || ", "||"]).join([comparators(), comparators()])
    return DICE.choice([comparators(), comparators(), both])


def test_npm_would_say_the_same(registry: str, shared_folder: Path, tmp_path: Path) -> None:
    semver = npm_package("semver@7", shared_folder / "semver", registry)
    ranges = [(version(SUFFIXES), alternatives()) for _ in range(20_000)]
    pairs = [(version(SUFFIXES), version(SUFFIXES)) for _ in range(5_000)]
    judged = subprocess.run(
        [str(real_tool("node")), "-e", _JUDGE, str(semver)],
        input=json.dumps({"ranges": ranges, "pairs": pairs}),
        capture_output=True,
        text=True,
        env=npm_environment(tmp_path, registry),
        check=True,
    )
    in_range, orders = json.loads(judged.stdout)
    assert sum(in_range) > 1000
    for (one, text), verdict in zip(ranges, in_range):
        assert is_in_range(one, text) is verdict, (one, text)
    for (one, other), verdict in zip(pairs, orders):
        first, second = version_key(one), version_key(other)
        assert (first > second) - (first < second) == verdict, (one, other)
