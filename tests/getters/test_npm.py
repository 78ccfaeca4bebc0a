"""Which registry is asked, as npm says it, and what npm fetches where a plain request cannot."""

from __future__ import annotations

import contextlib
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.functions import call_functions
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.releases import (
    NPM_PACKAGE_PATH,
    Release,
    Upstream,
    npm_tarball_path,
)
from tests.support.replies import Content, Exchange, Reply, json_content, status
from tests.support.trees import picture
from wasp_installer import Console
from wasp_installer.errors import SourceProblem
from wasp_installer.getting.npm import NpmSource
from wasp_installer.getting.registry import Npm, RegistryLookup
from wasp_installer.getting.transport import Transport
from wasp_installer.placing import receipts
from wasp_installer.placing.archives import ArchiveReceiver

BUILD = "linux-x64-glibc"
PACKAGE_PATH = f"{NPM_PACKAGE_PATH}-{BUILD}"
TARBALL = npm_tarball_path("0.25.0", BUILD)


@pytest.fixture
def both(both: Getters) -> Getters:
    """A machine on which nothing names a registry."""
    both.machine.set(WASP_NPM_REGISTRY=None)
    return both


def npm_was_asked(upstream: Upstream) -> bool:
    return any(path.startswith("/npm") for path in upstream.server.requests)


# --- What npm is asked to do ----------------------------------------------------------------------

PACKER = "[ \"$1 $2\" = 'pack --ignore-scripts' ] && : >a.tgz"


@pytest.mark.parametrize(
    ("script", "fetches"),
    [
        (PACKER, True),
        (f"{PACKER}; exit 1", False),
        (f"{PACKER}; : >b.tgz", False),
        ("exit 0", False),
        # In place of ten minutes.
        (f"sleep 15; {PACKER}", False),
    ],
)
def test_npm_fetches_one_archive_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, fetches: bool
) -> None:
    monkeypatch.setattr("wasp_installer.getting.registry.FETCH_LIMIT_S", 1.0)
    program = tmp_path / "npm"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    (tmp_path / "folder").mkdir()
    npm = Npm(str(program), tmp_path / "folder")
    if fetches:
        assert npm.fetch("x", "0.25.0") == tmp_path / "folder" / "a.tgz"
    else:
        with pytest.raises(SourceProblem) as caught:
            npm.fetch("x", "0.25.0")
        assert caught.value.slug == "connection"


@pytest.mark.parametrize(
    ("url", "digest", "fetches"),
    [
        ("https://127.0.0.1:{closed}/", "sha512:0", True),
        ("https://127.0.0.1:{closed}/", None, False),
        ("http://elsewhere.invalid/", "sha512:0", False),
    ],
)
def test_npm_fetches_what_can_be_checked_and_may_be_asked_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    closed: int,
    url: str,
    digest: str | None,
    fetches: bool,
) -> None:
    monkeypatch.setattr("wasp_installer.getting.transport.time.sleep", lambda _: None)
    program = tmp_path / "npm"
    program.write_text(f"#!/bin/sh\n{PACKER}\n")
    program.chmod(0o755)
    console = Console(quiet=True)
    npm = Npm(str(program), tmp_path)
    source = NpmSource(Transport(console, 5), console, BUILD, "https://registry.invalid", npm)
    release = receipts.Release("0.25.0", "npm", url.format(closed=closed), digest)
    with contextlib.closing(ArchiveReceiver(tmp_path, [])) as receiver:
        if fetches:
            source.fetch(release, receiver)
        else:
            with pytest.raises(SourceProblem):
                source.fetch(release, receiver)
    assert (tmp_path / "a.tgz").exists() == fetches


# --- The registry's address ----------------------------------------------------------------------

SCOPE, ALL, WRONG = "https://scope.invalid/npm", "https://all.invalid", "https://wrong.invalid"
#: Answers one question of several, as npm 6.
OLD_NPM = """
[ "$1 $2" = 'config get' ] || exit 9
for key do case $key in --* | config | get) ;; *) break ;; esac; done
case $key in @wasp.sh:registry) echo {scope} ;; registry) echo {all} ;; esac
"""
LOGIN = "echo 'npm error The registry option is protected' >&2; exit 1"


