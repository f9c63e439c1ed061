"""Upper bounds on a data set: far above what real ones need, low enough to protect whoever opens one.

Readers reserve memory from the numbers in a manifest before they open any shard, and the manifest may come
from a stranger. Numbers beyond these bounds are refused.
"""

import re

MAX_VIEWS = 10_000
"""Views per object."""
MAX_SHARD_OBJECTS = 100_000
"""Objects per shard."""
MAX_OBJECTS = 2**24
"""Objects per data set: about 300 times ShapeNet."""
MAX_IMAGES = 2**28
"""Views per data set, all objects together: about 100 times 3DIEBench."""
MIN_SIZE_PX = 8
"""Smallest height and width of an image, in pixels."""
MAX_SIZE_PX = 4096
"""Largest height and width of an image, in pixels."""
MAX_SUPERSAMPLING = 8
"""Samples per pixel along each axis."""
MAX_POINTS = 1_000_000
"""Points per object's point cloud."""
MAX_FACTORS = 256
"""Factors (label columns) per data set."""
MAX_SEED = 2**63 - 1
"""Largest seed."""
MAX_MANIFEST_BYTES = 32 << 20
"""Bytes of a manifest: enough for about 80,000 shards."""
MAX_META_BYTES = 1 << 20
"""Bytes of an object's description (``.meta.json``)."""
MAX_ID_LENGTH = 4096
"""Characters of an object's id, and of other texts about an object."""
MAX_CATEGORY_LENGTH = 1024
"""Characters of a category's name."""

DATASET_NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
"""Name of a data set in a service: lower case, at most 64 characters."""
PLAIN_NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)
"""Name of a split or a shard. It becomes a part of a path, so it has no dot and no slash and is not empty."""
FACTOR_NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
"""Name of a factor. It becomes a column name in queries."""


def compute_max_member_bytes(image_size_px: int) -> int:
    """Return an upper bound on the bytes of one view's file, whatever the image shows.

    Args:
        image_size_px: Height and width of the image, in pixels.
    """
    return (1 << 20) + 8 * image_size_px**2
