"""The real npm registry, as this machine's npm knows it; nothing here names one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.locks import locked
from tests.support.skips import need
from tests.support.toolboxes import real_tool

# Variables by which a machine tells its programs whom to trust and which way to go.
_CONNECTION = tuple(
    """
    SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE NODE_EXTRA_CA_CERTS PIP_CERT
    HTTPS_PROXY https_proxy HTTP_PROXY http_proxy NO_PROXY no_proxy
    PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_CONFIG_FILE
    """.split()  # noqa: SIM905 - as a list it would be twenty lines
)


def connection() -> dict[str, str]:
    """This machine's own settings for reaching the outside."""
    return {name: os.environ[name] for name in _CONNECTION if name in os.environ}


def npm_registry() -> str:
    """The registry's address; without npm or a registry that answers the test is skipped."""
    asked, ping = (
        subprocess.run([str(real_tool("npm")), *words], capture_output=True, text=True)
        for words in (("config", "get", "registry"), ("ping",))
    )
    need(asked.stdout.startswith("https://"), f"npm knows no registry: {asked.stderr}")
    need(ping.returncode == 0, f"the npm registry does not answer: {ping.stderr}")
    return asked.stdout.strip()


def npm_environment(home: Path, registry: str) -> dict[str, str]:
    """For running the real npm in a home of its own."""
    return {
        **connection(),
        **{name: os.environ[name] for name in os.environ if name.startswith("WASP_")},
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "npm_config_registry": registry,
        "npm_config_cache": str(home / "npm-cache"),
        **{f"npm_config_{name}": "false" for name in ("update_notifier", "fund", "audit")},
    }


def npm_package(name: str, folder: Path, registry: str) -> Path:
    """A package installed by npm into a folder that all workers share."""
    place = folder / "node_modules" / name.rpartition("@")[0]
    with locked(folder.with_suffix(".npm")):
        if not place.exists():
            folder.mkdir(parents=True, exist_ok=True)
            command = [str(real_tool("npm")), "install", "--prefix", str(folder), name]
            subprocess.run(command, env=npm_environment(folder / "home", registry), check=True)
    return place
