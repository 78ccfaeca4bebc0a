"""The published install.py: one file, by any Python, with nothing installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.getters.test_install_event import BODY
from tests.support.collector import Collector
from tests.support.frontends import BY_NAME, REPOSITORY, FrontEnd
from tests.support.machines import Machine, MachineRoom
from tests.support.releases import Upstream
from tests.support.terminals import Terminal
from tests.support.trees import Entry, picture

pytestmark = pytest.mark.real

LIBRARIES = ("requests", "urllib3", "idna", "tqdm", "truststore", "certifi", "charset_normalizer")
# What a machine is told by; the rest of its environment is about the tests.
KEPT = {
    *("HOME", "TMPDIR", "PATH", "TERM", "SSL_CERT_FILE", "WASP_NPM_REGISTRY", "WASP_GITHUB_URL"),
    *("WASP_TELEMETRY_DISABLE", "WASP_TELEMETRY_URL", "WASP_NEWS_SERVER_URL", "WASP_TEST_MARK"),
}


@pytest.fixture
def program(dist: Path, bare_python: Path) -> FrontEnd:
    """The published install.py, by a Python that has nothing else."""
    return FrontEnd("python", lambda: [str(bare_python), "-I", str(dist / "install.py")])


@pytest.fixture
def machine(machines: MachineRoom, program: FrontEnd, upstream: Upstream) -> Machine:
    """With almost nothing in its environment."""
    upstream.publish("0.25.0", node=">=24.14.1")
    machine = machines.build(program)
    return machine.set(**dict.fromkeys(set(machine.environment) - KEPT))


def test_the_artefacts_leave_what_the_checkout_leaves(
    machines: MachineRoom, dist: Path, program: FrontEnd, upstream: Upstream, tmp_path: Path
) -> None:
    upstream.publish("0.25.0", node=">=24.14.1")
    dash = BY_NAME["dash"]
    published_script = FrontEnd("dash", lambda: [*dash.interpreter(), str(dist / "install.sh")])
    pictures: list[dict[str, Entry]] = []
    for number, front_end in enumerate((BY_NAME["python"], program, dash, published_script)):
        machine = machines.build(front_end, name=f"machine-{number}")
        # Always the same, as the launcher holds it.
        home = tmp_path / "it's home"
        home.mkdir()
        machine.set(HOME=str(home)).install().ok()
        pictures.append(picture(home))
        home.rename(tmp_path / f"home-{number}")
    assert pictures[1:] == [pictures[0]] * 3
    assert ".local/share/wasp-lang/telemetry_ping.py" in pictures[0]


def test_from_a_pipe(machine: Machine, bare_python: Path, dist: Path, collector: Collector) -> None:
    """curl … | python3 -, with the same event as the checkout sends; its sender is inside, too."""
    argv = [str(bare_python), "-", "--json"]
    machine.collects(collector)
    told = machine.run_program(argv, stdin=(dist / "install.py").read_text()).ok().json
    assert (told["status"], told["telemetry"]) == ("installed", "sent")
    placed = machine.layout.share / "telemetry_ping.py"
    assert placed.read_bytes() == (REPOSITORY / "telemetry_ping.py").read_bytes()
    machine.wait_for_background()
    [delivery] = collector.deliveries
    assert BODY.fullmatch(delivery.body.decode("ascii")), delivery.body


def test_cut_anywhere_it_does_nothing(
    machine: Machine, bare_python: Path, dist: Path, upstream: Upstream
) -> None:
    content = (dist / "install.py").read_text()
    for share in (0.1, 0.5, 0.999):
        cut = content[: int(len(content) * share)]
        machine.run_program([str(bare_python), "-I", "-"], stdin=cut)
        assert upstream.server.connections == 0
        assert picture(machine.home) == {}


def test_nothing_around_it_is_imported(machine: Machine, bare_python: Path, dist: Path) -> None:
    """Neither what lies beside it, in a folder of downloads, nor what is installed."""
    folder = machine.root / "Downloads"
    folder.mkdir()
    (folder / "install.py").write_bytes((dist / "install.py").read_bytes())
    [packages] = bare_python.parent.parent.glob("lib/python*/site-packages")
    planted = [packages / f"{name}.py" for name in ("requests", "chardet", "simplejson")]
    beside = ("requests", "chardet", "wasp_installer", "argparse", "zlib", "binascii")
    try:
        for path in (*planted, *(folder / f"{name}.py" for name in beside)):
            path.write_text("raise SystemExit('taken from elsewhere')")
        command = [str(bare_python), "-B", "install.py", "--json"]
        assert machine.run_program(command, cwd=folder).ok().json["status"] == "installed"
    finally:
        for path in planted:
            path.unlink()
    assert not (folder / "__pycache__").exists()


@pytest.mark.parametrize(
    ("arguments", "imported", "absent"),
    [
        # idna is for names of hosts that are not ASCII, tqdm for terminals.
        ([], {"requests", "urllib3"}, {"tqdm", "idna.core"}),
        # What needs no network unpacks no library.
        (["--help"], {"wasp_installer"}, {*LIBRARIES}),
        (["list"], {"wasp_installer"}, {*LIBRARIES}),
    ],
)
def test_a_run_imports_no_more_than_it_uses(
    machine: Machine, arguments: list[str], imported: set[str], absent: set[str]
) -> None:
    [python, isolated, script] = machine.front_end.prefix()
    run = machine.run_program([python, isolated, "-X", "importtime", script, *arguments]).ok()
    lines = [line for line in run.stderr.splitlines() if line.startswith("import time:")]
    modules = {line.rpartition("|")[2].strip() for line in lines}
    assert imported <= modules
    assert modules & absent == set()


def test_certificates_are_checked_against_the_systems(machine: Machine) -> None:
    """That of the test server is not among those."""
    machine.set(SSL_CERT_FILE=None).run("--json").failed(4, "tls")


def test_a_failed_install_leaves_no_copy_of_the_sender(
    machine: Machine, collector: Collector
) -> None:
    """The sender may start after the end of the run."""
    failed = machine.collects(collector).install("0.99.0").failed(5)
    assert failed.json["telemetry"] == "sent"
    machine.wait_for_background()
    assert len(collector.deliveries) == 1


def test_an_old_python_is_told(dist: Path) -> None:
    """Whatever comes after the test of the version must not keep it from being reached."""
    code = (
        "import sys; sys.version_info = (2, 7); text = open(sys.argv[1]).read(); "
        "exec(compile(text, 'install.py', 'exec'))"
    )
    argv = [sys.executable, "-I", "-c", code, str(dist / "install.py")]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 3
    assert "Python 3.9" in done.stderr
    assert "install.sh" in done.stderr


def test_a_bar_on_a_terminal(machine: Machine) -> None:
    terminal = Terminal(machine.front_end.argv("install"), machine.environment, machine.here)
    assert terminal.finish() == 0
    assert "Traceback" not in terminal.shown
