"""Objects of a finished data set that share one mesh, by the hashes in their records."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from turntable.datasets.objects.records import ObjectRecord


@dataclass(frozen=True, slots=True)
class DuplicateCounts:
    """The numbers of objects that share their mesh with another."""

    num_objects: int
    """Number of objects that share their mesh."""
    num_meshes: int
    """Number of meshes that they share."""
    num_conflicting: int
    """Number of objects whose mesh appears under several categories. No classifier can predict their
    category."""
    num_divided: int
    """Number of objects whose mesh appears in several splits, so held-out objects were seen in training."""


def count_duplicates(records: Iterable[ObjectRecord]) -> DuplicateCounts:
    """Count the objects that share a mesh. Records without a hash (imported data sets) do not count."""
    by_mesh: defaultdict[str, list[ObjectRecord]] = defaultdict(list)
    for record in records:
        if record.source_sha256:
            by_mesh[record.source_sha256].append(record)
    shared = [group for group in by_mesh.values() if len(group) > 1]
    return DuplicateCounts(
        num_objects=sum(map(len, shared)),
        num_meshes=len(shared),
        num_conflicting=sum(len(group) for group in shared if len({item.category for item in group}) > 1),
        num_divided=sum(len(group) for group in shared if len({item.split for item in group}) > 1),
    )
