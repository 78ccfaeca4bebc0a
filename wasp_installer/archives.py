"""Archives: checked as a whole, then each entry, and only then unpacked."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import sys
import tarfile
import tempfile
import zlib
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import IO, Final, cast

from .errors import InstallerError, changing
from .layout import BINARY
from .transport import is_web_page

#: An archive beyond these is not a Wasp release (0.25.0: 522 entries, 67 MB unpacked).
UNPACKED_LIMIT: Final = 1024**3
ENTRY_LIMIT: Final = 100_000

_NOTHING_DONE: Final = "Nothing was installed."
_DECOMPRESSED_AT_ONCE: Final = 1024 * 1024
#: How many chunks the download may be ahead of the decompressing.
_CHUNKS_AHEAD: Final = 256
_COPY_SIZE: Final = 4 * 1024 * 1024


class ArchiveReceiver:
    """Takes an archive's bytes as they arrive: hashes them, and decompresses them into ``content``.

    Decompressing fills one file of limited size, whose content is looked at only when the checksum
    is right; so it need not wait for that, and goes on beside the download in a thread of its own.
    """

    def __init__(self, folder: Path, algorithms: Iterable[str]) -> None:
        self._folder = folder
        self._algorithms = sorted(set(algorithms))
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._waiting: deque[Future[None]] = deque()
        self._gunzip: _Gunzip | None = None
        self.restart()

    def restart(self) -> None:
        """Forgets what came, since the archive begins anew."""
        self._end_gunzip()
        self._hashes = {name: hashlib.new(name) for name in self._algorithms}
        self._start = b""
        self._gunzip = _Gunzip(self._folder)

    def take(self, chunk: bytes) -> None:
        """The next bytes."""
        assert self._gunzip is not None, "nothing comes after close()"
        self._waiting.append(self._worker.submit(self._gunzip.feed, chunk))
        for digest in self._hashes.values():
            digest.update(chunk)
        if len(self._start) < 512:
            self._start += chunk[:512]
        if len(self._waiting) > _CHUNKS_AHEAD:
            self._waiting.popleft().result()

    def _end_gunzip(self) -> None:
        for future in self._waiting:
            future.cancel()
        wait(self._waiting)
        self._waiting.clear()
        if self._gunzip is not None:
            self._gunzip.content.close()
            self._gunzip = None

    def close(self) -> None:
        """Gives the memory, or the disk space, back."""
        self._end_gunzip()
        self._worker.shutdown()

    @property
    def is_web_page(self) -> bool:
        """What came is HTML, as a captive portal sends."""
        return is_web_page(self._start)

    def digest(self, algorithm: str) -> str:
        """The hex digest of what came."""
        return self._hashes[algorithm].hexdigest()

    def finish(self, expected: Iterable[tuple[str, str]]) -> IO[bytes]:
        """Ends it, and returns the decompressed content.

        ``expected`` are the (algorithm, hex digest) pairs that the archive must have.

        Raises:
            InstallerError: "checksum-mismatch", "unsafe-archive" or "corrupt-archive".
        """
        while self._waiting:
            self._waiting.popleft().result()
        for algorithm, digest in expected:
            if self.digest(algorithm) != digest:
                raise InstallerError(
                    "checksum-mismatch",
                    f"the archive is not the one that was published: its {algorithm} is\n"
                    f"{self.digest(algorithm)}, and should be\n{digest}.",
                    "Nothing was installed. Run this again; if it stays so, something between here "
                    "and the source changes it.",
                )
        assert self._gunzip is not None, "nothing comes after close()"
        self._gunzip.check()
        return self._gunzip.content


class _Gunzip:
    """Decompresses gzip into ``content``.

    That is a file in ``folder``, where it has no name and ends with this process.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._decompressor = _new_decompressor()
        self._written = 0
        self._damaged = False
        with changing(f"write to {folder}"):
            self.content: IO[bytes] = tempfile.TemporaryFile(  # noqa: SIM115 - its owner closes it
                dir=folder, buffering=0
            )

    def feed(self, chunk: bytes) -> None:
        """The next bytes; what is wrong with them is told by ``check``."""
        try:
            while chunk and not self._damaged and self._written <= UNPACKED_LIMIT:
                if self._decompressor.eof:
                    # Zeros may fill the end; another gzip member goes on with the same content.
                    if not chunk.strip(b"\0"):
                        return
                    self._decompressor = _new_decompressor()
                self._write(self._decompressor.decompress(chunk, _DECOMPRESSED_AT_ONCE))
                chunk = self._decompressor.unconsumed_tail or self._decompressor.unused_data
        except zlib.error:
            self._damaged = True

    def _write(self, data: bytes) -> None:
        with changing(f"unpack into {self._folder}"):
            left = memoryview(data)
            while left:
                left = left[self.content.write(left) :]
        self._written += len(data)

    def check(self) -> None:
        """Raises "unsafe-archive" or "corrupt-archive" unless all came, and not too much."""
        if self._written > UNPACKED_LIMIT:
            raise InstallerError(
                "unsafe-archive",
                "the archive unpacks to more than 1 GB, which no release of Wasp does.",
                _NOTHING_DONE,
            )
        if self._damaged or not self._decompressor.eof:
            raise InstallerError(
                "corrupt-archive",
                "the archive is damaged or cut short.",
                "Nothing was installed. Get it again, whole.",
            )


