"""What the sh program makes of the tools that a system has, or lacks."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.frontends import INSTALL_SH
from tests.support.functions import call_functions
from tests.support.machines import Machine
from tests.support.releases import GITHUB_LATEST_PATH, Upstream, npm_cli_path, npm_tarball_path
from tests.support.replies import redirect, status
from tests.support.server import Server
from tests.support.skips import need, need_root
from tests.support.toolboxes import BUSYBOX_TOOLS, Toolbox, real_tool
from tests.support.trees import expected_version_folder, picture
from wasp_installer.getting.platforms import how_to_install

METADATA = npm_cli_path("0.25.0")
TARBALL = npm_tarball_path("0.25.0", "linux-x64-glibc")
FROM_NPM = ("--source", "npm")


@pytest.fixture
def wget_machine(shell_machine: Machine) -> Machine:
    """A machine that has GNU wget and no curl."""
    shell_machine.toolbox.remove("curl").link("wget")
    shell_machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    return shell_machine


# --- wget ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["npm", "github"])
def test_wget_serves_too(wget_machine: Machine, upstream: Upstream, source: str) -> None:
    release = upstream.publish("0.25.0")
    # Somebody keeps quiet, saves headers, or continues downloads by default.
    settings = wget_machine.root / "wgetrc"
    settings.write_text("quiet = on\ncontinue = on\ntries = 7\n")
    wget_machine.set(WGETRC=str(settings))
    told = wget_machine.install(None, "--source", source).ok().json
    assert told["digest"] == (release.npm_digest if source == "npm" else release.github_digest)
    there = wget_machine.layout.version_picture("0.25.0")
    assert there == expected_version_folder(release.package)


def test_wget_keeps_the_passwords_in_netrc_to_itself(
    wget_machine: Machine, upstream: Upstream
) -> None:
    netrc = wget_machine.home / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    netrc.chmod(0o600)
    upstream.server.answer(METADATA, status(401, WWW_Authenticate='Basic realm="x"'))
    wget_machine.install("0.25.0", *FROM_NPM).failed(4, "http-status").says("401")
    assert not [headers for headers in upstream.server.headers if "Authorization" in headers]


@pytest.mark.parametrize("path", [TARBALL, GITHUB_LATEST_PATH], ids=["archive", "latest"])
def test_wget_does_not_use_what_came_by_http(
    wget_machine: Machine, upstream: Upstream, path: str
) -> None:
    """It follows a redirect by itself; what it brings from there is not looked at."""
    upstream.publish("0.25.0")
    plain = Server(None)
    source = "npm" if path == TARBALL else "github"
    try:
        plain.fallback = upstream.server.reply_of(path)
        upstream.server.answer(path, redirect(f"{plain.url}/here"))
        wget_machine.install(None, "--source", source).failed(4, "insecure-url")
        assert picture(wget_machine.home) == {}
    finally:
        plain.close()


# --- Which downloader ----------------------------------------------------------------------------

# Snap's is confined: it cannot write where it is asked to.
SNAP = """\
for argument do
    case $argument in -o* | --output | -D | --dump-header | --output=*) refuse=1 ;; esac
done
[ -n "${refuse-}" ] || exec REAL "$@"
echo 'curl: (23) Failure writing output to destination' >&2
exit 23
"""


@pytest.mark.parametrize("wget", [True, False], ids=["wget", "no wget"])
def test_snaps_curl_is_not_used(shell_machine: Machine, upstream: Upstream, wget: bool) -> None:
    upstream.publish("0.25.0")
    folder = shell_machine.root / "snap" / "bin"
    folder.mkdir(parents=True)
    curl = folder / "curl"
    curl.write_text("#!/bin/sh\n" + SNAP.replace("REAL", str(real_tool("curl"))))
    curl.chmod(0o755)
    tools = shell_machine.toolbox.remove("curl").folder
    shell_machine.set(PATH=f"{folder}:{tools}")
    if wget:
        shell_machine.toolbox.link("wget")
        shell_machine.install().ok()
    else:
        shell_machine.install().failed(4, "no-downloader").says("snap")


@pytest.mark.parametrize("tool", [None, "wget2", "something"])
def test_without_a_downloader_of_use(
    shell_machine: Machine, upstream: Upstream, tool: str | None
) -> None:
    upstream.publish("0.25.0")
    shell_machine.toolbox.remove("curl")
    if tool == "wget2":
        shell_machine.toolbox.alias("wget", "wget2")
    elif tool is not None:
        shell_machine.toolbox.script("wget", "echo 'no wget at all'")
    run = shell_machine.install().failed(4, "no-downloader")
    run.says("curl", "wget", "install")
    assert picture(shell_machine.home) == {}


@pytest.mark.parametrize("tool", ["tar", "gzip", "awk"])
def test_a_missing_tool_is_named(shell_machine: Machine, upstream: Upstream, tool: str) -> None:
    upstream.publish("0.25.0")
    shell_machine.toolbox.remove(tool, "gunzip" if tool == "gzip" else tool)
    run = shell_machine.run("install")
    assert run.code == 3, run
    run.says("error:", f"'{tool}'", "install")
    assert shell_machine.layout.versions() == []


# --- busybox -------------------------------------------------------------------------------------


@pytest.fixture
def busybox_machine(shell_machine: Machine) -> Machine:
    """As on Alpine: every tool is busybox's, wget and the hashes too, and ldd is musl's."""
    box = shell_machine.toolbox
    for tool in list(box.folder.iterdir()):
        tool.unlink()
    box.busybox(*BUSYBOX_TOOLS, "sha256sum", "sha512sum", "wget")
    box.fake_musl()
    return shell_machine


@pytest.fixture
def plain_upstream() -> Iterator[Upstream]:
    """npm and GitHub without TLS, which the wget of Debian's busybox does not check."""
    plain = Server(None)
    yield Upstream(plain)
    plain.close()


