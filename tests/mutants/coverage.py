"""Which tests run which function: found out once, kept, and asked for the tests of a mutant."""

from __future__ import annotations

import hashlib
import json
import queue
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from typing import NamedTuple, TypedDict

from tests.mutants import python_code, sh_code
from tests.mutants.code import REPOSITORY
from tests.mutants.sandbox import CHOSEN, FOLDER, Copy
from tests.mutants.tracing import NOTES, TRACE

MAP = FOLDER / "map.json"
#: What tests run that only compare texts, such as a page with the code.
NO_FUNCTION = "none"
#: How long the tests of one mutant took together when they were traced.
_LIMIT_S = 60.0
#: The same of those that come afterwards, if these have not noticed it.
_LAST_LIMIT_S = 600.0
#: What takes longer comes last.
_SLOW_S = 20.0
#: A whole run that takes no longer will do.
_WHOLE_S = 5.0
#: What `make test` does not run, or what needs the network.
_OTHERS = ("torture", "real", "artefacts")


class Note(TypedDict):
    """What the map has of a test."""

    test: str
    passed: bool
    seconds: float
    ran: list[str]


class KnownTest(NamedTuple):
    """A test that passes, how long it takes, and what it runs ("file::function")."""

    name: str
    seconds: float
    ran: frozenset[str]


def sources(language: str) -> list[str]:
    """The files that are broken."""
    if language == "python":
        found = sorted((REPOSITORY / "wasp_installer").rglob("*.py"))
        names = [str(path.relative_to(REPOSITORY)) for path in found]
        return [*names, "install.py", "telemetry_ping.py", "installed/telemetry_messages.py"]
    names = [f"sh/{path.name}" for path in sorted((REPOSITORY / "sh").glob("*.sh"))]
    return [*names, "installed/launcher", "installed/env.sh", "installed/project_version.sh"]


