"""Which registry is asked, as npm says it, and what npm fetches where a plain request cannot."""

from __future__ import annotations

import contextlib
import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.getters.test_registry_answers import (
    BUILD,
    DIGEST,
    INTEGRITY,
    RANGE,
    main_document,
    package_document,
)
from tests.support.functions import call_functions
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.releases import NPM_PACKAGE_PATH, Upstream, npm_tarball_path
from tests.support.replies import Content, Exchange, Reply, json_content, redirect, status
from tests.support.server import Server
from tests.support.toolboxes import Toolbox
from tests.support.trees import picture
from wasp_installer import Console
from wasp_installer.errors import SourceProblem
from wasp_installer.getting.npm import NpmSource
from wasp_installer.getting.npm_program import Npm
from wasp_installer.getting.transport import Transport
from wasp_installer.placing.archives import ArchiveReceiver

SCOPE, ALL, WRONG = "https://scope.invalid/npm", "https://all.invalid", "https://wrong.invalid"
#: Answers one question of several, as npm 6.
OLD_NPM = """
[ "$1 $2" = 'config get' ] || exit 9
for key do case $key in --* | config | get) ;; *) break ;; esac; done
case $key in @wasp.sh:registry) echo {scope} ;; registry) echo {all} ;; esac
"""


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
    variables: str = ""


OF_SCOPE = f"@wasp.sh:registry={SCOPE}/"
NPMS_OWN, OURS = f"npm_config_registry={WRONG}", f"WASP_NPM_REGISTRY={SCOPE}/"
LOOKUPS = {
    "the scope's": Lookup(answering(OF_SCOPE, f"registry={WRONG}/"), SCOPE, variables=NPMS_OWN),
    "for all": Lookup(answering("@wasp.sh:registry=undefined", f"registry={ALL}/"), ALL),
    "with spaces": Lookup(answering(OF_SCOPE.replace("=", " = ") + "\r", "registry = x"), SCOPE),
    "one value": Lookup(answering(f"{SCOPE}/"), SCOPE),
    "npm 6, the scope's": Lookup(OLD_NPM.format(scope=SCOPE, all=ALL), SCOPE),
    "npm 6, for all": Lookup(OLD_NPM.format(scope="undefined", all=ALL), ALL),
    "a login in it": Lookup(
        "echo 'npm error It is protected' >&2; exit 1", variables="npm_config_registry="
    ),
    "undefined": Lookup(answering("@wasp.sh:registry=undefined", "registry=undefined"), "", False),
    "says nothing": Lookup("exit 0", "", False),
    "another word": Lookup(f"echo 'Please run: nvm install ({WRONG})'", "", False),
    "fails": Lookup(f"echo {WRONG}; exit 1", "", False),
    "no node": Lookup("echo 'node: not found' >&2; exit 127", "", False),
    "takes too long": Lookup(f"trap '' TERM; sleep 15; echo registry={WRONG}", "", False),
    "ours": Lookup(answering(f"registry={WRONG}"), SCOPE, False, f"{OURS} {NPMS_OWN}"),
    # npm itself looks at its variable.
    "none": Lookup(None, WRONG, False, NPMS_OWN),
    "none, nothing": Lookup(None, "", False),
}


def test_which_registry_it_is(shell_machine: Machine) -> None:
    """And npm runs in a folder of its own, of which nothing is left."""
    boxes = [Toolbox(shell_machine.root / "npms" / str(n)) for n in range(len(LOOKUPS))]
    calls = []
    for box, lookup in zip(boxes, LOOKUPS.values()):
        if lookup.npm is not None:
            checks = f"""pwd -P >>"{box.folder}/seen"; [ "$(cat package.json)" = "{{}}" ] || exit 9
            case $* in *--no-workspaces*) ;; *) exit 9 ;; esac"""
            box.script("npm", f"{checks}\n{lookup.npm}")
        calls.append(
            f"PATH='{box.folder}:{shell_machine.toolbox.folder}' HELPER_LIMIT_S=1\n"
            f"export WASP_NPM_REGISTRY= {lookup.variables}\n"
            'start_registry_lookup\nfind_registry\nlines "$registry $fetcher"'
        )
    told = call_functions(shell_machine, calls, together=True)
    for box, (name, lookup), said in zip(boxes, LOOKUPS.items(), told):
        assert said == f"{lookup.registry} {'either' if lookup.fetches else 'request'}", name
        seen = box.folder / "seen"
        for place in seen.read_text().splitlines() if seen.exists() else ():
            assert place != str(shell_machine.here)
            assert not Path(place).exists()


