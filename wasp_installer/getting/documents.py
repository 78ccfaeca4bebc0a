"""What is read of JSON documents from the network: texts of a known form, or nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any, Final

_NODE_RANGE: Final = re.compile(r"[0-9A-Za-z.*<>=~^| +-]{1,100}")


def text_at(document: Any, *path: str) -> str | None:
    """The text at ``path`` in a JSON document, or None where there is none."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    # No text from the network may move the cursor, or break what is written into a file.
    return document if isinstance(document, str) and document and document.isprintable() else None


def node_range(text: str | None) -> str | None:
    """``text``, if it is a range of versions (https://docs.npmjs.com/cli/using-npm/semver)."""
    return text if text is not None and _NODE_RANGE.fullmatch(text) else None


def digest_of_integrity(integrity: str | None) -> str | None:
    """The digest of an integrity: "sha512-<base64>", perhaps among others.

    https://www.w3.org/TR/sri

    Raises:
        ValueError: it is no base64 of a SHA-512.
    """
    for part in (integrity or "").split():
        algorithm, _, encoded = part.partition("-")
        if algorithm == "sha512":
            digest = base64.b64decode(encoded, validate=True)
            if len(digest) != hashlib.sha512().digest_size:
                raise ValueError(encoded)
            return f"sha512:{digest.hex()}"
    return None