def read_map(jobs: int, anew: bool) -> list[KnownTest]:
    """The map; files of tests that it does not know as they are now are run once."""
    known = {} if anew or not MAP.exists() else json.loads(MAP.read_text())
    digests = {
        str(path.relative_to(REPOSITORY)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((REPOSITORY / "tests").rglob("test_*.py"))
        if path.parent.name not in _OTHERS and path.name != "test_mutants.py"
    }
    made = {file: known[file] for file in digests if file in known}
    wanted = [file for file in digests if made.get(file, {}).get("digest") != digests[file]]
    if wanted:
        for file, notes in _run(wanted, jobs):
            made[file] = {"digest": digests[file], "tests": notes}
            MAP.write_text(json.dumps(made))
    return [
        KnownTest(note["test"], note["seconds"], frozenset(note["ran"] or [NO_FUNCTION]))
        for file in sorted(made)
        for note in made[file]["tests"]
        if note["passed"]
    ]


def _run(files: list[str], jobs: int) -> Iterable[tuple[str, list[Note]]]:
    """What each of these files notes, run in copies whose code is traced."""
    copies: queue.Queue[tuple[Copy, Copy]] = queue.Queue()
    for number in range(jobs):
        copies.put((_traced_copy(f"traced-{number}"), Copy(f"copy-{number}")))

    def notes_of(file: str) -> tuple[str, list[Note]]:
        traced, whole = pair = copies.get()
        try:
            notes = _notes(traced, file)
            # What a trace disturbs, such as the count of open files, is not broken by that.
            failed = [note for note in notes if not note["passed"]]
            passed = {note["test"] for note in _notes(whole, *failed) if note["passed"]}
            for note in failed:
                note["passed"] = note["test"] in passed
        finally:
            copies.put(pair)
        print(f"{file}: {len(notes)} tests", flush=True)
        return file, notes

    files = sorted(files, key=lambda file: -(REPOSITORY / file).stat().st_size)
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(notes_of, files)


def _notes(copy: Copy, *tests: Note | str) -> list[Note]:
    """What is noted of these tests, each the name of a file or an earlier note."""
    if not tests:
        return []
    names = [each if isinstance(each, str) else each["test"] for each in tests]
    (copy.folder / CHOSEN).write_text("".join(f"{name}\n" for name in names))
    path = copy.folder / NOTES
    path.write_text("")
    copy.run_tests(["-p", "tests.mutants.tracing", f"@{CHOSEN}"])
    return [json.loads(line) for line in path.read_text().splitlines()]


def _traced_copy(name: str) -> Copy:
    copy = Copy(name)
    # Its install.sh is longer than a user's may be.
    assemble = copy.folder / "packaging" / "assemble.py"
    assemble.write_text(assemble.read_text().replace("131_072", "1_000_000"))
    for file in sources("python"):
        text = (REPOSITORY / file).read_text(encoding="utf-8")
        if python_code.functions(text):
            copy.write(file, python_code.traced(text, file, TRACE))
    for file in sources("sh"):
        text = (REPOSITORY / file).read_text(encoding="utf-8")
        copy.write(file, sh_code.traced(text, file, TRACE))
    return copy


class Choice:
    """Chooses tests for mutants."""

    def __init__(self, tests: Sequence[KnownTest]) -> None:
        self._tests = tests
        files = {test.name.partition("::")[0] for test in tests}
        self._words = {file: _words((REPOSITORY / file).read_text()) for file in files}
        #: In how many files a word is: the fewer, the more it tells.
        self._count = Counter(word for words in self._words.values() for word in words)

    def tests_for(self, functions: Iterable[str], about: str, line: str) -> list[KnownTest]:
        """Those that run one of the functions, the most telling first; last a whole run.

        By turns come those that speak of it, by their name of the names in ``about``, or in their
        file of what is in the broken line; and those that run few functions.
        """
        wanted = frozenset(functions)
        spoken_of = self._speaking(about, line)

        def by_few(test: KnownTest) -> tuple[object, ...]:
            return test.seconds > _SLOW_S, len(test.ran), test.seconds, test.name

        able = sorted((test for test in self._tests if test.ran & wanted), key=by_few)
        whole = [test for test in able if test.seconds <= _WHOLE_S and "/unit/" not in test.name]
        last = sorted(whole, key=lambda test: (len(test.ran), test.name))[-1:]
        orders = (sorted(able, key=lambda test: -spoken_of(test)), able)
        both = zip(*(_in_turns(order) for order in orders))
        return _as_many_as_fit(
            dict.fromkeys(test for pair in both for test in pair), last, _LIMIT_S
        )

    def others_for(self, functions: Iterable[str], chosen: Sequence[KnownTest]) -> list[KnownTest]:
        """What else runs one of the functions, for what the chosen ones have not noticed."""
        wanted = frozenset(functions)
        able = [test for test in self._tests if test.ran & wanted and test not in chosen]
        return _as_many_as_fit(sorted(able, key=lambda test: test.seconds), [], _LAST_LIMIT_S)

    def _speaking(self, about: str, line: str) -> Callable[[KnownTest], float]:
        words = _words(line)
        stems = {word[:5] for word in _words(about)}
        stems_of_line = {word[:5] for word in words} - stems
        known: dict[str, float] = {}

        def spoken_of(test: KnownTest) -> float:
            if test.name not in known:
                file, title = test.name.partition("::")[0], test.name.lower()
                by_name = sum(stem in title for stem in stems)
                by_line = sum(stem in title for stem in stems_of_line) / 2
                in_file = sum(1 / self._count[word] for word in words & self._words[file])
                known[test.name] = by_name + by_line + in_file
            return known[test.name]

        return spoken_of


def _words(text: str) -> set[str]:
    """The longer words, in small letters; a name with underlines is more than one."""
    return {word.lower() for word in re.findall(r"[A-Za-z]{4,}", text)}


def _in_turns(tests: Iterable[KnownTest]) -> list[KnownTest]:
    """One of each test's cases, then the next of each, as they are often much alike."""
    cases: defaultdict[str, list[KnownTest]] = defaultdict(list)
    for test in tests:
        cases[test.name.partition("[")[0]].append(test)
    return [test for turn in zip_longest(*cases.values()) for test in turn if test]


def _as_many_as_fit(
    tests: Iterable[KnownTest], last: list[KnownTest], limit_s: float
) -> list[KnownTest]:
    chosen: list[KnownTest] = []
    seconds = sum(test.seconds for test in last)
    for test in tests:
        if test not in last and seconds + test.seconds <= limit_s:
            chosen.append(test)
            seconds += test.seconds
    return [*chosen, *last]