def answering(*lines: str) -> str:
    """An npm that prints these lines, and complains."""
    printed = "\n".join(f"echo {shlex.quote(line)}" for line in lines)
    return f"[ \"$1 $2\" = 'config get' ] || exit 9\necho 'npm warn config' >&2\n{printed}"


@dataclass(frozen=True)
class Lookup:
    """An npm, or none, and variables; the registry, and whether npm may fetch from there."""

    npm: str | None
    registry: str = ""
    fetches: bool = True
    variables: tuple[tuple[str, str], ...] = ()


NPMS_OWN, OURS = ("npm_config_registry", WRONG), ("WASP_NPM_REGISTRY", f"{SCOPE}/")
LOOKUPS = {
    "the scope's": Lookup(
        answering(f"@wasp.sh:registry={SCOPE}/", f"registry={WRONG}/"), SCOPE, variables=(NPMS_OWN,)
    ),
    "for all": Lookup(answering("@wasp.sh:registry=undefined", f"registry={ALL}/"), ALL),
    "with spaces": Lookup(
        answering(f"@wasp.sh:registry = {SCOPE}/\r", f"registry = {ALL}/\r"), SCOPE
    ),
    "one value": Lookup(answering(f"{SCOPE}/"), SCOPE),
    "npm 6, the scope's": Lookup(OLD_NPM.format(scope=SCOPE, all=ALL), SCOPE),
    "npm 6, for all": Lookup(OLD_NPM.format(scope="undefined", all=ALL), ALL),
    "a login in it": Lookup(LOGIN, variables=(("npm_config_registry", ""),)),
    "undefined": Lookup(answering("@wasp.sh:registry=undefined", "registry=undefined"), "", False),
    "says nothing": Lookup("exit 0", "", False),
    "another word": Lookup(f"echo 'Please run: nvm install ({WRONG})'", "", False),
    "fails": Lookup(f"echo {WRONG}; exit 1", "", False),
    "no node": Lookup("echo 'node: not found' >&2; exit 127", "", False),
    "takes too long": Lookup(f"trap '' TERM; sleep 15; echo registry={WRONG}", "", False),
    "ours": Lookup(answering(f"registry={WRONG}"), SCOPE, False, (OURS, NPMS_OWN)),
    # npm itself looks at its variable.
    "none": Lookup(None, WRONG, False, (NPMS_OWN,)),
    "none, nothing": Lookup(None, "", False),
}