def _new_decompressor() -> zlib._Decompress:
    # 16: with a gzip header, which must be right (https://zlib.net/manual.html, inflateInit2).
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)


def unpack(content: IO[bytes], folder: Path) -> Path | None:
    """Unpacks wasp-bin and data from a decompressed archive into ``folder``.

    They are readable by all and writable by the owner. Returns the path of the package.json of an
    npm archive, unpacked beside ``folder``, or None.

    Raises:
        InstallerError: "corrupt-archive", or "unsafe-archive" for anything but files, folders and
            links that stay inside.
    """
    content.seek(0)
    try:
        with tarfile.open(fileobj=content, mode="r:") as archive:
            members = archive.getmembers()
            root = _check(members)
            with changing(f"unpack into {folder.parent}"):
                return _extract(archive, members, root, folder)
    except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
        raise InstallerError(
            "corrupt-archive",
            "the archive is damaged or no tar archive.",
            "Nothing was installed. Get it again, whole.",
        ) from error


def _check(members: list[tarfile.TarInfo]) -> str:
    """Refuses what is unsafe; returns the folder that wasp-bin and data are in, with its slash."""
    if len(members) > ENTRY_LIMIT:
        raise _unsafe(f"more than {ENTRY_LIMIT} entries")
    if sum(member.size for member in members) > UNPACKED_LIMIT:
        raise _unsafe("more than 1 GB")
    kinds: dict[str, str] = {}
    links: dict[str, str] = {}
    for member in members:
        kind = _kind(member)
        name = _checked_name(member)
        if name in ("", "."):
            continue
        if name in kinds and not kinds[name] == kind == "folder":
            raise _unsafe("two entries of one name")
        kinds[name] = kind
        if kind == "link":
            links[name] = member.linkname
    root = _root(kinds)
    if any(kinds.get(parent, "folder") != "folder" for parent in _parents(kinds)):
        raise _unsafe("an entry below one that is no folder")
    if any(_leads_outside(name.removeprefix(root), target) for name, target in links.items()):
        raise _unsafe("a link that leads outside")
    return root


def _checked_name(member: tarfile.TarInfo) -> str:
    if re.search(r"[\x00-\x1f\x7f\\]", member.name) or " -> " in member.name:
        raise _unsafe("a name with control characters")
    name = _plain_name(member)
    if name not in ("", ".") and {"", ".", ".."} & set(name.split("/")):
        raise _unsafe("an entry that leads outside")
    # There both lead to other places: a folder above, a drive, a stream beside the file.
    if os.name == "nt" and set(name) & set("\\:"):
        raise _unsafe("an entry that leads outside")
    return name


def _parents(names: Iterable[str]) -> set[str]:
    parents: set[str] = set()
    for name in names:
        parent = name.rpartition("/")[0]
        while parent and parent not in parents:
            parents.add(parent)
            parent = parent.rpartition("/")[0]
    return parents


def _plain_name(member: tarfile.TarInfo) -> str:
    return re.sub(r"^(\./)+", "", member.name).rstrip("/")


