"""Archives: checked as a whole, then each entry, and only then unpacked."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import sys
import tempfile
import zlib
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import IO, Final

from .errors import InstallerError, changing
from .layout import BINARY
from .tar_reader import DamagedTarError, Entry, entries
from .transport import is_web_page

#: An archive beyond these is not a Wasp release (0.25.0: 522 entries, 67 MB unpacked).
UNPACKED_LIMIT: Final = 1024**3
ENTRY_LIMIT: Final = 100_000
#: Of a whole path, as some systems take no more than 1024 bytes, and of a name in it.
LONGEST_PATH: Final = 500
LONGEST_NAME: Final = 255

_NOTHING_DONE: Final = "Nothing was installed."
_DECOMPRESSED_AT_ONCE: Final = 1024 * 1024
#: How many chunks the download may be ahead of the decompressing.
_CHUNKS_AHEAD: Final = 256
_COPY_SIZE: Final = 4 * 1024 * 1024
_KINDS: Final = {"0": "file", "2": "link", "5": "folder"}
#: Also what install.sh could not tell apart from the rest of what tar says of an entry.
_UNUSUAL: Final = re.compile(r"[\x00-\x1f\x7f\\]| -> | link to ")


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
        self._padded = False
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
                    self._padded = self._padded or not chunk.strip(b"\0")
                    if self._padded:
                        self._damaged = bool(chunk.strip(b"\0"))
                        return
                    self._decompressor = _new_decompressor()
                self._write(self._decompressor.decompress(chunk, _DECOMPRESSED_AT_ONCE))
                chunk = self._decompressor.unconsumed_tail or self._decompressor.unused_data
        except zlib.error:
            self._damaged = True

    def _write(self, data: bytes) -> None:
        with changing(f"unpack into {self._folder}"):
            _write_all(self.content, data)
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


def _write_all(target: IO[bytes], data: bytes) -> None:
    """Writes to an unbuffered file, which may take less than it is given."""
    left = memoryview(data)
    while left:
        left = left[target.write(left) :]


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
    try:
        members = list(islice(entries(content), ENTRY_LIMIT + 1))
    except DamagedTarError as error:
        raise InstallerError(
            "corrupt-archive",
            "the archive is damaged or no tar archive.",
            "Nothing was installed. Get it again, whole.",
        ) from error
    root = _check(members)
    with changing(f"unpack into {folder.parent}"):
        return _extract(content, members, root, folder)


def _check(members: list[Entry]) -> str:
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
            links[name] = member.target
    parents = _parents(kinds)
    _check_spelling([*kinds, *parents])
    root = _root(kinds)
    if any(kinds.get(parent, "folder") != "folder" for parent in parents):
        raise _unsafe("an entry below one that is no folder")
    if any(_leads_outside(name.removeprefix(root), target) for name, target in links.items()):
        raise _unsafe("a link that leads outside")
    return root


def _checked_name(member: Entry) -> str:
    if any(_UNUSUAL.search(text) for text in (member.name, member.target)):
        raise _unsafe("a name with unusual characters")
    path = os.fsencode(member.name)
    if len(path) > LONGEST_PATH or max(map(len, path.split(b"/"))) > LONGEST_NAME:
        raise _unsafe("a name that is far too long")
    name = _plain_name(member)
    leads_up = name not in ("", ".") and {"", ".", ".."} & set(name.split("/"))
    if leads_up or member.name.startswith("/"):
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


def _check_spelling(names: Iterable[str]) -> None:
    """Refuses names that are one on a file system that does not tell "a" from "A", as on macOS."""
    spelled: dict[bytes, str] = {}
    for name in names:
        if spelled.setdefault(os.fsencode(name).lower(), name) != name:
            raise _unsafe("two names that differ only in upper and lower case")


def _plain_name(member: Entry) -> str:
    return re.sub(r"^(\./)+", "", member.name).rstrip("/")


def _kind(member: Entry) -> str:
    if member.kind == "1":
        raise _unsafe("a hard link")
    if member.mode & 0o7000 or member.kind not in _KINDS:
        raise _unsafe("an entry that is no plain file, folder or link")
    return _KINDS[member.kind]


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


def _extract(content: IO[bytes], members: list[Entry], root: str, folder: Path) -> Path | None:
    package_json = None
    made = {""}
    for member in members:
        name, kind = _plain_name(member), _kind(member)
        if not name.startswith(root):
            continue
        inner = name[len(root) :]
        if inner == "package.json" and kind == "file":
            package_json = folder.parent / "package.json"
            _copy(content, member, str(package_json), 0o644)
        elif inner == BINARY or f"{inner}/".startswith("data/"):
            _make_folders(folder, inner if kind == "folder" else inner.rpartition("/")[0], made)
            path = f"{folder}/{inner}"
            if kind == "link":
                os.symlink(member.target, path)
            elif kind == "file":
                runs = member.mode & 0o111 or inner == BINARY
                _copy(content, member, path, 0o755 if runs else 0o644)
    return package_json


def _make_folders(base: Path, folder: str, made: set[str]) -> None:
    """Makes ``folder`` below ``base`` and those on the way to it; ``made`` are there already."""
    if folder not in made:
        _make_folders(base, folder.rpartition("/")[0], made)
        os.mkdir(f"{base}/{folder}")
        made.add(folder)


def _copy(content: IO[bytes], member: Entry, path: str, mode: int) -> None:
    with open(path, "xb", buffering=0) as target:
        if not _copy_in_kernel(content, member, target):
            target.seek(0)
            content.seek(member.start)
            for start in range(0, member.size, _COPY_SIZE):
                _write_all(target, content.read(min(member.size - start, _COPY_SIZE)))
        if sys.platform != "win32":
            os.fchmod(target.fileno(), mode)


def _copy_in_kernel(content: IO[bytes], member: Entry, target: IO[bytes]) -> bool:
    """Copies a member without its bytes passing through Python, where the system can (Linux)."""
    if not hasattr(os, "copy_file_range"):
        return False
    done = 0
    try:
        while done < member.size:
            copied = os.copy_file_range(
                content.fileno(), target.fileno(), member.size - done, member.start + done
            )
            if copied == 0:
                return False
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
