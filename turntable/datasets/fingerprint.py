"""The fingerprint of a data set, equal on all machines that render the same recipe from the same meshes."""

import hashlib
from collections.abc import Iterable, Sequence

from turntable.datasets.files import compute_json_sha256
from turntable.datasets.labels import LabelArray
from turntable.datasets.objects import ObjectRecord


def compute_fingerprint(
    recipe_digest: str, objects: Sequence[ObjectRecord], labels: Iterable[LabelArray]
) -> str:
    """Compute the fingerprint from the recipe, the objects and the labels.

    The pixels take no part, because graphics drivers round them differently.

    Args:
        recipe_digest: Digest of the whole recipe.
        objects: All objects, in the order of the shards.
        labels: The objects' labels in the same order, in arrays of any number of objects.

    Returns:
        Hex sha256.
    """
    digest = hashlib.sha256()
    for piece in labels:
        digest.update(piece.astype("<f4").tobytes())
    rows = [[item.split, item.id, item.category, item.source_sha256] for item in objects]
    return compute_json_sha256({"recipe": recipe_digest, "objects": rows, "labels": digest.hexdigest()})
