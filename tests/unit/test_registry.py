"""The npm registry: which one it is, what it answers, and npm where that is not enough."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.replies import Content, Reply, json_content, redirect, status
from tests.support.server import Server
from wasp_installer import Console
from wasp_installer.errors import SourceProblem
from wasp_installer.getting.npm import NpmSource
from wasp_installer.getting.registry import RegistryLookup
from wasp_installer.getting.transport import Transport
from wasp_installer.placing.archives import ArchiveReceiver
from wasp_installer.placing.receipts import Release

BUILD = "linux-x64-glibc"
MAIN, PACKAGE = "/@wasp.sh%2fwasp-cli", f"/@wasp.sh%2fwasp-cli-{BUILD}"
ARCHIVE = b"an archive"
INTEGRITY = "sha512-" + base64.b64encode(hashlib.sha512(ARCHIVE).digest()).decode()
DIGEST = f"sha512:{hashlib.sha512(ARCHIVE).hexdigest()}"


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(None)
    yield running
    running.close()


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH but for the system's; npm is in it, once ``npm_says`` is called."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin")
    monkeypatch.setattr("shutil.which", lambda name: _which(folder, name))
    return folder


def _which(folder: Path, name: str) -> str | None:
    return str(folder / name) if (folder / name).exists() else None


def npm_says(tools: Path, script: str) -> None:
    (tools / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (tools / "npm").chmod(0o755)


@contextlib.contextmanager
def looked_up(**variables: str) -> Iterator[RegistryLookup]:
    with contextlib.closing(RegistryLookup(variables, Console(quiet=True))) as lookup:
        yield lookup


# --- which registry ------------------------------------------------------------------------------

SCOPE, ALL = "https://scope.example/npm", "https://all.example"


@pytest.mark.parametrize(
    ("answer", "url"),
    [
        (f"@wasp.sh:registry=undefined\nregistry={ALL}/\n", ALL),
        (f"@wasp.sh:registry={SCOPE}/\nregistry={ALL}/\n", SCOPE),
        (f"@wasp.sh:registry = {SCOPE}/\r\nregistry = {ALL}/\r\n", SCOPE),
        (f"{SCOPE}/\n", SCOPE),
        ("@wasp.sh:registry=undefined\nregistry=undefined\n", None),
        ("version 9 is not installed\n", None),
        ("", None),
    ],
)
def test_what_npm_answers(tools: Path, answer: str, url: str | None) -> None:
    (tools / "answer").write_text(answer)
    npm_says(tools, f'[ "$1 $2" = "config get" ] && cat "{tools}/answer"')
    with looked_up() as lookup:
        found, npm = lookup.find()
    assert found == url
    assert (npm is None) == (url is None)


def test_npm_6_answers_one_question_at_a_time(tools: Path) -> None:
    npm_says(tools, f'if [ "$3" = registry ]; then echo {ALL}/; else echo undefined; fi')
    with looked_up() as lookup:
        assert lookup.find()[0] == ALL


def test_npm_runs_in_a_folder_of_its_own(tools: Path) -> None:
    npm_says(
        tools,
        f'{{ pwd; cat package.json; env; echo "$@"; }} >"{tools}/seen"\n'
        f"mkdir -p \"$npm_config_cache\"; echo 'registry={ALL}'",
    )
    with looked_up() as lookup:
        assert lookup.find()[0] == ALL
    seen = (tools / "seen").read_text().splitlines()
    assert seen[0] != os.getcwd()
    assert seen[1] == "{}"
    assert "LC_ALL=C" in seen
    assert "--no-workspaces" in seen[-1]
    assert not Path(seen[0]).exists()


@pytest.mark.parametrize("script", ["echo complaint; exit 1", "exit 127"])
def test_npm_that_fails_is_as_no_npm(tools: Path, script: str) -> None:
    npm_says(tools, script)
    with looked_up(npm_config_registry=ALL) as lookup:
        assert lookup.find() == (ALL, None)


def test_npm_that_hangs_is_as_no_npm(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasp_installer.getting.registry.HELPER_LIMIT_S", 0.2)
    npm_says(tools, "exec sleep 60")
    with looked_up(npm_config_registry=ALL) as lookup:
        assert lookup.find() == (ALL, None)


def test_npm_that_keeps_a_login_to_itself_may_fetch(tools: Path) -> None:
    npm_says(tools, "echo 'npm error The registry option is protected' >&2; exit 1")
    with looked_up(npm_config_registry=ALL) as lookup:
        url, npm = lookup.find()
    assert url is None
    assert npm is not None


def test_without_npm_its_variable_counts(tools: Path) -> None:
    assert tools.is_dir()
    with looked_up(npm_config_registry=f"{ALL}/") as lookup:
        assert lookup.find() == (ALL, None)


def test_our_own_variable_comes_first(tools: Path) -> None:
    npm_says(tools, f"echo registry={ALL}")
    with looked_up(WASP_NPM_REGISTRY=SCOPE, npm_config_registry=ALL) as lookup:
        assert lookup.find() == (SCOPE, None)


# --- what it answers -----------------------------------------------------------------------------


def main_document(version: str = "0.25.0", node: object = ">=24.14.1") -> dict[str, object]:
    return {"version": version, "engines": {"node": node}}


def package_document(url: str, integrity: str | None = INTEGRITY) -> dict[str, object]:
    return {"dist": {"tarball": f"{url}/a.tgz", **({"integrity": integrity} if integrity else {})}}


def find(
    server: Server, answers: Mapping[str, Reply], wanted: str = "latest", npm: object = None
) -> Release:
    for path, reply in answers.items():
        server.answer(path, reply)
    console = Console(quiet=True)
    source = NpmSource(Transport(console, 5), console, BUILD, server.url, npm)  # type: ignore[arg-type]
    return source.find(wanted)


def usual(server: Server, **main: object) -> dict[str, Reply]:
    return {
        f"{MAIN}/latest": json_content(main_document(**main)),  # type: ignore[arg-type]
        f"{PACKAGE}/0.25.0": json_content(package_document(server.url)),
    }


def test_a_release(server: Server) -> None:
    release = find(server, usual(server))
    assert release == Release("0.25.0", "npm", f"{server.url}/a.tgz", DIGEST, ">=24.14.1")


@pytest.mark.parametrize("code", [400, 404, 410])
@pytest.mark.parametrize("wanted", ["latest", "0.24.0"])
def test_a_mirror_with_whole_documents_only(server: Server, code: int, wanted: str) -> None:
    versions = {each: main_document(each) for each in ("0.24.0", "0.25.0", "0.26.0-rc1")}
    packages = {each: package_document(server.url) for each in versions}
    answers = {
        MAIN: json_content({"dist-tags": {"latest": "0.25.0"}, "versions": versions}),
        PACKAGE: json_content({"versions": packages}),
        **{f"{MAIN}/{each}": status(code) for each in ("latest", "0.24.0")},
        **{f"{PACKAGE}/{each}": status(code) for each in versions},
    }
    expected = "0.25.0" if wanted == "latest" else wanted
    assert find(server, answers, wanted).version == expected


@pytest.mark.parametrize(
    ("node", "kept"),
    [
        (">=24.14.1", ">=24.14.1"),
        ("^20 || >=22 <23", "^20 || >=22 <23"),
        ("\x1b[2J", None),
        ("$(id)", None),
        ("x" * 200, None),
        (24, None),
        (None, None),
    ],
)
def test_only_a_range_is_a_range(server: Server, node: object, kept: str | None) -> None:
    assert find(server, usual(server, node=node)).node == kept


@pytest.mark.parametrize(
    ("tarball", "slug"),
    [
        ("http://elsewhere.example/a.tgz", "insecure-url"),
        ("http://127.0.0.1.5/a.tgz", "insecure-url"),
        ("https://host/a b", "bad-answer"),
        ("ftp://host/a", "insecure-url"),
        ("", "bad-answer"),
        (None, "bad-answer"),
    ],
)
def test_where_the_archive_may_not_be(server: Server, tarball: object, slug: str) -> None:
    answers = usual(server)
    answers[f"{PACKAGE}/0.25.0"] = json_content({"dist": {"tarball": tarball}})
    with pytest.raises(SourceProblem) as caught:
        find(server, answers)
    assert caught.value.slug == slug


@pytest.mark.parametrize(
    "integrity", ["sha512-AAAA", "sha512-***", "sha1-x sha512-" + "A" * 87, f"{INTEGRITY}x"]
)
def test_a_checksum_that_cannot_be_read_is_none_that_is_missing(
    server: Server, integrity: str
) -> None:
    answers = usual(server)
    answers[f"{PACKAGE}/0.25.0"] = json_content(package_document(server.url, integrity))
    with pytest.raises(SourceProblem) as caught:
        find(server, answers)
    assert caught.value.slug == "bad-answer"


@pytest.mark.parametrize("integrity", [None, "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="])
def test_a_checksum_that_is_missing(server: Server, integrity: str | None) -> None:
    answers = usual(server)
    answers[f"{PACKAGE}/0.25.0"] = json_content(package_document(server.url, integrity))
    assert find(server, answers).digest is None


def test_a_mark_before_json_is_no_reason_to_refuse_it(server: Server) -> None:
    answers = usual(server)
    answers[f"{MAIN}/latest"] = Content(b"\xef\xbb\xbf" + json.dumps(main_document()).encode())
    assert find(server, answers).version == "0.25.0"


def test_an_answer_that_nobody_asked_to_compress_is_no_json(server: Server) -> None:
    answers = usual(server)
    answers[f"{MAIN}/latest"] = Content(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    with pytest.raises(SourceProblem, match="not JSON"):
        find(server, answers)


def test_a_long_text_is_read_at_once(server: Server) -> None:
    document = {**main_document(), "readme": 'x"\\' * (4 * 1024 * 1024 // 3)}
    answers = {**usual(server), f"{MAIN}/latest": json_content(document)}
    assert find(server, answers).version == "0.25.0"


def test_a_redirect_to_another_machine_is_refused(server: Server) -> None:
    answers = {f"{MAIN}/latest": redirect("http://elsewhere.example/")}
    with pytest.raises(SourceProblem) as caught:
        find(server, answers)
    assert caught.value.slug == "insecure-url"


# --- npm in its place ----------------------------------------------------------------------------

NPM = """\
echo "$*" >>"{tools}/calls"
case "$*" in
    *'config get'*) echo "registry={url}" ;;
    *"view --json @wasp.sh/wasp-cli@"*) cat "{tools}/main" ;;
    *"view --json @wasp.sh/wasp-cli-{build}@0.25.0 "*) cat "{tools}/package" ;;
    *"pack --ignore-scripts @wasp.sh/wasp-cli-{build}@0.25.0 "*) printf %s 'an archive' >x.tgz ;;
    *) exit 1 ;;