@pytest.mark.parametrize("source", ["npm", "github"])
def test_busybox_is_enough(busybox_machine: Machine, plain_upstream: Upstream, source: str) -> None:
    release = plain_upstream.publish("0.25.0")
    busybox_machine.set(
        WASP_NPM_REGISTRY=plain_upstream.npm_url, WASP_GITHUB_URL=plain_upstream.github_url
    )
    # Where "latest" leads it cannot tell, since it goes there.
    busybox_machine.install("0.25.0", "--source", source).ok()
    there = busybox_machine.layout.version_picture("0.25.0")
    assert there == expected_version_folder(release.package)
    assert busybox_machine.wasp("version").stdout == "0.25.0\n"


LOADER = b"/lib64/ld-linux-x86-64.so.2"


def put_busybox(image: Path) -> None:
    """All that the image has; its loader, if it wants one, is not at the usual place."""
    busybox = real_tool("busybox").resolve()
    for folder in ("bin", "dev", "tmp", "root"):
        (image / folder).mkdir(parents=True)
    (image / "bin/busybox").write_bytes(
        busybox.read_bytes().replace(LOADER, LOADER.replace(b"lib64", b"other"))
    )
    (image / "bin/busybox").chmod(0o755)
    for name in ("sh", *BUSYBOX_TOOLS, "sha256sum", "sha512sum", "wget", "id", "timeout"):
        with contextlib.suppress(FileExistsError):
            (image / "bin" / name).symlink_to("busybox")
    linked = subprocess.run(["ldd", str(busybox)], capture_output=True, text=True).stdout
    for library in re.findall(r"(/\S+) [(]", linked):
        copy = Path(f"{image}{library.replace('/lib64/', '/other/')}")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(library, copy)
        copy.chmod(0o755)


def test_nothing_but_busybox_and_no_loader(
    shell_machine: Machine, plain_upstream: Upstream
) -> None:
    """As in a small image; NixOS has no loader at the usual place either."""
    need_root("chroot")
    need(os.uname().machine == "x86_64", "the loader has another name")
    plain_upstream.publish("0.25.0")
    image = shell_machine.root / "image"
    put_busybox(image)
    (image / "install.sh").write_bytes(INSTALL_SH.read_bytes())
    script = f"mount --rbind /dev '{image}/dev' && exec chroot '{image}' \"$@\""
    enter = [str(real_tool("unshare")), "-m", str(real_tool("bash")), "-c", script, "bash"]
    inside = {"PATH": "/bin:/usr/sbin:/usr/bin", "HOME": "/root", "TMPDIR": "/tmp"}
    probe = shell_machine.run_program([*enter, "/bin/sh", "-c", ":"], env=inside)
    need(probe.code == 0, f"cannot enter another root here: {probe.stderr}")
    inside |= {"WASP_NPM_REGISTRY": plain_upstream.npm_url}
    words = ("-v", "0.25.0", "--source", "npm", "--porcelain")
    run = shell_machine.run_program([*enter, "/bin/sh", "/install.sh", *words], env=inside).ok()
    assert run.json["url"].endswith(npm_tarball_path("0.25.0", "linux-x64-musl"))
    wasp = [*enter, "/root/.local/bin/wasp"]
    assert shell_machine.run_program([*wasp, "version"], env=inside).ok().stdout == "0.25.0\n"
    shell_machine.run_program([*wasp, "installer", "uninstall", "--yes"], env=inside).ok()
    assert picture(image / "root") == {}
    assert list((image / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("code", "exit_code", "slug"),
    [(404, 5, "no-such-version"), (403, 4, "http-status"), (500, 4, "http-status")],
)
def test_busybox_wget_tells_statuses_apart(
    busybox_machine: Machine, plain_upstream: Upstream, code: int, exit_code: int, slug: str
) -> None:
    plain_upstream.server.answer(METADATA, status(code))
    busybox_machine.set(WASP_NPM_REGISTRY=plain_upstream.npm_url).without_waiting()
    busybox_machine.install("0.25.0", *FROM_NPM).failed(exit_code, slug)


def test_a_wget_that_checks_no_certificates_is_not_trusted(
    busybox_machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    run = busybox_machine.install().failed(4, "no-downloader")
    run.says("certificate", "curl")
    assert not [path for path in upstream.server.fetched if path.endswith(".tgz")]


# --- What is said of one that is missing ---------------------------------------------------------

#: By the package managers, for everybody and for root; Homebrew is never root's.
ADVICE = {
    "apt-get": "apt-get install x",
    "apk": "apk add x",
    "dnf": "dnf install x",
    "pacman": "pacman -S x",
    "zypper": "zypper install x",
    "brew": "brew install x",
}


@pytest.mark.parametrize("user", [0, 1000])
def test_how_to_install_it(
    shell_machine: Machine, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    calls, said = [f"id() {{ echo {user}; }}\nhow_to_install x"], []
    for name in ADVICE:
        folder = Toolbox(shell_machine.root / "managers" / name).script(name, "").folder
        calls.append(f"id() {{ echo {user}; }}\nPATH='{folder}':$PATH\nhow_to_install x")
        monkeypatch.setenv("PATH", str(folder))
        said.append(how_to_install("x"))
    sudo = {name: "sudo " if user and name != "brew" else "" for name in ADVICE}
    expected = [f"Install it: {sudo[name]}{advice}" for name, advice in ADVICE.items()]
    assert said == expected
    none = "Install it with your system's package manager."
    monkeypatch.setenv("PATH", "/no/such/folder")
    assert how_to_install("x") == none
    monkeypatch.undo()
    assert call_functions(shell_machine, calls) == [none, *expected]
