"""The binary is tried once: when it does not run, all is put back and the reason is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.archives import Package, failing_binary, foreign_machine_binary, tiny_package
from tests.support.machines import Machine
from tests.support.releases import Upstream
from tests.support.trees import picture

MISSING_LIBRARY = (
    "wasp-bin: error while loading shared libraries: libgmp.so.10: cannot open shared object file"
)
OLD_GLIBC = "wasp-bin: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.29` not found"
BROKEN = {
    "missing-library": (failing_binary(127, MISSING_LIBRARY), "libgmp"),
    "old-glibc": (failing_binary(1, OLD_GLIBC), "GLIBC_2.29"),
    "crash": (b"#!/bin/sh\nkill -SEGV $$\n", ""),
    "wrong-machine": (foreign_machine_binary(), ""),
    "empty": (b"", ""),
    "no-interpreter": (b"#!/no/such/interpreter\n", ""),
    "says-nothing": (b"#!/bin/sh\nexit 0\n", ""),
}


def broken_package(kind: str) -> Package:
    return replace(tiny_package("0.25.0"), binary=BROKEN[kind][0])


@pytest.fixture
def with_older(machine: Machine) -> Machine:
    """A machine where 0.24.0 works."""
    machine.layout.plant("0.24.0")
    machine.run("use", "0.24.0").ok()
    return machine


def test_a_binary_that_does_not_run_is_rolled_back(with_older: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0", package=broken_package("missing-library"))
    before = picture(with_older.home)
    run = with_older.install().failed(3, "binary-does-not-run")
    run.says("libgmp.so.10")
    assert picture(with_older.home) == before
    assert with_older.wasp("version").stdout == "0.24.0\n"


@pytest.mark.parametrize("kind", BROKEN)
def test_every_way_not_to_run(machine: Machine, kind: str) -> None:
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(broken_package(kind).npm_archive())
    run = machine.install("0.25.0", "--from-file", str(archive))
    run.failed(3, "binary-does-not-run").says(BROKEN[kind][1])
    assert machine.layout.versions() == []
    assert not machine.layout.launcher.exists()


def test_a_binary_that_does_not_run_and_no_version_named(machine: Machine) -> None:
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(broken_package("missing-library").npm_archive())
    run = machine.install(None, "--from-file", str(archive))
    run.failed(3, "binary-does-not-run").says("libgmp")


def test_a_binary_of_another_version_is_refused(with_older: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0", package=replace(tiny_package("0.23.0"), version="0.25.0"))
    before = picture(with_older.home)
    run = with_older.install().failed(6, "wrong-version")
    run.says("0.23.0", "0.25.0")
    assert picture(with_older.home) == before


def test_a_release_candidate_may_call_itself_by_its_release(
    machine: Machine, upstream: Upstream
) -> None:
    """The binary of 0.26.0-rc1 says 0.26.0: only X.Y.Z is compared."""
    upstream.publish("0.26.0-rc1", package=tiny_package("0.26.0"), latest=False)
    machine.install("0.26.0-rc1").ok()
    assert machine.layout.versions() == ["0.26.0-rc1"]


@pytest.mark.parametrize("said", ["../../evil", "0.25.0/../../evil", "$(touch evil)", "0.25.0 x"])
def test_what_the_binary_says_is_no_path(machine: Machine, said: str) -> None:
    package = replace(tiny_package("0.25.0"), binary=f"#!/bin/sh\necho '{said}'\n".encode())
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(package.npm_archive())
    machine.install(None, "--from-file", str(archive))
    assert machine.layout.versions() in ([], ["0.25.0"])
    assert not [name for name in picture(machine.root) if "evil" in name]


def test_force_with_a_broken_release_keeps_what_was_there(
    machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    machine.install("0.25.0").ok()
    before = picture(machine.home)
    upstream.publish("0.25.0", package=broken_package("missing-library"))
    machine.install("0.25.0", "--force").failed(3, "binary-does-not-run")
    assert picture(machine.home) == before
    assert machine.wasp("version").stdout == "0.25.0\n"


def test_the_binary_is_tried_without_telemetry_and_input(
    machine: Machine, upstream: Upstream
) -> None:
    binary = b'#!/bin/sh\ncat\necho 0.25.0\n[ "$WASP_TELEMETRY_DISABLE" = 1 ] || exit 3\n'
    upstream.publish("0.25.0", package=replace(tiny_package("0.25.0"), binary=binary))
    machine.install(stdin="not for wasp-bin\n").ok()


def test_destdir_tries_the_binary_where_it_is(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0", package=broken_package("missing-library"))
    stage = machine.root / "stage"
    machine.install(None, "--destdir", str(stage), "--prefix", "/usr").failed(
        3, "binary-does-not-run"
    )
