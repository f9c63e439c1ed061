"""The digests of a file that is uploaded: its sha256, and the ETag that the store should return."""

import hashlib
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class UploadContent:
    """The content that an uploaded object must have."""

    sha256: str
    num_parts: int
    """Number of parts in which it is sent."""
    e_tag: str
    """ETag as S3 computes it: the MD5 digest, or the digest of the parts' digests.

    Other servers may differ.
    """


def read_upload_content(file: BinaryIO, part_bytes: int) -> UploadContent:
    """Read a file once and return its digests, computed over the parts in which it is sent."""
    sha256 = hashlib.sha256()
    parts: list[bytes] = []
    while part := file.read(part_bytes):
        sha256.update(part)
        # S3 defines its ETags by MD5. It protects against faults only, not against attacks.
        parts.append(hashlib.md5(part, usedforsecurity=False).digest())
    if len(parts) > 1:
        e_tag = f"{hashlib.md5(b''.join(parts), usedforsecurity=False).hexdigest()}-{len(parts)}"
    else:
        e_tag = (parts or [hashlib.md5(b"", usedforsecurity=False).digest()])[0].hex()
    return UploadContent(sha256.hexdigest(), len(parts), e_tag)
