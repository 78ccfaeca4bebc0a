"""What a registry may answer, and what both getters take from it: the same release, or none."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.functions import call_functions
from tests.support.machines import Machine
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
SHA1 = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="
RANGE = ">=24.14.1"

Document = dict[str, Any]


def main_document(version: str = "0.25.0", node: object = RANGE) -> Document:
    return {"version": version, "engines": {"node": node}}


def package_document(url: object = URL, integrity: object = INTEGRITY) -> Document:
    return {"dist": {"tarball": url, "integrity": integrity}}


def written(document: Document) -> dict[str, bytes]:
    texts = {
        "compact": json.dumps(document, separators=(",", ":")),
        "indented": json.dumps(document, indent=2),
        "escaped": json.dumps(document).replace("/", "\\/").replace(">", "\\u003e"),
        "reversed": json.dumps(dict(reversed(list(document.items())))),
        "with a byte order mark": f"\ufeff{json.dumps(document)}",
    }
    much = {str(number): {"a": ["\\", {}]} for number in range(20_000)}
    long = {
        "a long text": "x" * 4_000_000 + '\\" {',
        "many quotes": 'x"\\' * 1_000_000,
        "much": much,
    }
    texts |= {f"with {name}": json.dumps({name: it, **document}) for name, it in long.items()}
    return {name: text.encode() for name, text in texts.items()}


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


BAD = "bad-answer"
CASES: dict[str, Case] = {
    "usual": Case(),
    **{
        style: Case(Content(main), Content(package))
        for (style, main), package in zip(
            written(main_document()).items(), written(package_document()).values()
        )
    },
    **{
        f"version {version!r}": Case(main_document(version), slug=BAD)
        for version in ("../../../evil", "", "latest", "0.25.0\n", "$(touch evil)")
    },
    "another range of Node.js": Case(main_document(node="^20 || >=22 <23"), node="^20 || >=22 <23"),
    **{
        f"range {node!r:.20}": Case(main_document(node=node), node=None)
        for node in ("\x1b[2J>=24", ">=24\n>=25", "$(id)", "x" * 200, 24, None)
    },
    **{
        f"archive at {url}": Case(package=package_document(url), slug="insecure-url")
        for url in ("http://elsewhere.invalid/", "http://127.0.0.1.5/", "file:///etc/passwd")
    },
    **{
        f"archive at {url!r}": Case(package=package_document(url), slug=BAD)
        for url in ("https://host/a b", "", None)
    },
    # One that cannot be read must not pass for one that is not published.
    "several checksums": Case(package=package_document(integrity=f"{SHA1} {INTEGRITY}")),
    "no checksum": Case(package={"dist": {"tarball": URL}}, digest=None),
    "empty checksum": Case(package=package_document(integrity=""), digest=None),
    "only sha1": Case(package=package_document(integrity=SHA1), digest=None),
    **{
        f"checksum {integrity:.18}": Case(package=package_document(integrity=integrity), slug=BAD)
        for integrity in (
            *("sha512-AAAA", "sha512-***", "sha512-", f"sha512-{INTEGRITY}"),
            *("sha1-x sha512-" + "A" * 87, f"{INTEGRITY}x"),
        )
    },
    # What is none of this; some awks once went on for ever.
    **{
        f"answer {body!r}": Case(package=Content(body), slug=BAD, same=False)
        for body in (b"", b"hello", b'""')
    },
    **{
        f"answer {body!r:.20}": Case(package=Content(body), slug=BAD)
        for body in (b"{}", b"[]", b'{"dist": {"url": "https', bytes(range(256)), b'{"dist": "x"}')
    },
    "no archive": Case(package={"dist": {"integrity": INTEGRITY}}, slug=BAD),
    "compressed": Case(package=Content(b"\x1f\x8b", 200, {"Content-Encoding": "br"}), slug=BAD),
    "web page": Case(package=html_page(), slug="captive-portal"),
    "not there": Case(status(404), slug="not-found"),
    "no build": Case(package=status(404), slug="no-build"),
}


#: What was found, and the words of a problem.
Told = tuple[tuple[str, ...], str]
#: Asks registries, each for a version, by the sh program and by install.py.
Ask = Callable[[dict[str, tuple[str, str]]], dict[str, tuple[Told, Told]]]
CALL = """
choose_downloader
release_digest= fetcher=request wanted_words='{words}'
registry='{registry}' npm_build={build} wanted={wanted} timeout=5
if find_release_at_npm 2>/dev/null; then
    printf '%s\\n' "$version" "$release_url" "$release_digest" "$release_node" .
