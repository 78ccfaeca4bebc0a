"""Which source is asked, in which order, and when the other one is."""

from __future__ import annotations

import pytest

from tests.support.machines import Machine
from tests.support.releases import (
    GITHUB_LATEST_PATH,
    Upstream,
    github_api_path,
    github_download_path,
    github_tag_path,
    npm_cli_path,
    npm_platform_path,
)
from tests.support.replies import Content, closed_port, html_page, json_content, redirect, status
from tests.support.trees import picture


def npm_was_asked(upstream: Upstream) -> bool:
    return any(path.startswith("/npm") for path in upstream.server.requests)


def github_was_asked(upstream: Upstream) -> bool:
    return any(path.startswith("/github") for path in upstream.server.requests)


def test_npm_comes_first(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    run = machine.install("0.25.0").ok()
    assert run.json["source"] == "npm"
    assert not github_was_asked(upstream)
    run.is_silent_about("github")


@pytest.mark.parametrize("version", ["0.20.1", "0.11.8", "0.1.9.1", "0.20.0-rc1"])
def test_versions_before_npm_come_from_github_at_once(
    machine: Machine, upstream: Upstream, version: str
) -> None:
    upstream.publish(version, npm=False, latest=False)
    assert machine.install(version).ok().json["source"] == "github"
    assert not npm_was_asked(upstream)


def test_github_serves_what_npm_lacks(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0", npm=False, latest=False)
    run = machine.install("0.25.0").ok()
    assert run.json["source"] == "github"
    assert len([w for w in run.warnings() if "npm" in w.lower() or "registry" in w.lower()]) == 1
    assert run.stderr.count("GitHub") >= 1


def test_github_serves_when_npm_lacks_the_platform(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    upstream.server.forget(npm_platform_path("0.25.0", "linux-x64-glibc"))
    assert machine.install("0.25.0").ok().json["source"] == "github"


@pytest.mark.parametrize("version", [None, "0.25.0"], ids=["newest", "named"])
@pytest.mark.parametrize("fault", ["refused", "500", "403", "portal", "no-json", "dns"])
def test_github_serves_when_npm_cannot(
    machine: Machine, upstream: Upstream, fault: str, version: str | None
) -> None:
    upstream.publish("0.25.0", npm=False)
    holder, port = closed_port()
    answers = {
        "500": status(500),
        "403": status(403),
        "portal": html_page(),
        "no-json": Content(b"nonsense"),
    }
    with holder:
        if fault == "refused":
            machine.set(WASP_NPM_REGISTRY=f"https://127.0.0.1:{port}")
        elif fault == "dns":
            machine.set(WASP_NPM_REGISTRY="https://registry.invalid")
        else:
            upstream.server.answer(npm_cli_path(version or "latest"), answers[fault])
        run = machine.without_waiting().install(version).ok()
    assert run.json["source"] == "github"
    assert len([warning for warning in run.warnings() if "GitHub" in warning]) == 1
    assert machine.wasp("version").stdout == "0.25.0\n"


def test_a_chosen_source_has_no_second(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0", npm=False)
    machine.install("0.25.0", "--source", "npm").failed(5, "no-such-version")
    assert not github_was_asked(upstream)


def test_an_unreachable_source_is_not_called_a_missing_version(
    machine: Machine, upstream: Upstream
) -> None:
    """Nobody can know whether the version is where nobody could look."""
    machine.set(WASP_NPM_REGISTRY="https://registry.invalid")
    machine.install("0.25.0").failed(4, "dns").says("registry.invalid")
    assert github_was_asked(upstream)


def test_an_unreachable_second_source_is_told(machine: Machine) -> None:
    machine.set(WASP_GITHUB_URL="https://github.invalid")
    machine.install("0.25.0").failed(4, "dns").says("github.invalid")


# --- The registry's address ----------------------------------------------------------------------


@pytest.fixture
def without_registry(machine: Machine) -> Machine:
    """A machine on which nothing names a registry."""
    return machine.set(WASP_NPM_REGISTRY=None)


def test_without_a_registry_github_serves(without_registry: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    assert without_registry.install().ok().json["source"] == "github"
    assert not npm_was_asked(upstream)


def test_source_npm_without_a_registry_says_how_to_name_one(without_registry: Machine) -> None:
    run = without_registry.install("0.25.0", "--source", "npm")
    assert run.code in (2, 4)
    run.says("WASP_NPM_REGISTRY")


def test_the_registry_of_npms_variable(without_registry: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    without_registry.set(npm_config_registry=f"{upstream.npm_url}/")
    assert without_registry.install().ok().json["source"] == "npm"


# Answers as npm 7 and newer do, or as npm 6.
_NPM = """\
[ "$1 $2" = 'config get' ] || exit 9
shift 2
[ "$1" != --no-workspaces ] || shift
mkdir -p "${{npm_config_cache:-$HOME/.npm}}/_logs"
echo 'npm warn Unknown user config' >&2
scoped={scoped} plain={plain}
value_of() {{
    case $1 in
        @wasp.sh:registry) echo "$scoped" ;;
        registry) echo "$plain" ;;
        *) echo undefined ;;
    esac
}}
if [ $# = 1 ] || [ {generation} = 6 ]; then
    value_of "$1"
else
    for key do printf '%s=' "$key"; value_of "$key"; done
fi
"""


def fake_npm(machine: Machine, plain: str, scoped: str = "undefined", generation: int = 11) -> None:
    machine.toolbox.script(
        "npm", _NPM.format(plain=f"'{plain}'", scoped=f"'{scoped}'", generation=generation)
    )


WRONG = "https://wrong.invalid/"


@pytest.mark.parametrize("generation", [6, 11])
def test_the_registry_that_npm_says(
    without_registry: Machine, upstream: Upstream, generation: int
) -> None:
    upstream.publish("0.25.0")
    fake_npm(without_registry, f"{upstream.npm_url}/", generation=generation)
    assert without_registry.install().ok().json["source"] == "npm"
    assert not (without_registry.home / ".npm").exists()


@pytest.mark.parametrize("generation", [6, 11])
def test_the_registry_of_the_scope_comes_first(
    without_registry: Machine, upstream: Upstream, generation: int
) -> None:
    upstream.publish("0.25.0")
    fake_npm(without_registry, WRONG, scoped=f"{upstream.npm_url}/", generation=generation)
    told = without_registry.install().ok().json
    assert told["source"] == "npm"


@pytest.mark.parametrize("body", ["echo 'node: not found' >&2; exit 127", "echo {wrong}; exit 1"])
def test_npm_that_fails_is_like_no_npm(
    without_registry: Machine, upstream: Upstream, body: str
) -> None:
    upstream.publish("0.25.0")
    without_registry.toolbox.script("npm", body.format(wrong=WRONG))
    run = without_registry.install().ok()
    assert run.json["source"] == "github"
    run.is_silent_about("wrong.invalid")


@pytest.mark.parametrize("generation", [6, 11])
def test_npm_that_knows_no_registry(
    without_registry: Machine, upstream: Upstream, generation: int
) -> None:
    upstream.publish("0.25.0")
    fake_npm(without_registry, "undefined", generation=generation)
    assert without_registry.install().ok().json["source"] == "github"


@pytest.mark.parametrize("winner", ["variable", "npm", "npm-variable"])
def test_the_order_of_registries(
    without_registry: Machine, upstream: Upstream, winner: str
) -> None:
    """npm itself looks at its variable."""
    upstream.publish("0.25.0")
    machine = without_registry
    order = ["variable", "npm", "npm-variable"]
    for place in order[order.index(winner) :]:
        url = upstream.npm_url if place == winner else WRONG
        if place == "variable":
            machine.set(WASP_NPM_REGISTRY=url)
        elif place == "npm":
            fake_npm(machine, url)
        else:
            machine.set(npm_config_registry=url)
    assert machine.install().ok().json["source"] == "npm"


@pytest.fixture
def with_npm(without_registry: Machine) -> Machine:
    """A machine with the real npm, set up for all its users with a registry out of reach."""
    without_registry.toolbox.link("npm", "node")
    for_all = without_registry.root / "npmrc"
    for_all.write_text(f"registry={WRONG}\n")
    return without_registry.set(npm_config_globalconfig=str(for_all))


@pytest.mark.parametrize("below", ["", "src/pages", "packages/one", "packages/one/src"])
@pytest.mark.parametrize("key", ["registry", "@wasp.sh:registry"])
def test_a_project_has_no_say(with_npm: Machine, upstream: Upstream, below: str, key: str) -> None:
    """Else whoever wrote a repository would choose which program is run."""
    upstream.publish("0.25.0")
    project = with_npm.root / "cloned"
    for folder in ("src/pages", "packages/one/src"):
        (project / folder).mkdir(parents=True)
    (project / ".npmrc").write_text(f"{key}={upstream.npm_url}/\n")
    (project / "package.json").write_text('{"name": "cloned", "workspaces": ["packages/*"]}\n')
    (project / "packages/one/package.json").write_text('{"name": "one"}\n')
    before = picture(project)
    run = with_npm.install(cwd=project / below).ok()
    assert run.json["source"] == "github"
    run.says("wrong.invalid")
    assert not npm_was_asked(upstream)
    assert picture(project) == before


@pytest.mark.parametrize("key", ["registry", "@wasp.sh:registry"])
def test_the_owner_of_the_home_has_a_say(with_npm: Machine, upstream: Upstream, key: str) -> None:
    upstream.publish("0.25.0")
    (with_npm.home / ".npmrc").write_text(f"{key}={upstream.npm_url}/\n")
    before = picture(with_npm.home)
    assert with_npm.install().ok().json["source"] == "npm"
    assert {name.partition("/")[0] for name in picture(with_npm.home).keys() - before.keys()} <= {
        ".local",
        ".bashrc",
        ".profile",
    }


def test_no_npmrc_is_read_without_npm(without_registry: Machine, upstream: Upstream) -> None:
    """Its syntax, and which of them counts, is npm's business."""
    upstream.publish("0.25.0")
    (without_registry.home / ".npmrc").write_text(f"registry={WRONG}\n")
    run = without_registry.install().ok()
    assert run.json["source"] == "github"
    run.is_silent_about("wrong.invalid")


def test_npm_is_not_started_when_something_else_names_the_registry(
    machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    machine.toolbox.script("npm", f"echo started >>'{machine.root}/npm-log'; exit 1")
    machine.install().ok()
    assert not (machine.root / "npm-log").exists()


# --- GitHub --------------------------------------------------------------------------------------


def test_the_newest_on_github_is_where_latest_leads(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0", npm=False)
    machine.install(None, "--source", "github").ok()
    assert upstream.server.count(GITHUB_LATEST_PATH) == 1


@pytest.mark.parametrize("location", ["/github/login", "/github/x/releases/tag/v../../evil", ""])
def test_latest_that_leads_elsewhere(machine: Machine, upstream: Upstream, location: str) -> None:
    upstream.server.answer(GITHUB_LATEST_PATH, redirect(f"{upstream.server.url}{location}"))
    machine.install(None, "--source", "github").failed(4, "bad-answer")


def test_a_release_without_a_build_for_this_platform(machine: Machine, upstream: Upstream) -> None:
    """Old releases have only the x86_64 pair; the version exists all the same."""
    names = ("linux-x86_64", "macos-x86_64")
    upstream.publish("0.11.0", npm=False, github_names=names)
    machine.toolbox.fake_uname("Linux", "aarch64").fake_glibc("2.36")
    run = machine.install("0.11.0", "--source", "github").failed(3, "unsupported-platform")
    run.says("0.11.0", "aarch64")


def test_a_digest_that_github_does_not_know_is_said(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.19.0", npm=False, digests=False)
    run = machine.install("0.19.0").ok()
    run.says("checksum")
    assert run.json["digest"] is None


def test_wrong_bytes_from_github_are_refused(machine: Machine, upstream: Upstream) -> None:
    release = upstream.publish("0.19.0", npm=False)
    for path in list(upstream.server.known_paths()):
        if path.startswith("/assets/"):
            upstream.server.answer(path, Content(release.npm_archive))
    machine.install("0.19.0").failed(6, "checksum-mismatch").says("sha256")
    assert machine.layout.versions() == []


@pytest.mark.parametrize("fault", ["500", "403", "portal", "no-json"])
def test_the_releases_api_out_of_order_is_no_missing_digest(
    machine: Machine, upstream: Upstream, fault: str
) -> None:
    """The API is limited to some requests an hour; then the digest is not known, and said so."""
    upstream.publish("0.19.0", npm=False)
    answers = {
        "500": status(500),
        "403": status(403),
        "portal": html_page(),
        "no-json": Content(b"nonsense"),
    }
    upstream.server.answer(github_api_path("0.19.0"), answers[fault])
    machine.without_waiting().install("0.19.0").ok().says("checksum")


def test_an_asset_that_the_api_lists_without_digest(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.19.0", npm=False)
    assets = [{"name": "wasp-linux-x86_64.tar.gz", "digest": None}]
    upstream.server.answer(github_api_path("0.19.0"), json_content({"assets": assets}))
    assert machine.install("0.19.0").ok().json["digest"] is None


def test_github_is_not_asked_for_a_build_of_another_platform(
    machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.19.0", npm=False)
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    machine.install("0.19.0").ok()
    downloads = {path for path in upstream.server.requests if "/download/" in path}
    assert downloads == {github_download_path("0.19.0", "linux-x86_64")}
    assert upstream.server.count(github_tag_path("0.19.0")) <= 1
