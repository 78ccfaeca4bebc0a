"""Imports the modules that travel inside install.py, from its text alone."""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

TYPE_CHECKING = False  # importing typing takes a while, and --help has no other use for it
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zipfile import ZipFile

# idna is imported by requests for an alias alone, and used only for host names beyond ASCII.
_LAZY = {"idna"}


class Importer:
    """Finds them before any others of the same name, and loads them.

    ``place`` stands before their paths, ``files`` holds their texts, and ``wheels`` are zip
    archives with more of them, in base64, each with the names that can be imported from it.
    """

    def __init__(
        self, place: str, files: Mapping[str, str], wheels: Sequence[tuple[Sequence[str], str]]
    ) -> None:
        self._place = place
        self._files = dict(files)
        self._wheels = {name: wheel for names, wheel in wheels for name in names}
        self._archives: dict[str, ZipFile] = {}

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """What Python asks before each import."""
        del path, target
        stem = name.replace(".", "/")
        for file, is_package in ((f"{stem}/__init__.py", True), (f"{stem}.py", False)):
            if self._has(file):
                origin = f"{self._place}/{file}"
                spec = ModuleSpec(name, self, origin=origin, is_package=is_package)  # type: ignore[arg-type]
                spec.has_location = True
                if is_package:
                    spec.submodule_search_locations = [os.path.dirname(origin)]
                return spec
        return None

    def create_module(self, spec: ModuleSpec) -> None:
        """A module as Python makes it."""
        del spec

    def exec_module(self, module: ModuleType) -> None:
        """Runs the text of a module, or makes it run when the first of its names is asked for."""
        if module.__name__ not in _LAZY:
            self._run(module)
            return

        def load(name: str) -> object:
            del module.__dict__["__getattr__"]
            self._run(module)
            return getattr(module, name)

        module.__dict__["__getattr__"] = load

    def _run(self, module: ModuleType) -> None:
        path = str(module.__file__)
        code = compile(self.get_data(path), path, "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 - this is how modules are loaded

    def get_source(self, name: str) -> str | None:
        """The text of a module, for tracebacks."""
        spec = self.find_spec(name)
        return self.get_data(str(spec.origin)).decode("utf-8") if spec else None

    def get_data(self, path: str) -> bytes:
        """The content of a file, named as if ``place`` were a folder."""
        file = path.replace(os.sep, "/")[len(self._place) + 1 :]
        if not self._has(file):
            raise FileNotFoundError(path)
        if file in self._files:
            return self._files[file].encode("utf-8")
        return self._archives[file].read(file)

    def _has(self, file: str) -> bool:
        name = file.partition("/")[0].removesuffix(".py")
        wheel = self._wheels.pop(name, None)
        if wheel is not None:
            import binascii
            import io
            import zipfile

            archive = zipfile.ZipFile(io.BytesIO(binascii.a2b_base64(wheel)))
            self._archives.update(dict.fromkeys(archive.namelist(), archive))
        return file in self._files or file in self._archives


def main(place: str, files: Mapping[str, str], wheels: Sequence[tuple[Sequence[str], str]]) -> int:
    """Runs the installer; returns the exit code."""
    # What the libraries would also make use of, were it installed, has not been tried with them.
    sys.path[:] = [
        path
        for path in sys.path
        if os.path.basename(path) not in ("site-packages", "dist-packages")
    ]
    sys.meta_path.insert(0, Importer(place, files, wheels))
    from wasp_installer.command_line.main import main as run

    return run(sys.argv[1:])
