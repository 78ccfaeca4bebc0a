"""Which tests run which function: found out once, kept, and asked for the tests of a mutant."""

from __future__ import annotations

import hashlib
import json
import queue
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from typing import Any, NamedTuple

from tests.mutants import python_code, sh_code
from tests.mutants.code import REPOSITORY
from tests.mutants.sandbox import CHOSEN, FOLDER, Copy
from tests.mutants.tracing import NOTES, TRACE

MAP = FOLDER / "map.json"
#: What tests run that only compare texts, such as a page with the code.
NO_FUNCTION = "none"
#: How long the tests of one mutant took together when they were traced.
LIMIT_S = 600.0
#: What takes longer comes last.
_SLOW_S = 20.0
#: What `make test` does not run, or what needs the network.
_OTHERS = ("torture", "real", "artefacts")


#: What the map has of a test: "test", whether it "passed", its "seconds", and what it "ran".
Note = dict[str, Any]


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


def tests_for(functions: Iterable[str], tests: Iterable[KnownTest]) -> list[KnownTest]:
    """Those that run one of the functions, first those that run few; as many as take LIMIT_S.

    One of each test's cases comes before the next of each, as they are often much alike.
    """
    wanted = frozenset(functions)
    cases: defaultdict[str, list[KnownTest]] = defaultdict(list)
    for test in sorted(tests, key=lambda it: (it.seconds > _SLOW_S, len(it.ran), it.seconds)):
        if test.ran & wanted:
            cases[test.name.partition("[")[0]].append(test)
    chosen, left_s = [], LIMIT_S
    for test in (each for turn in zip_longest(*cases.values()) for each in turn if each):
        if test.seconds <= left_s:
            chosen.append(test)
            left_s -= test.seconds
    return chosen
