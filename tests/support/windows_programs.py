"""Programs for Windows, made without a compiler: each runs Python, as python.exe does.

https://learn.microsoft.com/windows/win32/debug/pe-format
"""

from __future__ import annotations

import struct
import sys
from typing import Final

PYTHON_DLL: Final = f"python{sys.version_info[0]}{sys.version_info[1]}.dll"

_IMAGE: Final = 0x140000000
_CODE: Final = 0x1000
_FILE_ALIGNMENT: Final = 512
_PAGE: Final = 4096
_IMPORTS: Final = (
    ("msvcrt.dll", "__wgetmainargs"),
    (PYTHON_DLL, "Py_Main"),
    ("kernel32.dll", "ExitProcess"),
)
_LONGEST_COMMAND: Final = 128
# __wgetmainargs(&argc, &argv, &env, 0, &mode); the arguments, with those of our own after the
# first, go to an array; Py_Main(argc, array); ExitProcess. Each call is of an import, by its index.
_PROGRAM: Final = (
    "4883EC58 488D4C2430 488D542438 4C8D442440 4531C9 488D442448 C70000000000 4889442420",
    "call 0",
    "488B742438 488B06",
    "lea rdi",
    "488907 4883C608",
    "add rdi",
    "8B4C2430 FC F348A5 8B4C2430",
    "add ecx",
    "lea rdx",
    "call 1",
    "89C1",
    "call 2",
)


def python_program(*own_arguments: str) -> bytes:
    """A program that is Python with these arguments before those that it is given."""
    place = _CODE + 512
    tables = place + 20 * (len(_IMPORTS) + 1)
    names = tables + 32 * len(_IMPORTS)
    descriptors, slots, text, addresses = b"", b"", b"", []
    for index, (library, function) in enumerate(_IMPORTS):
        lookup = tables + 32 * index
        function_at = names + len(text)
        text += b"\0\0" + function.encode() + b"\0"
        library_at = names + len(text)
        text += library.encode() + b"\0"
        text += bytes(len(text) % 2)
        descriptors += struct.pack("<5I", lookup, 0, 0, library_at, lookup + 16)
        slots += struct.pack("<4Q", function_at, 0, function_at, 0)
        addresses.append(lookup + 16)
    descriptors += bytes(20)
    pointers = []
    for argument in own_arguments:
        pointers.append(_IMAGE + names + len(text))
        text += argument.encode("utf-16-le") + b"\0\0"
    text += bytes(-(names + len(text)) % 8)
    array = names + len(text)
    text += struct.pack(f"<Q{len(pointers)}Q", 0, *pointers) + bytes(8 * _LONGEST_COMMAND)
    code = _assembled(addresses, array, len(own_arguments))
    body = code.ljust(512, b"\0") + descriptors + slots + text
    return _image(body + bytes(-len(body) % _FILE_ALIGNMENT), place, len(descriptors))


def _assembled(addresses: list[int], array: int, own: int) -> bytes:
    code = b""

    def distance(target: int, length: int) -> bytes:
        """From the end of an instruction of this length, whose last part this is."""
        return struct.pack("<i", target - (_CODE + len(code) + length))

    for step in _PROGRAM:
        if step.startswith("call"):
            code += b"\xff\x15" + distance(addresses[int(step[5:])], 6)
        elif step == "lea rdi":
            code += b"\x48\x8d\x3d" + distance(array, 7)
        elif step == "lea rdx":
            code += b"\x48\x8d\x15" + distance(array, 7)
        elif step == "add rdi":
            code += b"\x48\x83\xc7" + bytes([8 * (own + 1)])
        elif step == "add ecx":
            code += b"\x83\xc1" + bytes([own])
        else:
            code += bytes.fromhex(step)
    return code


def _image(body: bytes, imports: int, imports_size: int) -> bytes:
    """A console program of 64 bits with one section, loaded where it asks to be."""
    size = _CODE + -(-len(body) // _PAGE) * _PAGE
    directories = [(0, 0), (imports, imports_size), *[(0, 0)] * 14]
    head = b"MZ" + bytes(58) + struct.pack("<I", 64)
    head += b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x23)
    head += struct.pack("<HBBIIIII", 0x20B, 14, 0, len(body), 0, 0, _CODE, _CODE)
    head += struct.pack("<QIIHHHHHH", _IMAGE, _PAGE, _FILE_ALIGNMENT, 6, 0, 0, 0, 6, 0)
    head += struct.pack("<IIIIHH", 0, size, _FILE_ALIGNMENT, 0, 3, 0x100)
    head += struct.pack("<QQQQII", 0x200000, 0x1000, 0x100000, 0x1000, 0, 16)
    head += b"".join(struct.pack("<II", *directory) for directory in directories)
    section = (len(body), _CODE, len(body), _FILE_ALIGNMENT, 0, 0, 0, 0, 0xE0000060)
    head += struct.pack("<8sIIIIIIHHI", b".text", *section)
    return head.ljust(_FILE_ALIGNMENT, b"\0") + body