esac
"""


def npm_has(tools: Path, server: Server, integrity: str | None = INTEGRITY) -> None:
    package = {"name": "x", "dist.tarball": f"{server.url}/a.tgz"}
    if integrity is not None:
        package["dist.integrity"] = integrity
    main = {"name": "x", "version": "0.25.0", "engines.node": ">=24"}
    (tools / "main").write_text(json.dumps(main))
    (tools / "package").write_text(json.dumps(package))
    npm_says(tools, NPM.format(tools=tools, url=server.url, build=BUILD))


def fetched(source: NpmSource, release: Release, folder: Path) -> set[str]:
    """The digest of what comes."""
    with contextlib.closing(ArchiveReceiver(folder, ["sha512"])) as receiver:
        source.fetch(release, receiver)
        return receiver.digests


@pytest.mark.parametrize("code", [401, 403])
def test_npm_fetches_where_a_login_is_wanted(tools: Path, server: Server, code: int) -> None:
    npm_has(tools, server)
    server.answer(f"{MAIN}/latest", status(code))
    console = Console(quiet=True)
    with looked_up() as lookup:
        source = NpmSource(Transport(console, 5), console, BUILD, *lookup.find())
        release = source.find("latest")
        assert release == Release("0.25.0", "npm", f"{server.url}/a.tgz", DIGEST, ">=24")
        assert fetched(source, release, tools) == {DIGEST}
    assert server.count("/a.tgz") == 0


def test_npm_fetches_an_archive_that_lies_elsewhere(tools: Path, server: Server) -> None:
    npm_has(tools, server)
    for path, reply in usual(server).items():
        server.answer(path, reply)
    server.answer("/a.tgz", status(401))
    console = Console(quiet=True)
    with looked_up() as lookup:
        source = NpmSource(Transport(console, 5), console, BUILD, *lookup.find())
        assert fetched(source, source.find("latest"), tools) == {DIGEST}


def test_npm_must_name_a_checksum(tools: Path, server: Server) -> None:
    npm_has(tools, server, integrity=None)
    server.answer(f"{MAIN}/latest", status(401))
    console = Console(quiet=True)
    with looked_up() as lookup:
        source = NpmSource(Transport(console, 5), console, BUILD, *lookup.find())
        with pytest.raises(SourceProblem, match="401"):
            source.find("latest")


def test_what_the_registry_does_not_have_npm_is_not_asked_for(tools: Path, server: Server) -> None:
    npm_has(tools, server)
    console = Console(quiet=True)
    with looked_up() as lookup:
        source = NpmSource(Transport(console, 5), console, BUILD, *lookup.find())
        with pytest.raises(SourceProblem) as caught:
            source.find("0.99.0")
    assert caught.value.slug == "not-found"
    assert "view" not in (tools / "calls").read_text()
