"""How large a data set may be: far above what real ones need, far below what hurts who opens one.

A manifest is a stranger's word, and memory is taken by its numbers before any shard is opened.
"""

import re

MOST_VIEWS = 10_000
"""Views of an object."""
MOST_SHARD_OBJECTS = 100_000
MOST_OBJECTS = 2**24
"""Objects of a data set: 300 times ShapeNet."""
MOST_IMAGES = 2**28
"""Views of a data set: 100 times 3DIEBench."""
LEAST_SIZE_PX = 8
"""The least side of an image."""
MOST_SIZE_PX = 4096
"""The greatest."""
MOST_SAMPLES = 8
"""Samples of a pixel, along each axis."""
MOST_POINTS = 1_000_000
"""Points of an object's cloud."""
MOST_FACTORS = 256
MOST_SEED = 2**63 - 1
MOST_MANIFEST_BYTES = 32 << 20
"""Those of about 80,000 shards."""
MOST_META_BYTES = 1 << 20
"""Bytes of an object's description."""
LONGEST_ID = 4096
"""Characters of an object's id, and of other texts about it."""
LONGEST_CATEGORY = 1024

DATASET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)
"""A split's or a shard's name, which becomes a part of a path: no dot, no slash, not empty."""
FACTOR_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
"""A label column's name, which becomes a part of queries."""


def most_member_bytes(image_size_px: int) -> int:
    """Return how long the file of one view may be: more than any encoding of so many pixels needs."""
    return (1 << 20) + 8 * image_size_px**2
