"""SHA-256 digests of files, and of JSON values by a canonical text that is equal on every machine."""

import hashlib
import json
import re
from pathlib import Path

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


def to_canonical_json(value: object) -> str:
    """Return a value as JSON with sorted keys, no spaces, ASCII only, and no NaN.

    Raises:
        ValueError: The value holds NaN or infinity.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def compute_json_sha256(value: object) -> str:
    """Return the hex sha256 of a value's canonical JSON."""
    return hashlib.sha256(to_canonical_json(value).encode("ascii")).hexdigest()


def is_digest(text: object) -> bool:
    """Return True if a value is a sha256 as turntable writes it: 64 lower-case hexadecimal digits."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def compute_file_sha256(path: Path) -> str:
    """Return the hex sha256 of a file, which is read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
