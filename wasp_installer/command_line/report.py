"""What stdout gets: the object of ``--json``, or the list of versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from wasp_installer.errors import InstallerError
from wasp_installer.getting.platforms import Platform
from wasp_installer.placing.layout import Layout
from wasp_installer.placing.receipts import Release
from wasp_installer.texts import without_login

from .manager import Reported

Status = Literal[
    "installed", "already-installed", "switched", "listed", "removed", "planned", "error"
]
_STATUSES: tuple[Status, ...] = (
    *("installed", "already-installed", "switched", "listed", "removed", "planned"),
)


@dataclass(frozen=True)
class Result:
    """What a run did.

    ``current`` and ``versions`` belong to "listed"; so does ``remote``, the versions that can be
    installed, from ``source``. ``wasp_dir`` and ``executable`` are where they will be found.
    """

    status: Status
    version: str | None = None
    source: str | None = None
    url: str | None = None
    digest: str | None = None
    platform: Mapping[str, str | None] = field(default_factory=dict)
    prefix: str | None = None
    wasp_dir: str | None = None
    executable: str | None = None
    on_path: bool = False
    current: str | None = None
    versions: Sequence[str] = ()
    remote: Sequence[str] | None = None


def result_of(told: Reported) -> Result:
    """What the sh program reports, as a result."""
    named = told.text("status")
    remote = told.words("remote")
    return Result(
        next((status for status in _STATUSES if status == named), "error"),
        **{name: told.text(name) for name in ("version", "source", "url", "digest")},
        platform={name: told.text(name) for name in ("os", "arch", "libc", "distro")},
        prefix=told.text("prefix"),
        wasp_dir=told.text("wasp_dir"),
        executable=told.text("executable"),
        on_path=told.text("on_path") == "yes",
        current=told.text("current"),
        versions=told.words("versions"),
        remote=remote or None,
    )


def result_for(
    status: Status, layout: Layout | None, platform: Platform | None, release: Release | None
) -> Result:
    """A result of this program's own."""
    version = (release.version or None) if release else None
    names = ("os", "arch", "libc", "distro")
    return Result(
        status,
        version=version,
        source=release.source if release else None,
        url=release.url if release else None,
        digest=release.digest if release else None,
        platform={name: getattr(platform, name) for name in names} if platform else {},
        prefix=layout.prefix if layout else None,
        wasp_dir=f"{layout.wasp_root}/{version}" if layout and version else None,
        executable=layout.executable if layout else None,
        on_path=layout is not None and layout.is_on_path(),
    )


def to_json(
    result: Result,
    *,
    telemetry: str,
    elapsed_s: float,
    warnings: Sequence[str],
    error: InstallerError | None = None,
) -> dict[str, Any]:
    """The report of a run, with its keys in order; what is unknown is None."""
    report: dict[str, Any] = {"status": result.status}
    if result.status == "listed":
        report |= {"current": result.current, "versions": list(result.versions)}
    if result.remote is not None:
        report["remote"] = list(result.remote)
    report |= {
        "version": result.version,
        "source": result.source,
        "url": without_login(result.url) if result.url else None,
        "digest": result.digest,
        "platform": {name: result.platform.get(name) for name in ("os", "arch", "libc", "distro")},
        "prefix": result.prefix,
        "wasp_dir": result.wasp_dir,
        "executable": result.executable,
        "on_path": result.on_path,
        "telemetry": telemetry,
        "elapsed_s": round(elapsed_s, 3),
        "warnings": list(warnings),
    }
    if error is not None:
        report |= {
            "code": error.code,
            "error": error.slug,
            "message": without_login(error.message),
            "hint": without_login(error.hint) if error.hint else None,
        }
    return report


def print_versions(result: Result) -> None:
    """Prints the versions of ``list``, or of ``list --remote``, a star before the current one."""
    for version in result.versions if result.remote is None else result.remote:
        mark = "*" if version == result.current else " "
        is_noted = result.remote is not None and version in result.versions
        print(f"{mark} {version}{' (installed)' if is_noted else ''}")
