"""What a run reports, and the object of ``--json`` that is made from it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from wasp_installer.errors import InstallerError
from wasp_installer.texts import without_login

from .options import Options

Status = Literal[
    "installed",
    "already-installed",
    "switched",
    "listed",
    "removed",
    "unchanged",
    "planned",
    "checked",
    "error",
]
#: What becomes of an install event is not waited for; "none": no install was started.
Telemetry = Literal["sent", "disabled", "none"]
_PLATFORM = ("os", "arch", "libc", "distro")
_AS_TOLD = ("current", "version", "source", "url", "digest")


@dataclass(frozen=True)
class Result:
    """What a run did.

    ``current`` and ``versions`` belong to "listed"; so does ``remote``, the versions that can be
    installed, from ``source``. ``wasp_dir`` and ``executable`` are where they will be found.
    ``told`` is all that the sh program has said, of which this is made.
    """

    status: Status
    current: str | None = None
    versions: Sequence[str] = ()
    remote: Sequence[str] | None = None
    version: str | None = None
    source: str | None = None
    url: str | None = None
    digest: str | None = None
    platform: Mapping[str, str | None] = field(default_factory=dict)
    prefix: str | None = None
    wasp_dir: str | None = None
    executable: str | None = None
    on_path: bool = False
    telemetry: Telemetry = "none"
    #: Of "checked": that of what stands in the way, or 0.
    code: int = 0
    told: Mapping[str, str | None] = field(default_factory=dict)


def result_of(told: Mapping[str, str | None]) -> Result:
    """What the sh program reports by its keys; what is empty is as what is not there."""

    def words(key: str) -> list[str]:
        return (told.get(key) or "").replace(",", " ").split()

    found = {key: value for key, value in told.items() if value}.get
    prefix, version = found("prefix"), found("version")
    root = prefix and prefix.rstrip("/")
    return Result(
        cast(Status, found("status")),
        versions=words("versions"),
        remote=words("remote") or None,
        platform={name: found(name) for name in _PLATFORM},
        prefix=prefix,
        wasp_dir=f"{root}/share/wasp-lang/{version}" if version else None,
        executable=f"{root}/bin/wasp" if prefix else None,
        on_path=found("on_path") == "true",
        code=int(found("code") or 0),
        told=told,
        **{name: found(name) for name in _AS_TOLD},  # type: ignore[arg-type]
    )


def result_before(options: Options) -> Result:
    """That of an install which fails before the sh program is asked."""
    folder = os.path.dirname(options.executable)
    entries = os.environ.get("PATH", "").split(os.pathsep)
    on_path = "true" if {folder, f"{folder}/"} & set(entries) else ""
    return result_of({"status": "error", "prefix": options.prefix, "on_path": on_path})


def to_json(
    result: Result, *, elapsed_s: float, warnings: Sequence[str], error: InstallerError | None
) -> dict[str, Any]:
    """The report of a run, with its keys in order; what is unknown is None."""
    report = dict(vars(result))
    del report["told"]
    if result.status != "listed":
        del report["current"], report["versions"]
    if result.remote is None:
        del report["remote"]
    if result.status != "checked":
        del report["code"]
    report["url"] = without_login(result.url) if result.url else None
    report["platform"] = {name: result.platform.get(name) for name in _PLATFORM}
    report |= {"elapsed_s": round(elapsed_s, 3), "warnings": list(warnings)}
    if error is not None:
        report |= {
            "code": error.code,
            "error": error.slug,
            "message": without_login(error.message),
            "hint": without_login(error.hint) if error.hint else None,
        }
    return report
