"""An installed Wasp without an installer: wasp-bin is a stub, all else is as a user has it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

from tests.support.frontends import REPOSITORY

VERSION = "0.25.0"
#: Tells what reaches it, and then does what the test in question is about.
STUB = """\
#!/bin/sh
case ${1-} in
    arguments) shift && for word; do printf '<%s>\\n' "$word"; done ;;
    datadir) printf '%s\\n' "$waspc_datadir" ;;
    environment) /usr/bin/env -0 ;;
    exit) exit "$2" ;;
    opted-out) printf '%s,%s\\n' "${WASP_TELEMETRY_DISABLE-no}" "${WASP_AUTO_NEWS_DISABLE-no}" ;;
    whoami) echo $$ ;;
    wait)
        trap 'echo got TERM; exit 7' TERM
        echo ready
        read -r _ || :
        ;;
    *) echo "$0 ran" >/dev/null && printf 'stub %s\\n' "$#" ;;
esac
"""


def real_python() -> str:
    """This Python itself, as a version manager's own start takes long."""
    return os.path.realpath(sys.executable)


def install(
    prefix: Path, *, version: str = VERSION, python: str | None = None, manager: bool = True
) -> Path:
    """Puts Wasp below a prefix as the manager does; returns the launcher."""
    root = prefix / "share" / "wasp-lang"
    binary = root / version / "wasp-bin"
    (binary.parent / "data").mkdir(parents=True, exist_ok=True)
    binary.write_text(STUB)
    binary.chmod(0o755)
    for file in ("telemetry_ping.py", "installed/telemetry_messages.py"):
        shutil.copyfile(REPOSITORY / file, root / Path(file).name)
    if manager:
        (root / "wasp-installer.sh").write_text("printf '<%s>\\n' \"$@\"\n")
    launcher = prefix / "bin" / "wasp"
    launcher.parent.mkdir(parents=True, exist_ok=True)
    launcher.write_bytes(launcher_text(version, root, real_python() if python is None else python))
    launcher.chmod(0o755)
    return launcher


def launcher_text(version: str, root: Path | str, python: str) -> bytes:
    """The launcher with its three lines filled in."""
    text = (REPOSITORY / "installed" / "launcher").read_bytes()
    values = {"wasp_version": version, "wasp_root": str(root), "wasp_python": python}
    for name, value in values.items():
        line = f"{name}=''\n".encode()
        assert text.count(line) == 1, f"the manager replaces the line {line!r}"
        text = text.replace(line, f"{name}=".encode() + os.fsencode(shlex.quote(value)) + b"\n")
    return text


def write_receipt(prefix: Path, url: str, source: str = "npm", version: str = VERSION) -> None:
    """Notes where a version came from."""
    receipt = prefix / "share" / "wasp-lang" / version / ".receipt.json"
    receipt.write_text(json.dumps({"version": version, "source": source, "url": url}))
