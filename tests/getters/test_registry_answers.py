"""What a registry may answer, and what both getters take from it: the same release, or none."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.getters.fetch_cases import INSIDE
from tests.support.frontends import FrontEnd
from tests.support.functions import call_functions
from tests.support.machines import Machine, MachineRoom
from tests.support.replies import Content, Reply, html_page, json_content, status
from tests.support.server import Server
from wasp_installer import Console
from wasp_installer.errors import SourceProblem
from wasp_installer.getting.npm import NpmSource
from wasp_installer.getting.transport import Transport

BUILD = "linux-x64-glibc"
SHA512 = hashlib.sha512(b"an archive").digest()
DIGEST = f"sha512:{SHA512.hex()}"
INTEGRITY = f"sha512-{base64.b64encode(SHA512).decode()}"
URL = "https://elsewhere.invalid/a.tgz"
RANGE = ">=24.14.1"

Document = dict[str, Any]


def main_document(version: str = "0.25.0", node: object = RANGE) -> Document:
    return {"version": version, "engines": {"node": node}}


def package_document(url: object = URL, integrity: object = INTEGRITY) -> Document:
    return {"dist": {"tarball": url, "integrity": integrity}}


def without(document: Document, key: str) -> Document:
    return {"dist": {name: value for name, value in document["dist"].items() if name != key}}


def in_style(style: str) -> Callable[[Document], Reply]:
    """The same document, written in another way."""

    def reply(document: Document) -> Reply:
        if style == "reversed":
            document = dict(reversed(list(document.items())))
        if style == "with a long text":
            document = {"readme": "x" * 4_000_000 + '\\" {', **document}
        if style == "with many quotes":
            document = {"readme": 'x"\\' * 1_000_000, **document}
        if style == "with much":
            document = {"versions": {str(n): {"a": ["\\", {}]} for n in range(20_000)}, **document}
        indent = 2 if style == "indented" else None
        body = json_content(document, indent=indent, compact=style in ("compact", "escaped")).body
        if style == "escaped":
            body = body.replace(b"/", b"\\/").replace(b">", b"\\u003e")
        if style == "with a byte order mark":
            body = b"\xef\xbb\xbf" + body
        return Content(body)

    return reply


STYLES = (
    *("compact", "indented", "escaped", "reversed", "with a byte order mark"),
    *("with a long text", "with many quotes", "with much"),
)


@dataclass(frozen=True)
class Case:
    """What is answered for the newest version, and what is made of it: a release, or a problem."""

    main: Document | Reply = field(default_factory=main_document)
    package: Document | Reply = field(default_factory=package_document)
    slug: str = ""
    #: In which the words of the problem are the same in both.
    same: bool = True
    node: str | None = RANGE
    digest: str | None = DIGEST

    @property
    def expected(self) -> tuple[str, ...]:
        if self.slug:
            return (self.slug,)
        return ("0.25.0", URL, self.digest or "", self.node or "")


CASES: dict[str, Case] = {
    "usual": Case(),
    **{
        f"written {style}": Case(
            in_style(style)(main_document()), in_style(style)(package_document())
        )
        for style in STYLES
    },
    # --- the newest version
    **{
        f"version {version!r}": Case(main_document(version), slug="bad-answer")
        for version in ("../../../evil", "", "latest", "0.25.0\n", "$(touch evil)")
    },
    # --- the range of Node.js
    **{
        f"range {node!r:.20}": Case(main_document(node=node), node=kept)
        for node, kept in (
            ("^20 || >=22 <23", "^20 || >=22 <23"),
            ("\x1b[2J>=24", None),
            (">=24\n>=25", None),
            ("$(id)", None),
            ("x" * 200, None),
            (24, None),
            (None, None),
        )
    },
    # --- the address of the archive
    **{
        f"archive at {url}": Case(package=package_document(url), slug=slug)
        for url, slug in (
            ("http://elsewhere.invalid/a.tgz", "insecure-url"),
            ("http://127.0.0.1.5/a.tgz", "insecure-url"),
            *((address, "insecure-url") for address in INSIDE),
            ("https://host/a b", "bad-answer"),
            ("", "bad-answer"),
            (None, "bad-answer"),
        )
    },
    # --- the checksum: one that cannot be read must not pass for one that is not published
    "several checksums": Case(package=package_document(integrity=f"sha1-2jmj7l5rSw= {INTEGRITY}")),
    "no checksum": Case(package=without(package_document(), "integrity"), digest=None),
    "empty checksum": Case(package=package_document(integrity=""), digest=None),
    "only sha1": Case(
        package=package_document(integrity="sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="), digest=None
    ),
    **{
        f"checksum {integrity:.18}": Case(
            package=package_document(integrity=integrity), slug="bad-answer"
        )
        for integrity in (
            *("sha512-AAAA", "sha512-***", "sha512-", f"sha512-{INTEGRITY}"),
            *("sha1-x sha512-" + "A" * 87, f"{INTEGRITY}x"),
        )
    },
    # --- what is none of this
    "empty": Case(package=Content(b""), slug="bad-answer", same=False),
    "text": Case(package=Content(b"hello"), slug="bad-answer", same=False),
    "empty object": Case(package=Content(b"{}"), slug="bad-answer"),
    "empty list": Case(package=Content(b"[]"), slug="bad-answer"),
    # Some awks once went on for ever.
    "empty text": Case(package=Content(b'""'), slug="bad-answer", same=False),
    "cut": Case(package=Content(b'{"dist": {"tarball": "https://'), slug="bad-answer"),
    "binary": Case(package=Content(bytes(range(256))), slug="bad-answer"),
    "dist is text": Case(package={"dist": "none"}, slug="bad-answer"),
    "no archive": Case(package=without(package_document(), "tarball"), slug="bad-answer"),
    "compressed": Case(
        package=Content(b"\x1f\x8b", 200, {"Content-Encoding": "br"}), slug="bad-answer"
    ),
    "web page": Case(package=html_page(), slug="captive-portal"),
    "not there": Case(status(404), slug="not-found"),
    "no build": Case(package=status(404), slug="no-build"),
}


@dataclass(frozen=True)
class Told:
    """What was found, and the words of a problem."""

    found: tuple[str, ...]
    words: str


def found_by_python(registry: str, wanted: str) -> Told:
    console = Console(quiet=True)
    try:
        release = NpmSource(Transport(console, 5), BUILD, registry, None).find(wanted)
    except SourceProblem as problem:
        return Told((problem.slug,), problem.text)
    return Told((release.version, release.url or "", release.digest or "", release.node or ""), "")


def words(wanted: str) -> str:
    return "the newest Wasp" if wanted == "latest" else f"Wasp {wanted}"


def call(registry: str, wanted: str) -> str:
    return f"""
    choose_downloader
    release_digest= fetcher=request wanted_words='{words(wanted)}'
    registry='{registry}' npm_build={BUILD} wanted={wanted} timeout=5
    if find_release_at_npm 2>/dev/null; then
        printf '%s\\n' "$version" "$release_url" "$release_digest" "$release_node" .
    else
        printf '%s\\n' "$problem" "$problem_text"
    fi
    """


def found_by_sh(said: str) -> Told:
    lines = said.split("\n")
    return Told(tuple(lines[:4]), "") if len(lines) == 5 else Told((lines[0],), lines[1])


Ask = Callable[[dict[str, tuple[str, str]]], dict[str, tuple[Told, Told]]]


@pytest.fixture
def ask(machines: MachineRoom, shell: FrontEnd) -> Ask:
    """Asks registries, each for a version, by the sh program and by install.py."""
    machine = machines.build(shell)

    def ask(questions: dict[str, tuple[str, str]]) -> dict[str, tuple[Told, Told]]:
        said = call_functions(machine, [call(*each) for each in questions.values()])
        return {
            name: (found_by_sh(answer), found_by_python(*questions[name]))
            for name, answer in zip(questions, said)
        }

    return ask


def test_what_is_taken_from_an_answer(ask: Ask, plain: Server) -> None:
    for number, case in enumerate(CASES.values()):
        for path, document in (
            (f"/{number}/@wasp.sh%2fwasp-cli/latest", case.main),
            (f"/{number}/@wasp.sh%2fwasp-cli-{BUILD}/0.25.0", case.package),
        ):
            plain.answer(path, json_content(document) if isinstance(document, dict) else document)
    questions = {name: (f"{plain.url}/{number}", "latest") for number, name in enumerate(CASES)}
    for name, (by_sh, by_python) in ask(questions).items():
        case = CASES[name]
        assert (by_sh.found, by_python.found) == (case.expected, case.expected), name
        assert by_sh.words == by_python.words or not case.same, name
        assert "\x1b" not in by_sh.words


def test_a_mirror_with_documents_of_all_versions_only(ask: Ask, plain: Server) -> None:
    """As some are; what they say of one version is what they answer for it, or its absence."""
    versions = {each: main_document(each) for each in ("0.24.0", "0.25.0", "0.26.0-rc1")}
    main = {"dist-tags": {"latest": "0.25.0"}, "versions": versions}
    package = {"versions": {each: {"version": each, **package_document()} for each in versions}}
    questions = {}
    for code in (400, 404, 405, 410):
        plain.fallback = status(404)
        for name, document in (("wasp-cli", main), (f"wasp-cli-{BUILD}", package)):
            plain.answer(f"/{code}/@wasp.sh%2f{name}", json_content(document))
            for version in ("latest", *versions):
                plain.answer(f"/{code}/@wasp.sh%2f{name}/{version}", status(code))
        for wanted in ("latest", "0.24.0"):
            questions[f"{code} {wanted}"] = (f"{plain.url}/{code}", wanted)
    questions["missing"] = (f"{plain.url}/404", "0.99.0")
    found = ask(questions)
    assert [told.found for told in found.pop("missing")] == [("not-found",)] * 2
    for name, both in found.items():
        version = "0.25.0" if name.endswith("latest") else "0.24.0"
        assert [told.found for told in both] == [(version, URL, DIGEST, RANGE)] * 2, name


@pytest.mark.parametrize(
    "registry", ["x", "http://registry.invalid", "ftp://127.0.0.1", "https://a b"]
)
def test_what_is_no_registry(ask: Ask, registry: str) -> None:
    by_sh, by_python = ask({"": (registry, "latest")})[""]
    assert by_sh == by_python
    assert by_sh.found == ("bad-answer" if " " in registry else "insecure-url",)


def test_what_the_sh_program_reads_has_limits(shell_machine: Machine) -> None:
    """In depth, in what stands between two texts, and of one text."""
    documents = {
        "[" * 100 + '"a"' + "]" * 100: "1",
        "[" * 101 + '"a"' + "]" * 101: "none",
        "[" + "," * 65_535 + '"a"]': "1",
        "[" + "," * 65_536 + '"a"]': "none",
        f'["{"a" * 4097}"]': "4096",
    }
    calls = []
    for number, document in enumerate(documents):
        file = shell_machine.root / f"{number}.json"
        file.write_text(document)
        length = "cut -f 2 \"$work/values\" | tr -d '\\n' | wc -c"
        calls.append(f"read_json '{file}' && {length} || echo none")
    assert call_functions(shell_machine, calls) == list(documents.values())