@dataclass(frozen=True)
class ForMembers:
    """Gives the reply to those who have the token."""

    reply: Reply

    def send(self, exchange: Exchange) -> None:
        is_member = exchange.headers_in().get("authorization") == "Bearer let-me-in"
        (self.reply if is_member else status(401)).send(exchange)


def test_npm_fetches_with_the_settings_of_its_user_alone(both: Getters, upstream: Upstream) -> None:
    """A registry for all, a login and an authority. In the home nothing but Wasp is left."""
    release = upstream.publish("0.25.0", github=False)
    server, machine = upstream.server, both.machine
    for path in list(server.known_paths()):
        server.answer(path, status(401))
    for name, document in (
        (NPM_PACKAGE_PATH, upstream.npm_cli_metadata("0.25.0", RANGE)),
        (f"{NPM_PACKAGE_PATH}-{BUILD}", upstream.npm_platform_metadata(release, "0.25.0", BUILD)),
    ):
        whole = {"dist-tags": {"latest": "0.25.0"}, "versions": {"0.25.0": document}}
        server.answer(name, ForMembers(json_content({"name": document["name"], **whole})))
    server.answer(npm_tarball_path("0.25.0", BUILD), ForMembers(Content(release.npm_archive)))
    (machine.root / "npmrc").write_text(f"@wasp.sh:registry={upstream.npm_url}/ ; ours\n")
    (machine.home / ".npmrc").write_text(
        f"{upstream.npm_url.partition(':')[2]}/:_authToken=let-me-in\n"
        f"cafile={machine.authority.bundle}\nregistry={WRONG}\n"
    )
    machine.toolbox.link("npm", "node")
    machine.set(npm_config_globalconfig=f"{machine.root}/npmrc", npm_config_fetch_retries="0")
    machine.set(WASP_NPM_REGISTRY=None)
    # Whoever wrote a cloned repository would choose which program is run.
    project, inside = machine.root / "cloned", machine.root / "cloned/packages/one/src"
    inside.mkdir(parents=True)
    (project / ".npmrc").write_text(f"registry={WRONG}\n@wasp.sh:registry={WRONG}\n")
    (project / "package.json").write_text('{"name": "cloned", "workspaces": ["packages/*"]}\n')
    (inside.parent / "package.json").write_text('{"name": "one"}\n')
    before = picture(project)
    run = both.install(None, "--no-modify-path", cwd=inside).ok()
    assert (run.json["source"], run.json["digest"]) == ("npm", release.npm_digest)
    assert "let-me-in" not in run.stdout + run.stderr
    assert {path.name for path in machine.home.iterdir()} == {".npmrc", ".local"}
    assert picture(project) == before


ARCHIVE = b"an archive"
#: A stand-in that answers as npm does; `{before}` may do something else.
STAND_IN = """\
echo "$1" >>"$0.log"
[ "$(cat package.json)" = '{{}}' ] || exit 9
{before}
case "$*" in
    'view --json @wasp.sh/wasp-cli@'*) cat '{files}/main.json' ;;
    'view --json @wasp.sh/wasp-cli-'*) cat '{files}/package.json' ;;
    'pack --ignore-scripts @wasp.sh/wasp-cli-{build}@0.25.0 '*) cp '{files}/archive' a.tgz ;;
    *) exit 9 ;;
esac
"""


@dataclass(frozen=True)
class Fetch:
    """What a registry answers, and npm does before it answers; what npm is asked for, and the
    problem that is left.

    ``url`` is where the archive is, and ``digest`` whether there is one.
    """

    main: Reply | None = None
    archive: Reply = field(default_factory=lambda: Content(ARCHIVE))
    npm: str = ""
    asked: str = ""
    slug: str = ""
    url: str = ""
    digest: bool = True


