"""The one table of what gives fields to batches, and how a list of names is resolved by it."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from numpy.typing import NDArray

from turntable.choices import check_choice
from turntable.datasets.labels import LabelArray, LabelSchema
from turntable.errors import InvalidInputError
from turntable.geometry import QuaternionSign
from turntable.loaders.fields.field import (
    BatchField,
    ComputedField,
    FieldProvider,
    FieldSource,
    SampledViews,
    StoredField,
)
from turntable.loaders.fields.labels import LabelField, LabelProvider, default_labels
from turntable.loaders.fields.outputs import OutputProvider
from turntable.loaders.fields.points import PointProvider

_LABELS = LabelProvider()
PROVIDERS: tuple[FieldProvider, ...] = (_LABELS, OutputProvider(), PointProvider())
"""In the order in which messages list what there is; no two give a field of one name."""

ALWAYS = ("view", "category", "object_index", "view_index")
"""Fields that batches have without being asked."""
_IMAGES_OF_MANY = "views"
_OF_PAIRS = ("_1", "_2")
"""The ends of the names of a pair's two views."""


@dataclass(frozen=True, slots=True)
class BatchFields:
    """The fields of batches besides those that all have. Picklable."""

    computed: tuple[ComputedField, ...] = ()
    stored: tuple[StoredField, ...] = ()

    def __iter__(self) -> Iterator[BatchField]:
        return iter((*self.stored, *self.computed))

    def compute(self, sampled: SampledViews) -> dict[str, NDArray[Any]]:
        """Compute those that are computed.

        Returns:
            By name [B, k, *shape] of views, [B, k - 1, *shape] of steps, [B, *shape] of objects.
        """
        return {item.name: item.compute(sampled).astype(item.dtype, copy=False) for item in self.computed}


def resolve_fields(
    names: Sequence[str] | None,
    source: FieldSource,
    views: int,
    quaternion_sign: QuaternionSign = "product",
) -> BatchFields:
    """Find out what gives each field of a batch, each once.

    Args:
        names: Of labels, outputs and clouds (docs/labels.md has them all); those that every batch has change
            nothing. None: rotations and factors.
        source: What the data hold.
        views: k, of a sample.
        quaternion_sign: Of all quaternions: "product" (as SIE) or "canonical" (w >= 0).

    Raises:
        InvalidInputError: There is no such field, the data lack it, or one view has no steps.
    """
    wanted = default_labels(views) if names is None else names
    chosen = _chosen(wanted, PROVIDERS, source, views, quaternion_sign)
    return BatchFields(
        tuple(item for item in chosen if isinstance(item, ComputedField)),
        tuple(item for item in chosen if isinstance(item, StoredField)),
    )


def missing_fields(names: Iterable[str], source: FieldSource, views: int) -> tuple[str, ...]:
    """Say of each field that samples of some data cannot have why, and what to do.

    Args:
        names: Of fields.
        source: What the data hold.
        views: k, of a sample.

    Returns:
        Sentences; none where all can be had.
    """
    known = _known(PROVIDERS, source, "product")
    return tuple(_faults(tuple(dict.fromkeys(names)), known, PROVIDERS, source, views))


def field_names(reads: Iterable[str], views: int) -> tuple[str, ...]:
    """Turn names of a batch into those of the fields to ask for, each once.

    Args:
        reads: As batches have them: ``view_1``, ``depth_2``, ``relative_pose``, ``object_points``.
        views: k, of a sample; of pairs, what each of the two views has ends with _1 or _2.

    Returns:
        Without the fields that every batch has: ``depth``, ``relative_pose``, ``object_points``.
    """
    names = (name[:-2] if views == 2 and name.endswith(_OF_PAIRS) else name for name in reads)
    return tuple(dict.fromkeys(name for name in names if name not in (*ALWAYS, _IMAGES_OF_MANY)))


def label_fields(
    names: Sequence[str], schema: LabelSchema, views: int, quaternion_sign: QuaternionSign = "product"
) -> tuple[LabelField, ...]:
    """Find labels alone by their names, each once.

    Args:
        names: Of labels.
        schema: Of the label columns.
        views: k, of a sample.
        quaternion_sign: Of all quaternions: "product" (as SIE) or "canonical" (w >= 0).

    Raises:
        InvalidInputError: There is no such label, the data set lacks it, or one view has no steps.
    """
    chosen = _chosen(names, (_LABELS,), FieldSource(schema), views, quaternion_sign)
    return tuple(item for item in chosen if isinstance(item, LabelField))


def compute_labels(fields: Iterable[LabelField], labels: LabelArray) -> dict[str, NDArray[Any]]:
    """Compute labels of many samples; what they have in common is computed once.

    Args:
        fields: All of one data set.
        labels: float32 [B, k, L], k views of each object.

    Returns:
        By name float32 [B, k, *shape] of each view, or [B, k - 1, *shape] from view i to view i + 1.
    """
    wanted = tuple(fields)
    return BatchFields(wanted).compute(SampledViews(wanted[0].schema, labels)) if wanted else {}


def _chosen(
    names: Sequence[str],
    providers: Sequence[FieldProvider],
    source: FieldSource,
    views: int,
    sign: QuaternionSign,
) -> tuple[BatchField, ...]:
    check_choice("quaternion sign", sign, get_args(QuaternionSign))
    if isinstance(names, str):
        raise InvalidInputError(f"fields {names!r}: give a list of names, such as [{names!r}]")
    known = _known(providers, source, sign)
    wanted = tuple(dict.fromkeys(name for name in names if name not in ALWAYS))
    if faults := list(_faults(wanted, known, providers, source, views)):
        raise InvalidInputError("; ".join(faults))
    return tuple(known[name] for name in wanted)


def _known(
    providers: Iterable[FieldProvider], source: FieldSource, sign: QuaternionSign
) -> dict[str, BatchField]:
    return {item.name: item for provider in providers for item in provider.fields(source, sign)}


def _faults(
    names: Sequence[str],
    known: Mapping[str, BatchField],
    providers: Sequence[FieldProvider],
    source: FieldSource,
    views: int,
) -> Iterator[str]:
    """Why names cannot be had: the data lack them, nobody knows them, or a sample has no steps."""
    missing = [name for name in names if name not in known and name not in ALWAYS]
    for provider in providers:
        lacking = provider.lacking(source)
        if its_own := [name for name in missing if name in lacking]:
            yield provider.explain(its_own, source)
            missing = [name for name in missing if name not in its_own]
    for name in missing:
        yield _unknown(name, known, providers, source)
    steps = [name for name in names if name in known and known[name].per == "step"]
    if steps and views < 2:
        yield f"fields {', '.join(steps)}: they lie between two views, and a sample has one; take pairs"


def _unknown(name: str, known: Iterable[str], providers: Sequence[FieldProvider], source: FieldSource) -> str:
    everywhere = [*known, *(other for provider in providers for other in provider.lacking(source))]
    near = " or ".join(difflib.get_close_matches(name, everywhere, n=3))
    guess = f"did you mean {near}? " if near else ""
    there = "; ".join(text for provider in providers if (text := provider.listing(source)))
    return f"no field {name!r}; {guess}There are {there}"
