"""Which registry is asked, as npm says it, and what npm fetches where a plain request cannot."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.frontends import FrontEnd, patched
from tests.support.getters import Getters
from tests.support.machines import Machine, MachineRoom
from tests.support.releases import (
    NPM_PACKAGE_PATH,
    Release,
    Upstream,
    npm_cli_path,
    npm_platform_path,
    npm_tarball_path,
)
from tests.support.replies import Content, Exchange, Reply, json_content, status
from tests.support.trees import picture

WRONG = "https://wrong.invalid/"
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


# Answers as npm 7 and newer do, or as npm 6; writes what npm writes where it is not told otherwise.
_CONFIG = """\
case $1 in --no-workspaces) shift ;; esac
[ "$1 $2" = 'config get' ] || exit 9
shift 2
mkdir -p "${{npm_config_cache:-$HOME/.npm}}/_logs"
echo 'npm warn Unknown user config' >&2
scoped={scoped} plain={plain} keys=0
value_of() {{
    case $1 in
        @wasp.sh:registry) echo "$scoped" ;;
        registry) echo "$plain" ;;
    esac
}}
for key do case $key in --*) ;; *) keys=$((keys + 1)) ;; esac; done
for key do
    case $key in --*) continue ;; esac
    [ "$keys" = 1 ] || [ {generation} = 6 ] || printf '%s=' "$key"
    value_of "$key"
    [ {generation} != 6 ] || exit 0
done
"""


def fake_npm(both: Getters, plain: str, scoped: str = "undefined", generation: int = 11) -> None:
    words = {"plain": shlex.quote(plain), "scoped": shlex.quote(scoped), "generation": generation}
    both.machine.toolbox.script("npm", _CONFIG.format(**words))


# --- The registry's address ----------------------------------------------------------------------


@pytest.mark.parametrize("generation", [6, 11])
@pytest.mark.parametrize("where", ["scope", "all"])
def test_the_registry_that_npm_says(
    both: Getters, upstream: Upstream, generation: int, where: str
) -> None:
    upstream.publish("0.25.0")
    ours = f"{upstream.npm_url}/"
    if where == "scope":
        fake_npm(both, WRONG, ours, generation)
    else:
        fake_npm(both, ours, generation=generation)
    assert both.install().ok().json["source"] == "npm"
    assert not (both.machine.home / ".npm").exists()


@pytest.mark.parametrize(
    "body",
    [
        "echo 'node: not found' >&2; exit 127",
        f"echo {WRONG}; exit 1",
        f"echo 'Please run: nvm install ({WRONG})'",
        "echo undefined",
        "exit 0",
    ],
)
def test_an_npm_of_no_use_is_like_no_npm(both: Getters, upstream: Upstream, body: str) -> None:
    upstream.publish("0.25.0")
    both.machine.toolbox.script("npm", body)
    run = both.install().ok()
    assert run.json["source"] == "github"
    run.is_silent_about("wrong.invalid", "npm registry")


def test_an_npm_that_hangs_is_like_no_npm(
    machines: MachineRoom, shell: FrontEnd, upstream: Upstream, tmp_path: Path
) -> None:
    """For install.py in tests/unit/test_registry.py."""
    upstream.publish("0.25.0")
    shorter = patched(shell, tmp_path / "patched", {"HELPER_LIMIT_S=10": "HELPER_LIMIT_S=1"})
    machine = machines.build(shorter).set(WASP_NPM_REGISTRY=None)
    machine.toolbox.script("npm", "trap '' TERM; sleep 60")
    assert machine.install().ok().json["source"] == "github"


def test_the_order_of_registries(both: Getters, upstream: Upstream) -> None:
    """Ours, what npm says, and npm's variable where there is no npm, which looks at it itself."""
    upstream.publish("0.25.0")
    ours, machine = f"{upstream.npm_url}/", both.machine
    machine.set(npm_config_registry=ours)
    assert both.install(None, "--force").ok().json["source"] == "npm"
    machine.set(npm_config_registry=WRONG)
    fake_npm(both, ours)
    assert both.install(None, "--force").ok().json["source"] == "npm"
    machine.toolbox.script("npm", f"echo started >>'{machine.root}/npm-log'; exit 1")
    machine.set(WASP_NPM_REGISTRY=ours)
    assert both.install(None, "--force").ok().json["source"] == "npm"
    assert not (machine.root / "npm-log").exists()


