"""Breaks lines of the code one by one, runs the tests that run them, and says which nobody noticed.

python -m tests.mutants --seed 1 --count 60 --only sh --jobs 2
"""

from __future__ import annotations

import argparse
import fcntl
import itertools
import os
import queue
import random
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tests.mutants import python_code, sh_code
from tests.mutants.code import MODULE, REPOSITORY, Change, Mutant, innermost
from tests.mutants.coverage import NO_FUNCTION, KnownTest, read_map, sources, tests_for
from tests.mutants.sandbox import CHOSEN, FOLDER, TOO_LONG, Copy

LANGUAGES = {"python": python_code, "sh": sh_code}
_HERE = Path(__file__).parent
#: Functions that only Windows runs; tests of them need wine (WASP_TESTS_FULL=1).
_ON_WINDOWS = (
    "wasp_installer/windows/commands.py::execute",
    "wasp_installer/windows/user_path.py::announce_change",
)


class Listed(NamedTuple):
    """A change that a file of this folder lists: the lines that go, and those that come."""

    file: str
    old: tuple[str, ...]
    new: tuple[str, ...]


class Result(NamedTuple):
    """What came of a mutant; ``by`` is what noticed it, or "" when it survived."""

    mutant: Mutant
    tests: int
    by: str


def read_list(name: str) -> list[Listed]:
    """A file's name, then its lines behind "-" and the new ones behind "+", indented or not."""
    text = (_HERE / name).read_text(encoding="utf-8")
    return [
        Listed(
            file,
            tuple(line[2:].strip() for line in old.splitlines()),
            tuple(line[2:].rstrip() for line in new.splitlines()),
        )
        for file, old, new in re.findall(
            r"^([^#\s+-].*)\n((?:-.*\n)+)((?:\+.*\n)*)", text, re.MULTILINE
        )
    ]


class Code:
    """The code of one language, and its mutants."""

    def __init__(self, language: str) -> None:
        self._of = LANGUAGES[language]
        self._texts = {
            file: (REPOSITORY / file).read_text(encoding="utf-8") for file in sources(language)
        }
        self._functions = {file: self._of.functions(text) for file, text in self._texts.items()}

    def mutants(self, rng: random.Random, count: int) -> list[Mutant]:
        """One of each of so many lines, all drawn by lot."""
        equivalent = {(file, line) for file, old, _ in read_list("equivalent.txt") for line in old}
        by_line: defaultdict[tuple[str, int], list[Mutant]] = defaultdict(list)
        for file, text in self._texts.items():
            for change in self._of.changes(text):
                mutant = Mutant(file, text, change)
                inside = innermost(self._functions[file], mutant.line)
                is_left = (file, text.splitlines()[mutant.line - 1].strip()) in equivalent
                if not is_left and (inside is None or f"{file}::{inside.name}" not in _ON_WINDOWS):
                    by_line[file, mutant.line].append(mutant)
        found: list[Mutant] = []
        for place in rng.sample(sorted(by_line), len(by_line)):
            rng.shuffle(by_line[place])
            able = (self._placed(mutant) for mutant in by_line[place] if self._parses(mutant))
            found += itertools.islice(able, 1)
            if len(found) == count:
                break
        return found

    def guards(self) -> Iterator[Mutant]:
        """Those that guards.txt lists."""
        for file, old, new in read_list("guards.txt"):
            if file in self._texts:
                text = self._texts[file]
                pattern = r"\n\s*".join(map(re.escape, old))
                places = list(re.finditer(rf"(?m)^([ \t]*)({pattern})$", text))
                if len(places) != 1:
                    sys.exit(f"guards.txt: {file} has {len(places)} times: {old}")
                indented = f"\n{places[0][1]}".join(new)
                yield self._placed(Mutant(file, text, Change(*places[0].span(2), indented)))

    @staticmethod
    def _parses(mutant: Mutant) -> bool:
        if mutant.file.endswith(".py"):
            return True
        asked = subprocess.run(["sh", "-n"], input=mutant.broken.encode(), capture_output=True)
        return asked.returncode == 0

    def _placed(self, mutant: Mutant) -> Mutant:
        """With the functions it is in; of a constant, those that name it."""
        functions = self._functions[mutant.file]
        inside = innermost(functions, mutant.line)
        if inside and inside.last > inside.first:
            names = [f"{mutant.file}::{inside.name}"]
        else:
            name = inside.name if inside else self._of.constant_at(mutant.text, mutant.line)
            names = [] if name == MODULE else list(self._naming(name))
        if not names:
            names = [f"{mutant.file}::{name}" for name in (MODULE, *(it.name for it in functions))]
        if mutant.file == "sh/state.sh" and not names[1:]:
            # What every run begins with.
            names = ["sh/main.sh::make_work_folder"]
        if inside is None:
            names.append(NO_FUNCTION)
        return replace(mutant, functions=tuple(names))

    def _naming(self, constant: str) -> Iterator[str]:
        for file, functions in self._functions.items():
            lines = self._texts[file].splitlines()
            for each in functions:
                body = "\n".join(lines[each.first : each.last])
                if re.search(rf"\b{re.escape(constant.rpartition('.')[2])}\b", body):
                    yield f"{file}::{each.name}"