def test_which_registry_it_is(both: Getters, monkeypatch: pytest.MonkeyPatch) -> None:
    """And npm runs in a folder of its own, of which nothing is left."""
    box = both.machine.root / "npms"
    calls, found = [], {}
    monkeypatch.setattr("wasp_installer.getting.registry.HELPER_LIMIT_S", 1.0)
    for number, lookup in enumerate(LOOKUPS.values()):
        folder = box / str(number)
        folder.mkdir(parents=True)
        if lookup.npm is not None:
            script = f'pwd -P >>"{folder}/seen"; [ "$(cat package.json)" = "{{}}" ] || exit 9\n'
            script += f"case $* in *--no-workspaces*) ;; *) exit 9 ;; esac\n{lookup.npm}"
            (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
            (folder / "npm").chmod(0o755)
        path = f"{folder}:{both.machine.toolbox.folder}"
        settings = "".join(f"export {name}='{value}'\n" for name, value in lookup.variables)
        calls.append(
            f"PATH='{path}' HELPER_LIMIT_S=1\n{settings}"
            'start_registry_lookup\nfind_registry\nprintf \'%s %s\' "$registry" "$fetcher"'
        )
        monkeypatch.setenv("PATH", path)
        with contextlib.closing(
            RegistryLookup(dict(lookup.variables), Console(quiet=True))
        ) as finder:
            found[number] = finder.find()
    both.machine.front_end = both.shell
    told = call_functions(both.machine, calls, together=True)
    for number, (name, lookup) in enumerate(LOOKUPS.items()):
        registry, npm = found[number]
        assert (registry or "", npm is not None) == (lookup.registry, lookup.fetches), name
        fetcher = "either" if lookup.fetches else "request"
        assert told[number] == f"{lookup.registry} {fetcher}", name
        seen = box / str(number) / "seen"
        for place in seen.read_text().splitlines() if seen.exists() else ():
            assert place != str(both.machine.here)
            assert not Path(place).exists()


@pytest.mark.parametrize("works", [True, False])
def test_npm_is_asked_for_the_registry(both: Getters, upstream: Upstream, works: bool) -> None:
    """One that is of no use is like none; its files are read by itself alone."""
    upstream.publish("0.25.0")
    (both.machine.home / ".npmrc").write_text(f"registry={WRONG}\n")
    both.machine.toolbox.script("npm", answering(f"registry={upstream.npm_url}/"))
    if not works:
        both.machine.toolbox.script("npm", "echo 'node: not found' >&2; exit 127")
    run = both.install().ok()
    assert run.json["source"] == ("npm" if works else "github")
    run.is_silent_about("wrong.invalid", *([] if works else ["npm registry"]))
    assert not (both.machine.home / ".npm").exists()


# --- The real npm --------------------------------------------------------------------------------


@pytest.fixture
def with_npm(both: Getters) -> Getters:
    """The real npm, set up for all users of the machine with a registry out of reach."""
    both.machine.toolbox.link("npm", "node")
    for_all = both.machine.root / "npmrc"
    for_all.write_text(f"registry={WRONG}\n")
    both.machine.set(npm_config_globalconfig=str(for_all), npm_config_fetch_retries="0")
    return both


def test_a_project_has_no_say(with_npm: Getters, upstream: Upstream) -> None:
    """Else whoever wrote a repository would choose which program is run."""
    upstream.publish("0.25.0")
    project = with_npm.machine.root / "cloned"
    (project / "packages/one/src").mkdir(parents=True)
    ours = f"{upstream.npm_url}/"
    (project / ".npmrc").write_text(f"registry={ours}\n@wasp.sh:registry={ours}\n")
    (project / "package.json").write_text('{"name": "cloned", "workspaces": ["packages/*"]}\n')
    (project / "packages/one/package.json").write_text('{"name": "one"}\n')
    before = picture(project)
    run = with_npm.install(None, "--dry-run", cwd=project / "packages/one/src").ok()
    assert run.json["source"] == "github"
    run.says("wrong.invalid")
    assert not npm_was_asked(upstream)
    assert picture(project) == before


@dataclass(frozen=True)
class ForMembers:
    """Gives the reply to those who have the token."""

    reply: Reply
    token: str = "let-me-in"

    def send(self, exchange: Exchange) -> None:
        is_member = exchange.headers_in().get("authorization") == f"Bearer {self.token}"
        (self.reply if is_member else status(401)).send(exchange)


def whole_documents(upstream: Upstream, release: Release) -> dict[str, Reply]:
    """What a registry says of each package as a whole."""
    main = upstream.npm_cli_metadata("0.25.0", ">=24.14.1")
    package = upstream.npm_platform_metadata(release, "0.25.0", BUILD)
    return {
        path: json_content(
            {
                "name": document["name"],
                "dist-tags": {"latest": "0.25.0"},
                "versions": {"0.25.0": document},
            }
        )
        for path, document in ((NPM_PACKAGE_PATH, main), (PACKAGE_PATH, package))
    }


def test_npm_fetches_with_the_login_that_it_knows(with_npm: Getters, upstream: Upstream) -> None:
    """And with the authority that it trusts. In the home nothing but Wasp is left."""
    release = upstream.publish("0.25.0", github=False)
    server = upstream.server
    for path in list(server.known_paths()):
        server.answer(path, status(401))
    for path, reply in whole_documents(upstream, release).items():
        server.answer(path, ForMembers(reply))
    server.answer(TARBALL, ForMembers(Content(release.npm_archive)))
    address = upstream.npm_url.partition(":")[2]
    (with_npm.machine.home / ".npmrc").write_text(
        f"@wasp.sh:registry={upstream.npm_url}/ ; ours\n{address}/:_authToken=let-me-in\n"
        f"cafile={with_npm.machine.authority.bundle}\n"
    )
    run = with_npm.install(None, "--no-modify-path").ok()
    assert (run.json["source"], run.json["digest"]) == ("npm", release.npm_digest)
    assert "let-me-in" not in run.stdout + run.stderr
    assert {path.name for path in with_npm.machine.home.iterdir()} == {".npmrc", ".local"}


# --- What npm fetches ----------------------------------------------------------------------------

_FETCHES = """\
case "$*" in
    *'config get'*) {config} ;;
    *'view --json @wasp.sh/wasp-cli@'*) cat '{files}/main.json' ;;
    *'view --json @wasp.sh/wasp-cli-'*) cat '{files}/package.json' ;;
    *'pack --ignore-scripts @wasp.sh/wasp-cli-'*'@0.25.0'*)
        cp '{files}/a.tgz' wasp.sh-wasp-cli-0.25.0.tgz; echo wasp.sh-wasp-cli-0.25.0.tgz ;;
    *) exit 9 ;;
esac
"""


def npm_that_fetches(
    both: Getters, upstream: Upstream, release: Release, archive: bytes, config: str | None = None
) -> None:
    """A stand-in that answers as npm does, for this release and archive."""
    files = both.machine.root / "npm-has"
    files.mkdir()
    dist = upstream.npm_platform_metadata(release, "0.25.0", BUILD)["dist"]
    package = {"name": "x", **{f"dist.{key}": dist[key] for key in ("tarball", "integrity")}}
    main = {"name": "x", "version": "0.25.0", "engines.node": ">=24.14.1"}
    for name, document in (("main", main), ("package", package)):
        (files / f"{name}.json").write_bytes(json_content(document, indent=2).body)
    (files / "a.tgz").write_bytes(archive)
    says = f"echo '@wasp.sh:registry=undefined'; echo 'registry={upstream.npm_url}/'"
    both.machine.toolbox.script("npm", _FETCHES.format(files=files, config=config or says))


@pytest.mark.parametrize("case", ["403", "500", "login in the address"])
def test_npm_fetches_what_a_request_cannot(both: Getters, upstream: Upstream, case: str) -> None:
    release = upstream.publish("0.25.0", github=False)
    both.machine.without_waiting()
    for path in list(upstream.server.known_paths()):
        upstream.server.answer(path, status(500 if case == "500" else 403))
    config = LOGIN if case == "login in the address" else None
    npm_that_fetches(both, upstream, release, release.npm_archive, config)
    run = both.install(None, *(["-v", "0.25.0"] if case == "403" else [])).ok()
    assert (run.json["source"], run.json["digest"]) == ("npm", release.npm_digest)
    assert both.machine.layout.receipt("0.25.0")["node"] == ">=24.14.1"


def test_npm_fetches_only_the_archive_where_the_rest_is_open(
    both: Getters, upstream: Upstream
) -> None:
    release = upstream.publish("0.25.0", github=False)
    upstream.server.answer(TARBALL, status(403))
    npm_that_fetches(both, upstream, release, release.npm_archive)
    assert both.install().ok().json["digest"] == release.npm_digest


def test_npm_must_name_a_checksum(both: Getters, upstream: Upstream) -> None:
    """Of what it brings, nothing else would be known."""
    release = upstream.publish("0.25.0", github=False)
    for path in list(upstream.server.known_paths()):
        upstream.server.answer(path, status(403))
    npm_that_fetches(both, upstream, release, release.npm_archive)
    document = both.machine.root / "npm-has" / "package.json"
    document.write_text(document.read_text().replace("dist.integrity", "dist.other"))
    both.install().failed(4, "http-status").says("403")


def test_what_npm_brings_must_be_what_was_published(both: Getters, upstream: Upstream) -> None:
    release = upstream.publish("0.25.0")
    upstream.server.answer(TARBALL, status(403))
    npm_that_fetches(both, upstream, release, release.github_archive)
    both.install().failed(6, "checksum-mismatch")


def test_npm_is_not_asked_for_what_the_registry_does_not_have(
    both: Getters, upstream: Upstream
) -> None:
    release = upstream.publish("0.25.0", npm=False)
    npm_that_fetches(both, upstream, replace(release), release.npm_archive)
    run = both.install("0.25.0").ok()
    assert run.json["source"] == "github"
    run.says("the npm registry: it does not have Wasp 0.25.0. Trying GitHub")


# --- Mirrors -------------------------------------------------------------------------------------


def test_a_mirror_that_lists_the_newest_is_asked_for_all(
    shell_machine: Machine, upstream: Upstream
) -> None:
    upstream.list_at_npm(["0.25.0", "0.24.0", "0.26.0-rc1"])
    run = shell_machine.run("list", "--remote", "--json").ok()
    assert run.json["remote"] == ["0.26.0-rc1", "0.25.0", "0.24.0"]
