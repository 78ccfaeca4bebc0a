"""``telemetry_ping.py`` in a process of its own, for programs that are Python themselves."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import telemetry_ping

from .contents import content_of, path_of


def start(
    arguments: Sequence[str], before: Sequence[str] = (), stderr: int | None = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Starts ``telemetry_ping.main`` with ``arguments``, away from the terminal.

    ``before`` is a program, with its arguments, that starts it in turn.

    Raises:
        OSError: no process can be started.
    """
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NO_WINDOW
        options = {"creationflags": flags}
    path = path_of("telemetry_ping.py")
    # Imported, and not run, so that what Python has compiled is used.
    code = "import sys; sys.path.insert(0, sys.argv[1])\nimport telemetry_ping as ping\n"
    imported = ["-c", f"{code}ping.run(sys.argv[2:])", os.path.dirname(path or "")]
    with tempfile.TemporaryFile() as module:
        if path is None:
            # It is inside this program, and no other process can import it from there.
            module.write(content_of("telemetry_ping.py"))
            module.seek(0)
            imported = ["-"]
        return subprocess.Popen(
            [*before, sys.executable, "-I", "-S", "-B", *imported, *arguments],
            stdin=module,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            **options,
        )


def notify_invocation(argv: Sequence[str], wasp_version: str) -> None:
    """For a CLI that is Python itself: counts this call of it, as the launcher does for Wasp's.

    Returns at once; another process does the rest. ``argv`` is what follows the program's name.
    Nothing is raised and nothing printed, whatever goes wrong (but see WASP_TELEMETRY_DEBUG).
    """
    name = "".join(argv[:1])
    try:
        if telemetry_ping.opt_out_reason(os.environ) or telemetry_ping.current_project() is None:
            return
        # Neither a completion nor what removes all of Wasp is somebody's command.
        if name == "uninstall" or name.startswith("completion:"):
            return
        arguments = ["invoked", wasp_version, *_counting_words(name, argv[1:])]
        if telemetry_ping.is_debugging():
            telemetry_ping.main(arguments)
        elif sys.platform == "win32":
            start(arguments)
        else:
            # A shell between, which ends at once: nobody here would collect what becomes of a
            # child.
            start(arguments, ["/bin/sh", "-c", "trap '' HUP INT QUIT; \"$@\" &", "sh"]).wait()
    except Exception:  # noqa: BLE001 - see the docstring
        return


def _counting_words(name: str, rest: Sequence[str]) -> list[str]:
    """Those of the arguments of ``wasp`` that matter here, as others see those of a process."""
    if name == "deploy":
        return [name, *(word for word in rest if word in telemetry_ping.DEPLOY_KEYWORDS)]
    return [name, *(word for word in rest[:1] if word == "start")] if name == "build" else []
