"""Keys of objects, names of an object's members in a shard, and the check of file names in a store."""

import hashlib
import re

from turntable.errors import InvalidInputError

MAX_KEY_LENGTH = 64
"""Characters of a key."""
KEY_PATTERN = re.compile(r"[a-z0-9_-]{1,64}")
"""Form of every key."""

# An id of this form keeps its letters. It has no "-" before the slash and no "--" anywhere. So the first "-"
# of its key can only be the slash, and the key never equals a hashed key, which contains "--".
_PLAIN_ID = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+(-[a-z0-9_]+)*)?")
_HASH_DIGITS = 16


def make_object_key(object_id: str) -> str:
    """Return the key of an object's id. Different ids have different keys.

    "02691156/abc" becomes "02691156-abc". An id with other letters, or a longer one, becomes a readable part
    followed by 64 bits of its sha256.

    Args:
        object_id: Text without control characters, such as "category/instance".

    Returns:
        A key of the characters [a-z0-9_-], at most 64 long.

    Raises:
        InvalidInputError: The id is empty or has control characters.
    """
    if not object_id or not object_id.isprintable():
        raise InvalidInputError(f"object id {object_id!r}: give printable text of at least one character")
    if len(object_id) <= MAX_KEY_LENGTH and _PLAIN_ID.fullmatch(object_id):
        return object_id.replace("/", "-")
    readable = re.sub(r"[^a-z0-9_]+", "-", object_id.lower()).strip("-")
    digest = hashlib.sha256(object_id.encode()).hexdigest()[:_HASH_DIGITS]
    readable = readable[: MAX_KEY_LENGTH - _HASH_DIGITS - 2].strip("-") or "object"
    return f"{readable}--{digest}"


def make_image_member_name(key: str, view: int) -> str:
    """Return the name of a view's JPEG in its shard."""
    return f"{key}.{view:03d}.jpg"


def make_output_member_name(key: str, view: int, output: str, suffix: str = "png") -> str:
    """Return the name of another output of a view (such as its mask) in its shard."""
    return f"{key}.{view:03d}.{output}.{suffix}"


def make_array_member_name(key: str, name: str) -> str:
    """Return the name of an array of an object (such as its points) in its shard."""
    return f"{key}.{name}.npy"


def make_labels_member_name(key: str) -> str:
    """Return the name of an object's labels in its shard."""
    return f"{key}.latents.npy"


def make_meta_member_name(key: str) -> str:
    """Return the name of an object's description in its shard."""
    return f"{key}.meta.json"


def check_file_name(name: str) -> str:
    """Return the name of a file in a store unchanged, or refuse it.

    Raises:
        InvalidInputError: The name could lead out of the store, is empty, or has control characters.
    """
    parts = name.split("/")
    if not name.isprintable() or "\\" in name or any(part in ("", ".", "..") for part in parts):
        raise InvalidInputError(
            f"{name!r}: not a name in a store; give a relative path such as 'train/shard-000000.tar'"
        )
    return name
