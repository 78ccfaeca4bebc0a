"""Fixtures that every test can use: a front end, a machine for it, and a server to talk to."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from telemetry_ping import CI_VARIABLES
from tests.support.certificates import Authority, Certificate
from tests.support.collector import Collector
from tests.support.frontends import CHOSEN_SHELLS, FULL, GETTERS, SHELLS, FrontEnd
from tests.support.machines import Machine, MachineRoom
from tests.support.processes import telemetry_guard
from tests.support.releases import Upstream
from tests.support.replies import closed_port
from tests.support.server import Server
from tests.support.skips import NO_SKIP

#: Tests of archives that are far too large fill up to a gigabyte each.
WANTED_BYTES = 6 * 1024**3


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With WASP_TESTS_NO_SKIP=1 a test that cannot run has failed."""
    report = yield
    if NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and WASP_TESTS_NO_SKIP is set: {report.longrepr}"
    return report


@pytest.fixture(scope="session", autouse=True)
def telemetry_url() -> Iterator[str]:
    """A closed port for telemetry; no process may be started without it and the opt-out."""
    holder, port = closed_port()
    url = f"http://127.0.0.1:{port}/capture/"
    with holder, telemetry_guard(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("WASP_TELEMETRY_DISABLE", "1")
        patch.setenv("WASP_TELEMETRY_URL", url)
        patch.setenv("WASP_NEWS_SERVER_URL", url)
        yield url


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """One temporary folder for all workers of this run."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    """A server over TLS with a certificate that the machine trusts."""
    with contextlib.closing(Server(authority.server_context(Certificate.GOOD))) as running:
        yield running


@pytest.fixture
def closed() -> Iterator[int]:
    """A port where nobody listens."""
    holder, port = closed_port()
    with holder:
        yield port


@pytest.fixture
def upstream(server: Server) -> Upstream:
    """npm and GitHub on the server; nothing is published yet."""
    return Upstream(server)


@pytest.fixture
def collector(server: Server) -> Collector:
    """Where events go on a machine that was told of it (`Machine.collects`)."""
    return Collector(server)


@pytest.fixture(params=GETTERS, ids=str)
def front_end(request: pytest.FixtureRequest) -> object:
    """install.py, and the sh program in one shell; in all of them with WASP_TESTS_FULL=1."""
    return request.param


@pytest.fixture(params=CHOSEN_SHELLS, ids=str)
def shell(request: pytest.FixtureRequest) -> object:
    """The sh program in one shell, for what install.py does not do; in all with FULL."""
    return request.param


@pytest.fixture(params=SHELLS, ids=str)
def every_shell(request: pytest.FixtureRequest) -> object:
    """The sh program in every shell in turn, for cases that are about the shell itself."""
    return request.param


@pytest.fixture
def machines(tmp_path: Path, authority: Authority, upstream: Upstream) -> Iterator[MachineRoom]:
    """Builds machines on demand; afterwards none may have left a process or a staging folder."""
    room = MachineRoom(tmp_path, authority, upstream)
    yield room
    room.check_leftovers()


@pytest.fixture
def machine(machines: MachineRoom, front_end: FrontEnd) -> Machine:
    """A fresh machine for every front end in turn."""
    return machines.build(front_end)


@pytest.fixture
def shell_machine(machines: MachineRoom, shell: FrontEnd) -> Machine:
    """A fresh machine for the sh program."""
    return machines.build(shell)


@pytest.fixture
def every_shell_machine(machines: MachineRoom, every_shell: FrontEnd) -> Machine:
    """A fresh machine for every shell in turn."""
    return machines.build(every_shell)


def pytest_configure(config: pytest.Config) -> None:
    if sys.platform == "win32":
        raise pytest.UsageError("the contract tests need a POSIX system")
    config.addinivalue_line("markers", "real: needs the npm registry and the real binary")
    config.addinivalue_line("markers", "full: is large, so it is run with WASP_TESTS_FULL=1 only")
    forget_what_the_code_reads()
    # Each test makes some hundred files, for a moment: in memory, where there is room for them.
    memory = Path("/dev/shm")
    is_free = config.getoption("basetemp") is None and "TMPDIR" not in os.environ
    if is_free and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= WANTED_BYTES:
        tempfile.tempdir = None if os.statvfs(memory).f_flag & os.ST_NOEXEC else str(memory)
    # A runner in the background of a script ignores these, and what is ignored is inherited: the
    # shells under test could not be interrupted at all.
    for number in (signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def forget_what_the_code_reads() -> None:
    """On CI, and for somebody who uses Wasp, the tests must say the same as elsewhere."""
    read = {*CI_VARIABLES, "DESTDIR", "DO_NOT_TRACK", "GITHUB_PATH", "NO_COLOR"}
    for name in list(os.environ):
        is_ours = name.startswith(("WASP_TESTS_", "WASP_TORTURE"))
        if name in read or (name.startswith("WASP_") and not is_ours):
            del os.environ[name]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # What a large download is needed for, such as wine, is for the full run.
    left = [] if FULL else [item for item in items if item.get_closest_marker("full")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
    # The longest first, so that none of them is what all workers wait for in the end.
    items.sort(key=lambda item: item.path.parent.name not in ("real", "packaging", "artefacts"))