def test_all(mutants: Sequence[Mutant], tests: Sequence[KnownTest], jobs: int) -> Iterator[Result]:
    """Runs for each mutant the tests that may notice it."""
    copies: queue.Queue[Copy] = queue.Queue()
    for number in range(jobs):
        copies.put(Copy(f"copy-{number}"))

    def test(mutant: Mutant) -> Result:
        chosen = tests_for(mutant.functions, tests)
        copy = copies.get()
        try:
            return Result(mutant, len(chosen), _noticed_by(copy, mutant, chosen) if chosen else "")
        finally:
            copies.put(copy)

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(test, mutants)


def _noticed_by(copy: Copy, mutant: Mutant, chosen: Sequence[KnownTest]) -> str:
    (copy.folder / CHOSEN).write_text("".join(f"{test.name}\n" for test in chosen))
    copy.write(mutant.file, mutant.broken)
    try:
        limit_s = 90 + 3 * sum(test.seconds for test in chosen)
        code, printed = copy.run_tests(["-x", f"@{CHOSEN}"], limit_s)
    finally:
        copy.write(mutant.file, mutant.text)
    if code == 0:
        return ""
    if code == TOO_LONG:
        return "(it does not end)"
    if code > 128:
        return "(a signal ends the tests)"
    # A test may be called by what a constant is.
    gone = set(re.findall(r"^ERROR: not found: \S*?(tests/.*)$", printed, re.MULTILINE))
    left = [test for test in chosen if test.name not in gone]
    if gone and len(left) < len(chosen):
        return _noticed_by(copy, mutant, left) if left else ""
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", printed, re.MULTILINE)
    if code == 1 and found:
        return found[1]
    # What cannot even be imported is noticed as well.
    if "rror" in printed and "no tests ran" not in printed:
        return "(the tests cannot start)"
    raise RuntimeError(f"{mutant.diff}\npytest ended with {code}:\n{printed}")


def main() -> int:
    """Prints the share that was noticed, and the survivors."""
    parser = argparse.ArgumentParser(prog="make mutants ARGS=…", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=60, help="of each language")
    parser.add_argument("--only", choices=LANGUAGES, help="the other language stays whole")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--guards", action="store_true", help="what guards.txt lists instead")
    parser.add_argument("--map", action="store_true", help="run all tests to see what they run")
    parser.add_argument("--verbose", action="store_true", help="say what noticed each")
    options = parser.parse_args()
    if sys.platform != "linux" or os.geteuid() != 0:
        parser.error("only root on Linux can shut broken code in")
    FOLDER.mkdir(exist_ok=True)
    # One at a time: the copies have the same names.
    turn = (FOLDER / "turn").open("w")
    fcntl.flock(turn, fcntl.LOCK_EX)
    tests = read_map(options.jobs, options.map)
    shares, survivors = [], []
    for language in [options.only] if options.only else LANGUAGES:
        code = Code(language)
        rng = random.Random(f"{language} {options.seed}")
        mutants = list(code.guards() if options.guards else code.mutants(rng, options.count))
        results = []
        for result in test_all(mutants, tests, options.jobs):
            results.append(result)
            if options.verbose:
                place = f"{result.mutant.file}:{result.mutant.line}"
                print(f"{place}: {result.by or 'SURVIVED'}", flush=True)
        noticed = sum(bool(result.by) for result in results)
        share = round(100 * noticed / max(1, len(results)))
        shares.append(f"{language}: {noticed} of {len(results)} were noticed ({share} %)")
        survivors += [result for result in results if not result.by]
    for result in survivors:
        print(f"\n{result.tests} tests did not notice:\n{result.mutant.diff}")
    print("\n".join(["", *shares]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
