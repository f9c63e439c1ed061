"""The list of all field providers, and the resolution of field names to fields."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from numpy.typing import NDArray

from turntable.choices import check_choice
from turntable.datasets.labels import LabelArray, LabelSchema
from turntable.errors import InvalidInputError
from turntable.geometry import QuaternionSign
from turntable.loaders.fields.batch_field import (
    BatchField,
    ComputedField,
    DataDescription,
    FieldProvider,
    SampledViews,
    StoredField,
)
from turntable.loaders.fields.graphs import GRAPHS
from turntable.loaders.fields.labels import LabelField, LabelProvider, get_default_labels
from turntable.loaders.fields.molecules import MOLECULES
from turntable.loaders.fields.outputs import OutputProvider
from turntable.loaders.fields.partial_clouds import PartialCloudProvider
from turntable.loaders.fields.parts import PartProvider
from turntable.loaders.fields.points import POINTS
from turntable.loaders.fields.relations import RelationProvider
from turntable.loaders.fields.scans import ScanProvider
from turntable.loaders.fields.tracks import TRACKS

_LABELS = LabelProvider()
PROVIDERS: tuple[FieldProvider, ...] = (
    _LABELS,
    RelationProvider(),
    OutputProvider(),
    POINTS,
    PartProvider(),
    PartialCloudProvider(),
    ScanProvider(),
    TRACKS,
    GRAPHS,
    MOLECULES,
)
"""All providers, in the order in which messages list their fields. No two have a field of the same name."""

COMMON_FIELDS = ("view", "category", "object_index", "view_index")
"""Names of the fields that every batch has."""
_IMAGES_OF_SEVERAL = "views"
_PAIR_SUFFIXES = ("_1", "_2")
"""Suffixes of the names of fields of a pair's two views."""


@dataclass(frozen=True, slots=True)
class BatchFields:
    """The fields of batches besides those that every batch has. Picklable."""

    computed: tuple[ComputedField, ...] = ()
    stored: tuple[StoredField, ...] = ()

    @property
    def needed(self) -> tuple[StoredField, ...]:
        """Stored fields that batches do not have, and from which computed ones are computed."""
        named = {item.name for item in self.stored}
        needs = {need.name: need for item in self.computed for need in item.needs}
        return tuple(need for name, need in needs.items() if name not in named)

    def __iter__(self) -> Iterator[BatchField]:
        return iter((*self.stored, *self.computed))

    def compute(self, sampled: SampledViews) -> dict[str, NDArray[Any]]:
        """Compute the fields of ``computed``.

        Args:
            sampled: Views of the batch's samples.

        Returns:
            By name: [B, k, *shape] for fields of views, [B, k - 1, *shape] of steps, [B, *shape] of objects
            and samples.
        """
        return {item.name: item.compute(sampled).astype(item.dtype, copy=False) for item in self.computed}

    def compute_by_view(self, sampled: SampledViews) -> dict[str, NDArray[Any]]:
        """Compute the fields of ``computed`` for samples whose views have an object each.

        Args:
            sampled: Views of the batch's samples, with objects [B, k].

        Returns:
            As ``compute`` does; fields of objects are [B, k, *shape] too, one value for each view.
        """
        shared = tuple(item for item in self.computed if item.per in ("step", "sample"))
        own = tuple(item for item in self.computed if item.per in ("view", "object"))
        by_view = BatchFields(own).compute(sampled.split_views())
        lead = sampled.labels.factors.shape[:2]
        by_view = {item.name: by_view[item.name].reshape(*lead, *item.shape) for item in own}
        return BatchFields(shared).compute(sampled) | by_view


def resolve_fields(
    names: Sequence[str] | None,
    data: DataDescription,
    num_views: int,
    quaternion_sign: QuaternionSign = "product",
) -> BatchFields:
    """Return the fields that have some names, each once.

    Args:
        names: Names of labels, outputs and point clouds, listed in docs/labels.md. Fields that every batch
            has may be named and change nothing. None: rotations and factors.
        data: Description of the data.
        num_views: Number of views k of a sample.
        quaternion_sign: Sign of all quaternions: "product" (as SIE) or "canonical" (w >= 0).

    Raises:
        InvalidInputError: There is no such field, the data lack it, or it needs two views and samples have
            one.
    """
    requested = get_default_labels(num_views) if names is None else names
    fields = _select_fields(requested, PROVIDERS, data, num_views, quaternion_sign)
    return BatchFields(
        tuple(item for item in fields if isinstance(item, ComputedField)),
        tuple(item for item in fields if isinstance(item, StoredField)),
    )


def explain_missing_fields(names: Iterable[str], data: DataDescription, num_views: int) -> tuple[str, ...]:
    """Return messages about the fields that samples cannot have: why, and what to do.

    Args:
        names: Names of fields.
        data: Description of the data.
        num_views: Number of views k of a sample.

    Returns:
        The messages; empty if samples can have all fields.
    """
    known = _map_fields(PROVIDERS, data, "product")
    return tuple(_iter_faults(tuple(dict.fromkeys(names)), known, PROVIDERS, data, num_views))


