"""Objects of a finished data set that are one mesh under several names, by the hashes in its records."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from turntable.datasets.objects.records import ObjectRecord


@dataclass(frozen=True, slots=True)
class EqualMeshes:
    """Counts of objects that share their mesh with another."""

    objects: int
    meshes: int
    """So many meshes they share."""
    conflicting: int
    """Objects of meshes that stand under several categories: no classifier can tell these labels."""
    divided: int
    """Objects of meshes that are in several splits: what was to be unseen is not."""


def equal_meshes(records: Iterable[ObjectRecord]) -> EqualMeshes:
    """Count them; objects whose mesh was never seen (imported data sets) do not count."""
    by_mesh: defaultdict[str, list[ObjectRecord]] = defaultdict(list)
    for record in records:
        if record.source_sha256:
            by_mesh[record.source_sha256].append(record)
    shared = [group for group in by_mesh.values() if len(group) > 1]
    return EqualMeshes(
        objects=sum(map(len, shared)),
        meshes=len(shared),
        conflicting=sum(len(group) for group in shared if len({item.category for item in group}) > 1),
        divided=sum(len(group) for group in shared if len({item.split for item in group}) > 1),
    )
