"""The fingerprint of a data set: equal on every machine that renders the same recipe from the same meshes."""

import hashlib
from collections.abc import Iterable, Sequence

from turntable.datasets.files import sha256_of
from turntable.datasets.labels import LabelArray
from turntable.datasets.objects import ObjectRecord


def fingerprint(recipe_digest: str, objects: Sequence[ObjectRecord], labels: Iterable[LabelArray]) -> str:
    """Hash what decides a data set, without its pixels, which drivers round differently.

    Args:
        recipe_digest: of the whole recipe.
        objects: all objects in the order of the shards.
        labels: their labels in the same order, in pieces of any number of objects.

    Returns:
        Hex sha256.
    """
    digest = hashlib.sha256()
    for piece in labels:
        digest.update(piece.astype("<f4").tobytes())
    rows = [[item.split, item.id, item.category, item.source_sha256] for item in objects]
    return sha256_of({"recipe": recipe_digest, "objects": rows, "labels": digest.hexdigest()})
