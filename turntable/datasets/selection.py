"""A part of a split that training and evaluation take: some views, some environments, a few objects."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import ENVIRONMENT
from turntable.datasets.manifest import Manifest
from turntable.datasets.manifest_recipe import read_manifest_recipe
from turntable.datasets.objects import compute_sort_key
from turntable.datasets.split import Split
from turntable.errors import InvalidInputError, format_text

IntArray = NDArray[np.int64]

_RANGE = re.compile(r"(\d{1,6})(-(\d{1,6})?)?")
_PARITIES = {"even": 0, "odd": 1}
_MAX_TEXT_LENGTH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A part of a split of a data set: the same views of every object, and some of the objects.

    Raises:
        InvalidInputError: One or more values are wrong; the message lists all of them.
    """

    views: str | None = None
    """Views of each object: "even", "odd", or numbers and ranges, such as "0-15", "16-" or "0-3,8"; None for
    all."""
    environments: Sequence[str] = ()
    """Names of the environments whose objects belong to it; empty for all."""
    shots: int | None = None
    """Number of objects of each category; all of a category that has fewer. Those of a smaller number are
    among them. None for all."""
    seed: int = 0
    """Seed of the choice of objects for ``shots``."""

    def __post_init__(self) -> None:
        if type(self.environments) is list:
            object.__setattr__(self, "environments", tuple(self.environments))
        if faults := list(self._iter_faults()):
            raise InvalidInputError("; ".join(faults))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a selection from its fields by name, as JSON has them.

        Raises:
            InvalidInputError: A name is unknown, or a value is wrong.
        """
        if unknown := sorted(map(str, set(values) - set(cls.__slots__))):
            raise InvalidInputError(f"a selection has no {format_text(', '.join(unknown))}")
        return cls(**values)

    @property
    def is_whole(self) -> bool:
        """True if it selects all views of all objects."""
        return self.views is None and not self.environments and self.shots is None

    def __str__(self) -> str:
        """Return the selection in words, for reports and names; "" for the whole split."""
        seed = f" (seed {self.seed})" if self.seed else ""
        parts = (
            f"views {self.views}" if self.views is not None else "",
            f"environments {','.join(self.environments)}" if self.environments else "",
            f"{self.shots} shots{seed}" if self.shots is not None else "",
        )
        return " ".join(filter(None, parts))

    def list_views(self, num_views: int) -> IntArray:
        """List the numbers of the selected views, ascending.

        Args:
            num_views: Number of views of each object in the data set.

        Raises:
            InvalidInputError: The data set does not have such views.
        """
        if self.views is None:
            return np.arange(num_views)
        if self.views in _PARITIES:
            found = np.arange(_PARITIES[self.views], num_views, 2)
        else:
            found = np.unique(np.concatenate([_list_range(part, num_views) for part in _cut(self.views)]))
        if not len(found) or found[-1] >= num_views:
            raise InvalidInputError(
                f"views {self.views}: the data set has {num_views} views of each object, counted from 0"
            )
        return found

    def list_objects(self, split: Split) -> IntArray:
        """List the rows of the selected objects of a split, ascending.

        Raises:
            InvalidInputError: There is no such environment, or no object is left.
        """
        rows = np.arange(split.num_objects)
        if self.environments:
            wanted = find_environments(split.manifest, self.environments)
            column = split.manifest.schema.get_column(ENVIRONMENT)
            rows = rows[np.isin(split.get_labels(rows, np.zeros_like(rows))[:, column], wanted)]
        if self.shots is not None:
            rows = self._choose_shots(split, rows)
        if not len(rows):
            raise InvalidInputError(f"no object of {split.name} belongs to the selection ({self})")
        return rows

    def _choose_shots(self, split: Split, rows: IntArray) -> IntArray:
        """Return the first ``shots`` objects of each category in an order that the seed and the ids give."""
        assert self.shots is not None
        ids, categories = split.object_ids, split.category_indices
        taken: dict[int, int] = {}
        chosen: list[int] = []
        for row in sorted(rows.tolist(), key=lambda row: compute_sort_key("shots", self.seed, ids[row])):
            category = int(categories[row])
            taken[category] = taken.get(category, 0) + 1
            if taken[category] <= self.shots:
                chosen.append(row)
        return np.array(sorted(chosen), np.int64)

    def _iter_faults(self) -> Iterator[str]:
        """Yield a message for each wrong value."""
        if self.views is not None and not _is_view_text(self.views):
            yield (
                f"views {format_text(repr(self.views), 100)}: give even, odd, or numbers and ranges, such as "
                "0-15, 16- or 0-3,8"
            )
        names = cast("object", self.environments)
        if type(names) is not tuple or not all(type(name) is str and name for name in self.environments):
            yield f"environments {format_text(repr(names), 100)}: give a list of names"
        for name, value, least in (("shots", self.shots, 1), ("seed", self.seed, 0)):
            is_absent = value is None and name == "shots"
            if not is_absent and (type(value) is not int or value < least):
                yield f"{name} {format_text(repr(value), 100)}: give a whole number, at least {least}"


def find_environments(manifest: Manifest, names: Sequence[str]) -> list[int]:
    """Return the numbers of environments by their names.

    Raises:
        InvalidInputError: The data set has no environments, or not these.
    """
    known = [item.name for item in read_manifest_recipe(manifest).environment]
    for name in names:
        if name not in known:
            has = f"has {', '.join(known)}" if known else "has none"
            raise InvalidInputError(
                f"environment {format_text(name, 100)}: the data set {manifest.name} {has}"
            )
    return [known.index(name) for name in names]


def are_disjoint(first: Selection, second: Selection, num_views: int) -> bool:
    """Return True if no view belongs to two selections of one split, whatever its objects are."""
    names = set(first.environments), set(second.environments)
    if all(names) and not names[0] & names[1]:
        return True
    return not len(np.intersect1d(first.list_views(num_views), second.list_views(num_views)))


def _is_view_text(text: object) -> bool:
    if not isinstance(text, str) or len(text) > _MAX_TEXT_LENGTH:
        return False
    return text in _PARITIES or all(_is_range(part) for part in _cut(text))


def _is_range(part: str) -> bool:
    match = _RANGE.fullmatch(part)
    return match is not None and (match[3] is None or int(match[1]) <= int(match[3]))


def _cut(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _list_range(part: str, num_views: int) -> IntArray:
    match = _RANGE.fullmatch(part)
    assert match is not None
    first = int(match[1])
    last = first if match[2] is None else num_views - 1 if match[3] is None else int(match[3])
    # An empty range, which begins beyond the last view, stands for its first number, which is reported.
    return np.arange(first, max(first, last) + 1)