FORBIDDEN = status(403)
FETCHES = {
    "not needed": Fetch(),
    "403": Fetch(FORBIDDEN, asked="view view pack"),
    "500": Fetch(status(500), asked="view view pack"),
    "a login in the address": Fetch(url="none", asked="view view pack"),
    "the archive alone": Fetch(archive=FORBIDDEN, asked="pack"),
    "an archive that cannot be reached": Fetch(url="https://no.invalid/", asked="pack"),
    # Of what it brings, nothing else would be known.
    "no checksum": Fetch(FORBIDDEN, asked="view view", slug="http-status", digest=False),
    "no checksum, archive": Fetch(archive=FORBIDDEN, slug="http-status", digest=False),
    # With these, it would not fare better, or must not.
    "not there": Fetch(status(404), slug="not-found"),
    "http": Fetch(url="http://elsewhere.invalid/", slug="insecure-url"),
    "to http": Fetch(archive=redirect("http://elsewhere.invalid/"), slug="insecure-url"),
    # It may fail, too.
    "no view": Fetch(FORBIDDEN, npm="exit 1", asked="view", slug="http-status"),
    # "slow" in place of ten minutes.
    **{
        name: Fetch(None, FORBIDDEN, f'[ "$1" != pack ] || {before}', "pack", "connection")
        for name, before in (
            ("fails", "exit 1"),
            ("two", ": >b.tgz"),
            ("none", "exit 0"),
            ("slow", "/bin/sleep 15"),
        )
    },
}
FETCH_CALL = """
choose_downloader
PATH='{folder}':$PATH NPM_FETCH_LIMIT_S=1 staging=$work
registry='{registry}' fetcher=either npm_build={build} wanted=latest wanted_words='the newest Wasp'
release_digest='' problem='' timeout=5
if find_release_at_npm >/dev/null 2>&1 && download "$work/archive" 2>/dev/null; then
    lines "$release_node" "$release_digest"
    verify_digest {digest}
else
    lines "$problem"
fi
"""


def fetched_by_python(registry: str | None, folder: Path) -> str:
    (folder / "runs").mkdir()
    npm = Npm(folder / "runs")
    source = NpmSource(Transport(Console(quiet=True), 5), BUILD, registry, npm)
    with contextlib.closing(ArchiveReceiver(folder, ["sha512"])) as receiver:
        try:
            release = source.find("latest")
            source.fetch(release, receiver)
        except SourceProblem as problem:
            return problem.slug
        receiver.finish([DIGEST])
    return f"{release.node}\n{release.digest}"


def test_npm_fetches_what_a_request_cannot(
    shell_machine: Machine, plain: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wasp_installer.getting.transport.time.sleep", lambda _: None)
    monkeypatch.setattr("wasp_installer.getting.npm_program.FETCH_LIMIT_S", 1.0)
    calls, places = [], []
    for number, case in enumerate(FETCHES.values()):
        folder, registry = tmp_path / str(number), f"{plain.url}/{number}"
        url = case.url if "/" in case.url else f"{registry}/a.tgz"
        main, package = main_document(), package_document(url, INTEGRITY if case.digest else "")
        for path, reply in (
            ("@wasp.sh%2fwasp-cli/latest", case.main or json_content(main)),
            (f"@wasp.sh%2fwasp-cli-{BUILD}/0.25.0", json_content(package)),
            ("a.tgz", case.archive),
        ):
            plain.answer(f"/{number}/{path}", reply)
        script = STAND_IN.format(before=case.npm, files=folder, build=BUILD)
        Toolbox(folder).script("npm", script)
        flat = {f"dist.{key}": value for key, value in package["dist"].items()}
        viewed = {"name": "x", "version": "0.25.0", "engines.node": RANGE}
        (folder / "main.json").write_text(json.dumps(viewed, indent=2))
        (folder / "package.json").write_text(json.dumps({"name": "x", **flat}, indent=2))
        (folder / "archive").write_bytes(ARCHIVE)
        known = registry if case.url != "none" else ""
        places.append((known or None, folder))
        calls.append(FETCH_CALL.format(folder=folder, registry=known, build=BUILD, digest=DIGEST))
    told = call_functions(shell_machine.without_waiting(), calls)
    for (name, case), said, place in zip(FETCHES.items(), told, places):
        expected = case.slug or f"{RANGE}\n{DIGEST}"
        monkeypatch.setenv("PATH", f"{place[1]}:{shell_machine.toolbox.folder}")
        assert (said, fetched_by_python(*place)) == (expected, expected), name
        log = place[1] / "npm.log"
        asked = log.read_text().split() if log.exists() else []
        assert asked == 2 * case.asked.split(), name
