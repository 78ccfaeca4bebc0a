"""Start-up files of shells: a line is put in, and taken out so that the old bytes are back."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .staging import FILE_PREFIX, create_file, is_abandoned, staging_name

#: Other runs may change the same file at the same time.
_ATTEMPTS: Final = 10


class Obstacle(Exception):  # noqa: N818 - it stops no run
    """A file is left as it is; the text follows its name: "is not a file"."""


class StartupFile:
    """One file that a shell reads when it starts, perhaps not there yet.

    A link is followed as long as it stays in the home (a folder of dotfiles).
    """

    def __init__(self, path: Path, home: Path) -> None:
        self.path = path
        self._real_home = Path(os.path.realpath(home))

    def has(self, line: str) -> bool:
        """Whether the line is there."""
        return os.fsencode(line) in content_of(self.path).split(b"\n")

    def check(self) -> Path:
        """The real file, past links.

        Raises:
            Obstacle: it may not or cannot be written.
        """
        if os.path.islink(self.path) and not os.path.exists(self.path):
            raise Obstacle("is a link that leads nowhere")
        real = Path(os.path.realpath(self.path))
        if self._real_home not in real.parents:
            raise Obstacle("is outside your home folder")
        if not os.path.exists(real):
            return real
        if not os.path.isfile(real):
            raise Obstacle("is not a file")
        # A new file in its place would be the same person's.
        is_ours = os.geteuid() in (0, real.stat().st_uid)
        if not (is_ours and os.access(real, os.W_OK)):
            raise Obstacle("cannot be written to")
        return real

    def add(self, line: str) -> None:
        """Puts ``line`` at the end.

        Raises:
            Obstacle: the file is as it was.
        """
        real = self.check()
        with _writing():
            for _ in range(_ATTEMPTS):
                content = _current(real)
                # Another run may have put it there meanwhile.
                if os.fsencode(line) in (content or b"").split(b"\n"):
                    return
                if _replace(real, content, with_line(content, os.fsencode(line))):
                    return
        raise Obstacle("cannot be written to")

    def remove(self, line: str) -> None:
        """Takes ``line`` out; a file that was made for it goes as a whole.

        Raises:
            Obstacle: the file is as it was.
        """
        real = self.check()
        with _writing():
            for _ in range(_ATTEMPTS):
                content = _current(real)
                # Another run may have taken it out meanwhile.
                if content is None or os.fsencode(line) not in content.split(b"\n"):
                    return
                rest = without_line(content, os.fsencode(line))
                if rest is None and not self.path.is_symlink():
                    real.unlink(missing_ok=True)
                    self._remove_empty_folders(real)
                    return
                if _replace(real, content, rest or b""):
                    return
        raise Obstacle("cannot be written to")

    def _remove_empty_folders(self, real: Path) -> None:
        with contextlib.suppress(OSError):
            for folder in real.parents:
                if folder == self._real_home:
                    break
                folder.rmdir()


def content_of(path: Path) -> bytes:
    """The bytes of a file; none of what is no file, or cannot be read."""
    # Opening a pipe would wait for somebody to write into it.
    if os.path.isfile(path):
        with contextlib.suppress(OSError):
            return path.read_bytes()
    return b""


def with_line(content: bytes | None, line: bytes) -> bytes:
    """``content`` with ``line`` at the end; None is a file that is not there.

    A file that does not end its last line keeps to that, so that what was there can be told again.
    """
    if content is None or content.endswith(b"\n"):
        return (content or b"") + line + b"\n"
    return content + b"\n" + line


def without_line(content: bytes, line: bytes) -> bytes | None:
    """What ``with_line`` began with."""
    if content == line + b"\n":
        return None
    lines = content.split(b"\n")
    if line in lines:
        lines.remove(line)
    return b"\n".join(lines)


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Obstacle("cannot be written to") from error


def _current(real: Path) -> bytes | None:
    """The content of a file; None is one that is not there."""
    try:
        return real.read_bytes()
    except FileNotFoundError:
        return None


def _replace(real: Path, old: bytes | None, content: bytes) -> bool:
    """Gives ``real`` new content at once; mode and owner stay.

    Returns whether it did: not where ``old`` is no longer what is there.
    """
    missing = [folder for folder in real.parents if not folder.exists()]
    new = real.parent / f"{FILE_PREFIX}{staging_name()}"
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        _write_beside(real, new, content)
        if _current(real) == old:
            new.replace(real)
            return True
    except BaseException:
        _take_back(new, missing)
        raise
    _take_back(new, missing)
    return False


def _take_back(new: Path, made: list[Path]) -> None:
    new.unlink(missing_ok=True)
    for folder in made:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _write_beside(real: Path, new: Path, content: bytes) -> None:
    """Makes ``new``, which will take the place of ``real``; removes what killed runs left there."""
    for left in real.parent.glob(f"{FILE_PREFIX}*"):
        if left.is_file() and is_abandoned(left, left.name[len(FILE_PREFIX) :]):
            left.unlink(missing_ok=True)
    with open(create_file(new), "wb") as file:
        file.write(content)
    if real.exists():
        _copy_ownership(real, new)
    else:
        new.chmod(0o644)


def _copy_ownership(real: Path, new: Path) -> None:
    info = real.stat()
    if info.st_uid != os.geteuid():
        # Which root may lack the right to.
        os.chown(new, info.st_uid, -1)
    with contextlib.suppress(PermissionError):
        os.chown(new, -1, info.st_gid)
    # Also what a file system knows beside the mode.
    shutil.copystat(real, new)
    new.chmod(stat.S_IMODE(info.st_mode))
    os.utime(new)
