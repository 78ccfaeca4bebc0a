"""The real registry, and a Node.js and npm that the newest Wasp accepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.artefacts.conftest import bare_python
from tests.getters.conftest import plain, proxy, take
from tests.support.machines import Machine
from tests.support.registries import connection, npm_package, npm_registry

__all__ = ["bare_python", "plain", "proxy", "take"]


@pytest.fixture(scope="session")
def registry() -> str:
    return npm_registry()


@pytest.fixture(scope="session")
def wasp_package(registry: str, shared_folder: Path) -> Path:
    """A folder with the real wasp-bin and its data."""
    name = "@wasp.sh/wasp-cli-linux-x64-glibc@0.25.0"
    return npm_package(name, shared_folder / "wasp", registry)


def go_online(machine: Machine, registry: str) -> Machine:
    """Lets a machine talk to the real registry, and to nothing else."""
    for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "WGETRC"):
        machine.environment.pop(name)
    machine.set(**connection(), WASP_NPM_REGISTRY=registry)
    return machine.set(WASP_GITHUB_URL="https://github.invalid")