else
    printf '%s\\n' "$problem" "$problem_text"
fi
"""


def found_by_python(registry: str, wanted: str) -> Told:
    try:
        transport = Transport(Console(quiet=True), 5)
        found = NpmSource(transport, BUILD, registry, None).find(wanted)
    except SourceProblem as problem:
        return (problem.slug,), problem.text
    return (found.version, found.url or "", found.digest or "", found.node or ""), ""


@pytest.fixture
def ask(shell_machine: Machine) -> Ask:
    def ask(questions: dict[str, tuple[str, str]]) -> dict[str, tuple[Told, Told]]:
        calls = []
        for registry, wanted in questions.values():
            words = "the newest Wasp" if wanted == "latest" else f"Wasp {wanted}"
            calls.append(CALL.format(registry=registry, wanted=wanted, words=words, build=BUILD))
        told = {}
        for name, said in zip(questions, call_functions(shell_machine, calls)):
            *found, words = said.split("\n")
            by_sh = (tuple(found), "" if found[1:] else words)
            told[name] = by_sh, found_by_python(*questions[name])
        return told

    return ask


def test_what_is_taken_from_an_answer(ask: Ask, plain: Server) -> None:
    for number, case in enumerate(CASES.values()):
        for path, document in (
            (f"/{number}/@wasp.sh%2fwasp-cli/latest", case.main),
            (f"/{number}/@wasp.sh%2fwasp-cli-{BUILD}/0.25.0", case.package),
        ):
            plain.answer(path, json_content(document) if isinstance(document, dict) else document)
    questions = {name: (f"{plain.url}/{number}", "latest") for number, name in enumerate(CASES)}
    none = {"https://a b": "bad-answer"}
    none |= dict.fromkeys(("x", "http://registry.invalid", "ftp://127.0.0.1"), "insecure-url")
    questions |= {registry: (registry, "latest") for registry in none}
    for name, (by_sh, by_python) in ask(questions).items():
        case = CASES[name] if name in CASES else Case(slug=none[name])
        assert (by_sh[0], by_python[0]) == (case.expected, case.expected), name
        assert by_sh[1] == by_python[1] or not case.same, name
        assert "\x1b" not in by_sh[1]


def test_a_mirror_with_documents_of_all_versions_only(ask: Ask, plain: Server) -> None:
    """As some are; what they say of one version is what they answer for it, or its absence."""
    versions = {each: main_document(each) for each in ("0.24.0", "0.25.0", "0.26.0-rc1")}
    main = {"dist-tags": {"latest": "0.25.0"}, "versions": versions}
    package = {"versions": {each: {"version": each, **package_document()} for each in versions}}
    questions = {}
    for code in (400, 404, 405, 410):
        for name, document in (("wasp-cli", main), (f"wasp-cli-{BUILD}", package)):
            plain.answer(f"/{code}/@wasp.sh%2f{name}", json_content(document))
            for version in ("latest", *versions):
                plain.answer(f"/{code}/@wasp.sh%2f{name}/{version}", status(code))
        for wanted in ("latest", "0.24.0", "0.99.0"):
            questions[f"{code} {wanted}"] = (f"{plain.url}/{code}", wanted)
    for name, both in ask(questions).items():
        version = name.split()[1].replace("latest", "0.25.0")
        found = ("not-found",) if version == "0.99.0" else (version, URL, DIGEST, RANGE)
        assert [told[0] for told in both] == [found] * 2, name


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