def test_no_npmrc_is_read_without_npm(both: Getters, upstream: Upstream) -> None:
    """Its syntax, and which of them counts, is npm's business."""
    upstream.publish("0.25.0")
    (both.machine.home / ".npmrc").write_text(f"registry={WRONG}\n")
    run = both.install().ok()
    assert run.json["source"] == "github"
    run.is_silent_about("wrong.invalid")


# --- The real npm --------------------------------------------------------------------------------


@pytest.fixture
def with_npm(both: Getters) -> Getters:
    """The real npm, set up for all users of the machine with a registry out of reach."""
    both.machine.toolbox.link("npm", "node")
    for_all = both.machine.root / "npmrc"
    for_all.write_text(f"registry={WRONG}\n")
    both.machine.set(npm_config_globalconfig=str(for_all), npm_config_fetch_retries="0")
    return both


@pytest.mark.parametrize(
    ("below", "key"), [("", "registry"), ("packages/one/src", "@wasp.sh:registry")]
)
def test_a_project_has_no_say(with_npm: Getters, upstream: Upstream, below: str, key: str) -> None:
    """Else whoever wrote a repository would choose which program is run."""
    upstream.publish("0.25.0")
    project = with_npm.machine.root / "cloned"
    (project / "packages/one/src").mkdir(parents=True)
    (project / ".npmrc").write_text(f"{key}={upstream.npm_url}/\n")
    (project / "package.json").write_text('{"name": "cloned", "workspaces": ["packages/*"]}\n')
    (project / "packages/one/package.json").write_text('{"name": "one"}\n')
    before = picture(project)
    run = with_npm.install(None, "--dry-run", cwd=project / below).ok()
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


@pytest.mark.parametrize("key", ["registry", "@wasp.sh:registry"])
def test_npm_fetches_with_the_login_that_it_knows(
    with_npm: Getters, upstream: Upstream, key: str
) -> None:
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
        f"{key}={upstream.npm_url}/ ; ours\n{address}/:_authToken=let-me-in\n"
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
_PROTECTED = (
    "echo 'npm error The registry option is protected, and cannot be retrieved' >&2; exit 1"
)


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


@pytest.mark.parametrize("case", ["401", "403", "portal-like 500", "login in the address"])
def test_npm_fetches_what_a_request_cannot(both: Getters, upstream: Upstream, case: str) -> None:
    release = upstream.publish("0.25.0", github=False)
    both.machine.without_waiting()
    codes = {"401": 401, "403": 403, "portal-like 500": 500}
    for path in list(upstream.server.known_paths()):
        upstream.server.answer(path, status(codes.get(case, 404)))
    config = _PROTECTED if case == "login in the address" else None
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


@pytest.mark.parametrize(("code", "version"), [(404, None), (400, "0.25.0"), (405, None)])
def test_a_mirror_without_documents_of_one_version(
    both: Getters, upstream: Upstream, code: int, version: str | None
) -> None:
    """As some registries are; the document of all versions has the same in it."""
    release = upstream.publish("0.25.0", github=False)
    server = upstream.server
    for missing in (npm_cli_path("latest"), npm_cli_path("0.25.0")):
        server.answer(missing, status(code))
    server.answer(npm_platform_path("0.25.0", BUILD), status(code))
    for path, reply in whole_documents(upstream, release).items():
        server.answer(path, reply)
    both.machine.set(WASP_NPM_REGISTRY=upstream.npm_url)
    assert both.install(version).ok().json["digest"] == release.npm_digest
    assert both.machine.layout.receipt("0.25.0")["node"] == ">=24.14.1"
    if code == 404:
        both.install("0.24.0").failed(5, "no-such-version")


def test_a_mirror_that_lists_the_newest_is_asked_for_all(
    shell_machine: Machine, upstream: Upstream
) -> None:
    upstream.list_at_npm(["0.25.0", "0.24.0", "0.26.0-rc1"])
    run = shell_machine.run("list", "--remote", "--json").ok()
    assert run.json["remote"] == ["0.26.0-rc1", "0.25.0", "0.24.0"]
