"""What the benchmarks use of this machine: its programs, its names, a Node of a known version."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import BenchmarkError

# The variables that a machine may need to reach the outside.
NETWORK_VARIABLES = (
    "CURL_CA_BUNDLE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "https_proxy",
    "http_proxy",
    "no_proxy",
)
CA_VARIABLES = ("CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


def network_environment() -> dict[str, str]:
    """Return the variables that say how to reach the outside from here."""
    return {name: os.environ[name] for name in NETWORK_VARIABLES if name in os.environ}


def trusting(ca_file: Path) -> dict[str, str]:
    """Return the variables that make every client trust one authority and use no proxy."""
    return {**dict.fromkeys(CA_VARIABLES, str(ca_file)), "NO_PROXY": "*", "no_proxy": "*"}


def tool(name: str) -> str:
    """Return the path of a program."""
    path = shutil.which(name)
    if path is None:
        raise BenchmarkError(f"{name} is needed and is not here")
    return path


def output_of(*command: str) -> str:
    """Return the first line that a command prints."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchmarkError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")
    return done.stdout.partition("\n")[0].strip()


def node_platform() -> tuple[str, str, str]:
    """Return this machine's system, processor and C library as npm packages name them."""
    system, machine = platform.system().lower(), platform.machine()
    processor = {"x86_64": "x64", "aarch64": "arm64"}.get(machine, machine)
    libc = "unknown" if system == "darwin" else platform.libc_ver()[0] or "musl"
    return system, processor, libc


def install_node(npm: str, version: str, folder: Path) -> Path:
    """Install Node from its npm package below a folder and return the program."""
    system, processor, _ = node_platform()
    name = f"node-{system}-{processor}"
    folder.mkdir()
    output_of(
        *(npm, "install", "--prefix", str(folder), "--cache", str(folder / "cache")),
        *("--no-save", "--no-audit", "--no-fund", "--loglevel=error", f"{name}@{version}"),
    )
    return folder / "node_modules" / name / "bin" / "node"


def install_from_pypi(python: str, name: str, folder: Path) -> Path:
    """Install a package for a Python into a virtual environment and return its own Python."""
    output_of(python, "-m", "venv", "--without-pip", str(folder))
    program = folder / "bin" / "python"
    output_of(
        *(sys.executable, "-m", "pip", "--python", str(program), "install"),
        *("--quiet", "--disable-pip-version-check", name),
    )
    return program