def _kind(member: tarfile.TarInfo) -> str:
    if member.islnk():
        raise _unsafe("a hard link")
    if member.mode & 0o7000 or not (member.isreg() or member.isdir() or member.issym()):
        raise _unsafe("an entry that is no plain file, folder or link")
    return "folder" if member.isdir() else "link" if member.issym() else "file"


def _root(kinds: dict[str, str]) -> str:
    for root in ("package/", ""):
        if kinds.get(root + BINARY) == "file":
            if any(name.startswith(root + "data/") for name in kinds):
                return root
            raise InstallerError(
                "corrupt-archive",
                "the archive holds no data folder: it is no release of Wasp.",
                _NOTHING_DONE,
            )
    raise InstallerError(
        "corrupt-archive",
        f"the archive holds no {BINARY}: it is no release of Wasp.",
        _NOTHING_DONE,
    )


def _leads_outside(name: str, target: str) -> bool:
    """Whether a link called ``name`` below the version's folder may lead out of that folder.

    Going up is only allowed at the start of the target: after a folder that is itself a link, ".."
    would not lead back to where the name says.
    """
    depth = name.count("/")
    if not target or target.startswith("/"):
        return True
    parts = [part for part in target.split("/") if part not in ("", ".")]
    while parts and parts[0] == "..":
        parts.pop(0)
        depth -= 1
    return depth < 0 or ".." in parts


def _unsafe(what: str) -> InstallerError:
    return InstallerError(
        "unsafe-archive",
        f"the archive holds {what}.",
        "No release of Wasp does. Nothing was installed; please report where it came from.",
    )


def _extract(
    archive: tarfile.TarFile, members: list[tarfile.TarInfo], root: str, folder: Path
) -> Path | None:
    package_json = None
    made = {""}
    for member in members:
        name = _plain_name(member)
        if not name.startswith(root):
            continue
        inner = name[len(root) :]
        if inner == "package.json" and member.isreg():
            package_json = folder.parent / "package.json"
            _copy(archive, member, str(package_json), 0o644)
        elif inner == BINARY or f"{inner}/".startswith("data/"):
            _make_folders(folder, inner if member.isdir() else inner.rpartition("/")[0], made)
            path = f"{folder}/{inner}"
            if member.issym():
                os.symlink(member.linkname, path)
            elif member.isreg():
                runs = member.mode & 0o111 or inner == BINARY
                _copy(archive, member, path, 0o755 if runs else 0o644)
    return package_json


def _make_folders(base: Path, folder: str, made: set[str]) -> None:
    """Makes ``folder`` below ``base`` and those on the way to it; ``made`` are there already."""
    if folder not in made:
        _make_folders(base, folder.rpartition("/")[0], made)
        os.mkdir(f"{base}/{folder}")
        made.add(folder)


def _copy(archive: tarfile.TarFile, member: tarfile.TarInfo, path: str, mode: int) -> None:
    with open(path, "xb", buffering=0) as target:
        if not _copy_in_kernel(archive, member, target):
            source = archive.extractfile(member)
            assert source is not None, "a regular file has content"
            with source:
                shutil.copyfileobj(source, target, _COPY_SIZE)
        if sys.platform != "win32":
            os.fchmod(target.fileno(), mode)


def _copy_in_kernel(archive: tarfile.TarFile, member: tarfile.TarInfo, target: IO[bytes]) -> bool:
    """Copies a member without its bytes passing through Python, where the system can (Linux)."""
    if member.issparse() or not hasattr(os, "copy_file_range"):
        return False
    source, done = cast("IO[bytes]", archive.fileobj).fileno(), 0
    try:
        while done < member.size:
            copied = os.copy_file_range(
                source, target.fileno(), member.size - done, member.offset_data + done
            )
            if copied == 0:
                raise tarfile.ReadError("unexpected end of data")
            done += copied
    except OSError as error:
        # Not between these two places, or not on this system.
        if done == 0 and error.errno in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            return False
        raise
    return True


def feed_file(path: str, receiver: ArchiveReceiver) -> None:
    """Hands the archive at ``path`` to ``receiver``."""
    with changing(f"read {path}"), open(path, "rb") as file:
        while chunk := os.read(file.fileno(), _DECOMPRESSED_AT_ONCE):
            receiver.take(chunk)
