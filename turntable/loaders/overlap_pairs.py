"""Pairs of views chosen by the exact overlap of their partial clouds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.choices import check_choice
from turntable.datasets import Dataset, Selection, Split
from turntable.datasets.draws import make_philox_key, words_to_units
from turntable.errors import InvalidInputError
from turntable.loaders.argument_checks import check_integer, check_type
from turntable.loaders.clouds import (
    OVERLAP_BINS,
    CloudOptions,
    PartialCloud,
    compute_overlap,
    find_overlap_bin,
    read_partial_cloud,
)
from turntable.loaders.fields import ViewLabels
from turntable.loaders.sampling import IntArray, Samples

_CLOUD_OUTPUTS = {"mask", "depth"}


@dataclass(frozen=True, slots=True, eq=False)
class OverlapPairs:
    """Pairs of views and the overlap of their partial clouds."""

    samples: Samples
    """The S pairs, for ``Fixed`` and ``write_pairs``."""
    overlap: NDArray[np.float32]
    """[S] share of the second cloud's points that the first cloud has too."""


def find_overlap_pairs(
    dataset: Dataset,
    split: str,
    pairs_per_object: int,
    *,
    bins: Sequence[str] = OVERLAP_BINS,
    clouds: CloudOptions = CloudOptions(),
    selection: Selection = Selection(),
    tries: int = 4,
    seed: int = 0,
) -> OverlapPairs:
    """Find pairs of views of each object whose overlap is in some bins, as many in each bin as can be.

    Candidates are spread evenly over the angle between the directions from which two views see the object,
    which the overlap mostly follows; then their overlap is computed, exactly as the field ``overlap`` is.

    Args:
        dataset: Data set with the outputs mask and depth.
        split: Name of the split.
        pairs_per_object: Number of pairs of each object, divided evenly among the bins. An object has fewer
            if it has too few candidates in a bin.
        bins: Names of the bins: "high" (above 0.3), "low" (above 0.1, to 0.3), "none".
        clouds: Settings of partial clouds; a loader must have the same for the same overlap.
        selection: Part of the split.
        tries: Number of candidates for each pair.
        seed: Seed of the choice of candidates.

    Raises:
        InvalidInputError: The data set lacks an output, an argument is wrong, or no pair is found.
        IntegrityError: A file is damaged, or a view shows nothing of its object.
    """
    check_type("dataset", dataset, Dataset, "give a Dataset, such as that of open_dataset or of a Loader")
    for name in bins:
        check_choice("bin of overlap", name, OVERLAP_BINS)
    if lacking := sorted(_CLOUD_OUTPUTS - set(dataset.manifest.outputs)):
        raise InvalidInputError(
            f"{dataset.path_or_url} has no {' and no '.join(lacking)}, of which partial clouds are made; "
            "render it with --outputs rgb,mask,depth"
        )
    num_pairs = check_integer("pairs_per_object", pairs_per_object, 1)
    num_candidates = num_pairs * check_integer("tries", tries, 1)
    wanted = [OVERLAP_BINS.index(name) for name in dict.fromkeys(bins)]
    with dataset.open_split(split) as opened:
        rows, views = selection.list_objects(opened), selection.list_views(opened.num_views)
        found = [
            _PairFinder(opened, row, views, clouds).find(num_pairs, num_candidates, wanted, seed)
            for row in rows.tolist()
        ]
    counts = [len(overlap) for _, overlap in found]
    if not sum(counts):
        raise InvalidInputError(
            f"{split} of {dataset.path_or_url}: no pair has an overlap in {', '.join(bins)}; give more tries,"
            " other bins, or views whose rotations differ less"
        )
    pairs, overlaps = zip(*found, strict=True)
    return OverlapPairs(Samples(np.repeat(rows, counts), np.concatenate(pairs)), np.concatenate(overlaps))


class _PairFinder:
    """A finder of pairs of one object's views, which reads each partial cloud once."""

    def __init__(self, split: Split, row: int, views: IntArray, clouds: CloudOptions) -> None:
        self._split, self._row, self._views, self._clouds = split, row, views, clouds
        labels = split.get_labels(np.full(len(views), row), views)
        self._to_camera = ViewLabels(split.manifest.schema, labels[None]).object_to_camera[0]
        self._read: dict[int, PartialCloud] = {}

    def find(
        self, num_pairs: int, num_candidates: int, wanted: Sequence[int], seed: int
    ) -> tuple[IntArray, NDArray[np.float32]]:
        """Return the views [S, 2] of pairs, and their overlaps [S]."""
        places = self._list_candidates(num_candidates, seed)
        overlap = np.array([self._compute_overlap(*pair) for pair in places.tolist()], np.float32)
        bins = find_overlap_bin(overlap)
        quotas = _share(num_pairs, len(wanted))
        chosen = np.sort(
            np.concatenate(
                [np.flatnonzero(bins == number)[:quota] for number, quota in zip(wanted, quotas, strict=True)]
            )
        )
        return self._views[places[chosen]], overlap[chosen]

    def _list_candidates(self, num_candidates: int, seed: int) -> IntArray:
        """Return places [C, 2] of views, spread over the angle between their directions, in random order."""
        pairs = np.argwhere(~np.eye(len(self._views), dtype=bool))
        forward = self._to_camera[:, 2, :3]
        cosine = (forward[pairs[:, 0]] * forward[pairs[:, 1]]).sum(axis=-1)
        by_angle = pairs[np.argsort(-cosine.round(6), kind="stable")]
        count = min(num_candidates, len(pairs))
        key = make_philox_key("overlap", str(seed), self._split.get_object_id(self._row))
        words = np.asarray(np.random.Philox(key=key).random_raw(count + 1))
        start = float(words_to_units(words[0]))
        spread = ((np.arange(count) + start) / max(count, 1) * len(pairs)).astype(np.int64)
        return by_angle[spread[np.argsort(words[1:], kind="stable")]]

    def _compute_overlap(self, first: int, second: int) -> float:
        transform = self._to_camera[first] @ geometry.invert_pose(self._to_camera[second])
        one, other = (self._read_points(place) for place in (first, second))
        return compute_overlap(one, other, transform, self._clouds.reach)

    def _read_points(self, place: int) -> NDArray[np.float32]:
        """Return the points of a view's cloud, rounded as a batch has them."""
        if place not in self._read:
            view = int(self._views[place])
            self._read[place] = read_partial_cloud(
                self._clouds, self._split, self._row, view, self._split.manifest.image_size_px
            )
        cloud = self._read[place]
        return cloud.points[: cloud.count].astype(np.float32)


def _share(total: int, num_parts: int) -> Iterator[int]:
    """Yield the parts of a number, which differ by one at most."""
    for part in range(num_parts):
        yield total * (part + 1) // num_parts - total * part // num_parts
