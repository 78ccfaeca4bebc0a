"""What stdout gets: the object of ``--json``, or the list of versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .errors import InstallerError
from .layout import Layout
from .platforms import Platform
from .receipts import Release
from .surroundings import is_on_path


@dataclass(frozen=True)
class Result:
    """What a run did.

    ``status`` is installed, already-installed, switched, listed, removed, planned or error.
    ``current`` and ``versions`` belong to "listed"; so does ``remote``, the versions that can be
    installed, from ``source``.
    """

    status: str
    version: str | None = None
    release: Release | None = None
    current: str | None = None
    versions: Sequence[str] = ()
    remote: Sequence[str] | None = None
    source: str | None = None


def to_json(
    result: Result,
    *,
    layout: Layout | None,
    platform: Platform | None,
    telemetry: str,
    elapsed_s: float,
    warnings: Sequence[str],
    error: InstallerError | None = None,
) -> dict[str, Any]:
    """The report of a run, with its keys in order; what is unknown is None."""
    version, release = result.version, result.release
    report: dict[str, Any] = {"status": result.status}
    if result.status == "listed":
        report |= {"current": result.current, "versions": list(result.versions)}
    if result.remote is not None:
        report["remote"] = list(result.remote)
    report |= {
        "version": version,
        "source": release.source if release else result.source,
        "url": release.url if release else None,
        "digest": release.digest if release else None,
        "platform": {
            "os": platform.os if platform else None,
            "arch": platform.arch if platform else None,
            "libc": platform.libc if platform else None,
            "distro": platform.distro if platform else None,
        },
        "prefix": layout.prefix if layout else None,
        "wasp_dir": f"{layout.wasp_root}/{version}" if layout and version else None,
        "executable": layout.executable if layout else None,
        "on_path": layout is not None and is_on_path(layout),
        "telemetry": telemetry,
        "elapsed_s": round(elapsed_s, 3),
        "warnings": list(warnings),
    }
    if error is not None:
        report |= {
            "code": error.code,
            "error": error.slug,
            "message": error.message,
            "hint": error.hint,
        }
    return report


def print_versions(result: Result) -> None:
    """Prints the versions of ``list``, or of ``list --remote``, a star before the current one."""
    for version in result.versions if result.remote is None else result.remote:
        mark = "*" if version == result.current else " "
        is_noted = result.remote is not None and version in result.versions
        print(f"{mark} {version}{' (installed)' if is_noted else ''}")
