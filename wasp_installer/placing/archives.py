"""Archives as they arrive: hashed, and decompressed into a file that only this process has."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from wasp_installer.errors import InstallerError, changing

if TYPE_CHECKING:
    from wasp_installer.command_line.console import Progress

#: An archive beyond this is not a Wasp release (0.25.0: 67 MB unpacked).
UNPACKED_LIMIT: Final = 1024**3
_DECOMPRESSED_AT_ONCE: Final = 1024 * 1024
_READ_AT_ONCE: Final = 256 * 1024
#: With this byte gzip begins, and no tar.
_GZIP: Final = b"\x1f"
#: By so many bytes, a web page is known.
_TELLING: Final = 512


class ArchiveReceiver:
    """Takes an archive's bytes as they arrive.

    Their content goes into a file in ``folder``, of limited size, without a name, which is looked
    at only when the checksum is right. So what was checked is what is unpacked. A digest is an
    algorithm and lower-case hex, with a colon between. ``progress`` is told of what comes.
    """

    def __init__(self, folder: Path, algorithms: Iterable[str]) -> None:
        self._folder = folder
        self._algorithms = set(algorithms)
        self.progress: Progress | None = None
        with changing(f"write to {folder}"):
            self._content = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        self.restart()

    def restart(self, total: int | None = None) -> None:
        """Forgets what came, since an archive of ``total`` bytes begins (None: not known)."""
        self._content.seek(0)
        self._content.truncate()
        if self.progress is not None:
            self.progress.start(total)
        self._hashes = {name: hashlib.new(name) for name in self._algorithms}
        #: The first bytes.
        self.start = b""
        self._written = 0
        self._decompressor = _new_decompressor()
        #: Whether somebody, such as a browser, has decompressed it already; at first not known.
        self.is_bare: bool | None = None

    def close(self) -> None:
        """Gives the disk space back."""
        self._content.close()

    def take(self, chunk: bytes) -> None:
        """The next bytes; what is wrong with them is told by ``finish``."""
        if self.progress is not None:
            self.progress.advance(len(chunk))
        for digest in self._hashes.values():
            digest.update(chunk)
        if self.is_bare is None:
            self.is_bare = not chunk.startswith(_GZIP)
        if len(self.start) < _TELLING:
            self.start += chunk[:_TELLING]
        if self.is_bare:
            self._write(chunk)
        else:
            self._decompress(chunk)

    def take_file(self, path: Path) -> None:
        """All bytes of a file."""
        with path.open("rb", buffering=0) as file:
            self.restart(path.stat().st_size)
            while chunk := file.read(_READ_AT_ONCE):
                self.take(chunk)

    def _decompress(self, chunk: bytes) -> None:
        # After an error, a decompressor never comes to its end.
        with contextlib.suppress(zlib.error):
            while chunk and self._written <= UNPACKED_LIMIT:
                if self._decompressor.eof:
                    # Zeros may fill the end; another gzip member goes on with the same content.
                    chunk = chunk.lstrip(b"\0")
                    if not chunk:
                        return
                    self._decompressor = _new_decompressor()
                self._write(self._decompressor.decompress(chunk, _DECOMPRESSED_AT_ONCE))
                chunk = self._decompressor.unconsumed_tail or self._decompressor.unused_data

    def _write(self, data: bytes) -> None:
        if self._written <= UNPACKED_LIMIT:
            with changing(f"unpack into {self._folder}"):
                write_all(self._content, data)
            self._written += len(data)

    @property
    def digests(self) -> set[str]:
        """The digests of what came."""
        return {f"{name}:{digest.hexdigest()}" for name, digest in self._hashes.items()}

    def digest_like(self, expected: str) -> str | None:
        """The digest of what came that begins with ``expected``, which has 64 digits or more."""
        if len(expected) < len("sha256:") + 64:
            return None
        return next((each for each in self.digests if each.startswith(expected)), None)

    def finish(self, expected: Iterable[str]) -> IO[bytes]:
        """Ends it; returns the decompressed content. It has ``expected`` digests, or such a start.

        Raises:
            InstallerError: "checksum-mismatch", "unsafe-archive" or "corrupt-archive".
        """
        for each in expected:
            algorithm, _, digest = each.partition(":")
            if not self.digest_like(each):
                raise InstallerError(
                    "checksum-mismatch",
                    f"the archive is not the one that was published: its {algorithm} is\n"
                    f"{self._hashes[algorithm].hexdigest()}, and should be\n{digest}.",
                    "Nothing was installed. Run this again; if it happens again, something on "
                    "the way changes the file.",
                )
        if self._written > UNPACKED_LIMIT:
            raise unsafe()
        if not (self.is_bare or self._decompressor.eof):
            raise damaged()
        return self._content


def damaged() -> InstallerError:
    """The error of an archive that is not what it was."""
    return InstallerError(
        "corrupt-archive",
        "the archive is damaged, incomplete, or not a Wasp release.",
        "Nothing was installed. Download it again.",
    )


def unsafe() -> InstallerError:
    """The error of an archive that is more than a release of Wasp."""
    return InstallerError(
        "unsafe-archive",
        "the archive is unsafe: it is far too large, or has a path, a link or a file that no Wasp "
        "release has.",
        "Nothing was installed. Please report where the archive came from.",
    )


def write_all(target: IO[bytes], data: bytes) -> None:
    """Writes to an unbuffered file, which may take less than it is given."""
    left = memoryview(data)
    while left:
        left = left[target.write(left) :]


def _new_decompressor() -> zlib._Decompress:
    # 16: with a gzip header, which must be right (https://zlib.net/manual.html, inflateInit2).
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
