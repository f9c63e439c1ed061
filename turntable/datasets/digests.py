"""Digests: of values by one canonical JSON, equal on every machine, and of files."""

import hashlib
import json
from pathlib import Path


def canonical_json(value: object) -> str:
    """Serialise with sorted keys, no spaces, ASCII only, and no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def sha256_of(value: object) -> str:
    """Hex sha256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode("ascii")).hexdigest()


def file_sha256(path: Path) -> str:
    """Hex digest of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