def batch_to_field_names(batch_names: Iterable[str], num_views: int) -> tuple[str, ...]:
    """Convert names of a batch to the names of the fields to request, each once.

    Args:
        batch_names: Names as a batch has them: ``view_1``, ``depth_2``, ``relative_pose``, ``object_points``.
        num_views: Number of views k of a sample. The suffixes _1 and _2 are removed for pairs only.

    Returns:
        Names without the fields that every batch has: ``depth``, ``relative_pose``, ``object_points``.
    """
    names = (name[:-2] if num_views == 2 and name.endswith(_PAIR_SUFFIXES) else name for name in batch_names)
    return tuple(dict.fromkeys(name for name in names if name not in (*COMMON_FIELDS, _IMAGES_OF_SEVERAL)))


def resolve_labels(
    names: Sequence[str], schema: LabelSchema, num_views: int, quaternion_sign: QuaternionSign = "product"
) -> tuple[LabelField, ...]:
    """Return the labels that have some names, each once. Fields of other kinds are not looked up.

    Args:
        names: Names of labels.
        schema: Schema of the label columns.
        num_views: Number of views k of a sample.
        quaternion_sign: Sign of all quaternions: "product" (as SIE) or "canonical" (w >= 0).

    Raises:
        InvalidInputError: There is no such label, the data lack it, or it needs two views and samples have
            one.
    """
    fields = _select_fields(names, (_LABELS,), DataDescription(schema), num_views, quaternion_sign)
    return tuple(item for item in fields if isinstance(item, LabelField))


def compute_labels(fields: Iterable[LabelField], labels: LabelArray) -> dict[str, NDArray[Any]]:
    """Compute labels of many samples. Intermediate values that labels share are computed once.

    Args:
        fields: Labels, all of the same data set.
        labels: float32 [B, k, L] label columns of the k views of each sample.

    Returns:
        By name: float32 [B, k, *shape] for labels of views, [B, k - 1, *shape] of the steps from view i to
        view i + 1.
    """
    computed = tuple(fields)
    return BatchFields(computed).compute(SampledViews(computed[0].schema, labels)) if computed else {}


def _select_fields(
    names: Sequence[str],
    providers: Sequence[FieldProvider],
    data: DataDescription,
    num_views: int,
    sign: QuaternionSign,
) -> tuple[BatchField, ...]:
    """Return the fields of some providers that have these names, each once; raise if one cannot be had."""
    check_choice("quaternion sign", sign, get_args(QuaternionSign))
    if isinstance(names, str):
        raise InvalidInputError(f"fields {names!r}: give a list of names, such as [{names!r}]")
    known = _map_fields(providers, data, sign)
    requested = tuple(dict.fromkeys(name for name in names if name not in COMMON_FIELDS))
    if faults := list(_iter_faults(requested, known, providers, data, num_views)):
        raise InvalidInputError("; ".join(faults))
    return tuple(known[name] for name in requested)


def _map_fields(
    providers: Iterable[FieldProvider], data: DataDescription, sign: QuaternionSign
) -> dict[str, BatchField]:
    return {item.name: item for provider in providers for item in provider.iter_fields(data, sign)}


def _iter_faults(
    names: Sequence[str],
    known: Mapping[str, BatchField],
    providers: Sequence[FieldProvider],
    data: DataDescription,
    num_views: int,
) -> Iterator[str]:
    """Yield messages about names that the data lack, that are unknown, or that need two views."""
    unresolved = [name for name in names if name not in known and name not in COMMON_FIELDS]
    for provider in providers:
        missing = provider.list_missing(data)
        if explained := [name for name in unresolved if name in missing]:
            yield provider.explain_missing(explained, data)
            unresolved = [name for name in unresolved if name not in explained]
    for name in unresolved:
        yield _format_unknown_field(name, known, providers, data)
    pairs = [name for name in names if name in known and _needs_pair(known[name])]
    if pairs and num_views < 2:
        yield f"fields {', '.join(pairs)}: they need two views, and a sample has one; use pairs"


def _needs_pair(item: BatchField) -> bool:
    """Return True if a field needs samples of two views."""
    return item.per == "step" or (isinstance(item, ComputedField) and item.min_views > 1)


def _format_unknown_field(
    name: str, known: Iterable[str], providers: Sequence[FieldProvider], data: DataDescription
) -> str:
    candidates = [*known, *(other for provider in providers for other in provider.list_missing(data))]
    similar = " or ".join(difflib.get_close_matches(name, candidates, n=3))
    guess = f"did you mean {similar}? " if similar else ""
    available = "; ".join(text for provider in providers if (text := provider.format_available(data)))
    return f"no field {name!r}; {guess}There are {available}"
