"""Names: of the files of a data set, and of an object's members in a shard."""

import hashlib
import re

from turntable.errors import InvalidInputError

MAX_KEY_LENGTH = 64
KEY_PATTERN = re.compile(r"[a-z0-9_-]{1,64}")

# An id of this form keeps its letters. It has no "-" before the slash, and nowhere "--": so the first "-" of
# its key can only be the slash, and a hashed key, which has "--", can never be met.
_PLAIN_ID = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+(-[a-z0-9_]+)*)?")
_HASH_DIGITS = 16


def object_key(object_id: str) -> str:
    """Turn an object's id into its key, one to one.

    "02691156/abc" becomes "02691156-abc"; an id with other letters, or too long, becomes a readable part and
    64 bits of its sha256.

    Args:
        object_id: any text without control characters, such as "category/instance".

    Returns:
        A key of [a-z0-9_-], at most 64 long.

    Raises:
        InvalidInputError: the id is empty or has control characters.
    """
    if not object_id or not object_id.isprintable():
        raise InvalidInputError(f"object id {object_id!r}: must be printable text, at least one character")
    if len(object_id) <= MAX_KEY_LENGTH and _PLAIN_ID.fullmatch(object_id):
        return object_id.replace("/", "-")
    readable = re.sub(r"[^a-z0-9_]+", "-", object_id.lower()).strip("-")
    digest = hashlib.sha256(object_id.encode()).hexdigest()[:_HASH_DIGITS]
    readable = readable[: MAX_KEY_LENGTH - _HASH_DIGITS - 2].strip("-") or "object"
    return f"{readable}--{digest}"


def image_member(key: str, view: int) -> str:
    """Name of a view's JPEG in the shard."""
    return f"{key}.{view:03d}.jpg"


def extra_member(key: str, view: int, output: str) -> str:
    """Name of another output of a view in the shard."""
    return f"{key}.{view:03d}.{output}.png"


def points_member(key: str) -> str:
    """Name of an object's point cloud in the shard."""
    return f"{key}.points.npy"


def labels_member(key: str) -> str:
    """Name of an object's labels in the shard."""
    return f"{key}.latents.npy"


def meta_member(key: str) -> str:
    """Name of an object's description in the shard."""
    return f"{key}.meta.json"


def checked_name(name: str) -> str:
    """The name itself. Raises InvalidInputError where it could leave the store or means nothing."""
    parts = name.split("/")
    if not name.isprintable() or "\\" in name or any(part in ("", ".", "..") for part in parts):
        raise InvalidInputError(
            f"{name!r}: not a name in a store; give a relative path such as 'train/shard-000000.tar'"
        )
    return name
