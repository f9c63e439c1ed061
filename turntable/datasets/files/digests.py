"""Digests: of values by one canonical JSON, equal on every machine, and of files."""

import hashlib
import json
import re
from pathlib import Path

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


def canonical_json(value: object) -> str:
    """Serialise with sorted keys, no spaces, ASCII only, and no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def sha256_of(value: object) -> str:
    """Hex sha256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode("ascii")).hexdigest()


def is_digest(text: object) -> bool:
    """Tell whether a value is a sha256 as it is written everywhere: 64 hexadecimal digits, in lower case."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def file_sha256(path: Path) -> str:
    """Hex digest of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
