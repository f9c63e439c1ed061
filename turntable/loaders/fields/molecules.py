"""Molecules as fields: places, elements and charges of atoms, and bonds, padded to the largest of the set.

``atom_mask`` says which atoms are real, and ``atom_count`` how many there are.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import HYDROGEN
from turntable.geometry import QuaternionSign
from turntable.loaders.fields.batch_field import (
    ComputedField,
    DataDescription,
    FieldProvider,
    FieldScope,
    SampledViews,
)

_ATOMS = "atoms"
_MoleculeFunction = Callable[[int, SampledViews], NDArray[Any]]
"""A function of the largest number of atoms that computes the values of a field."""


@dataclass(frozen=True, slots=True)
class _MoleculeField:
    """A field of molecules."""

    name: str
    per: FieldScope
    dtype: str
    axes: tuple[int | str, ...]
    """Sizes of the axes; "atoms" for the largest number of atoms."""
    compute: _MoleculeFunction


class MoleculeProvider(FieldProvider):
    """The provider of the atoms and bonds of molecules."""

    def iter_fields(self, data: DataDescription, sign: QuaternionSign) -> Iterator[ComputedField]:
        """Iterate over the fields, if the data have molecules."""
        del sign
        if not _has_molecules(data):
            return
        num_atoms = data.array_sizes[_ATOMS]
        for item in _FIELDS:
            shape = tuple(num_atoms if isinstance(axis, str) else axis for axis in item.axes)
            yield ComputedField(item.name, item.per, shape, item.dtype, partial(item.compute, num_atoms))

    def list_missing(self, data: DataDescription) -> Collection[str]:
        """List the fields, if the data have no molecules."""
        return () if _has_molecules(data) else tuple(item.name for item in _FIELDS)

    def explain_missing(self, names: Sequence[str], data: DataDescription) -> str:
        """Return a message that names the recipe whose data sets have molecules."""
        reason = (
            "this data set has no molecules"
            if data.num_views
            else "objects that are rendered during training have no arrays"
        )
        return f"no {' and no '.join(names)}: {reason}; render a data set with 'molecules'"

    def format_available(self, data: DataDescription) -> str:
        """Return the names of the fields as text, if the data have molecules."""
        return ", ".join(item.name for item in _FIELDS) if _has_molecules(data) else ""


def _has_molecules(data: DataDescription) -> bool:
    return "atom_positions" in data.arrays


def _compute_posed_positions(num_atoms: int, sampled: SampledViews) -> NDArray[Any]:
    """Return R p [B, k, n, 3] for each place p, with the rotation R of each view; 0 where padded."""
    places = _get_positions(num_atoms, sampled).astype(np.float64)[:, None]
    return places @ sampled.labels.pose[..., :3, :3].swapaxes(-1, -2)  # places are rows


def _get_positions(num_atoms: int, sampled: SampledViews) -> NDArray[Any]:
    return _pad_arrays("atom_positions", (num_atoms, 3), np.float32, sampled)


def _get_elements(num_atoms: int, sampled: SampledViews) -> NDArray[Any]:
    return _pad_arrays("elements", (num_atoms,), np.int64, sampled)


def _get_charges(num_atoms: int, sampled: SampledViews) -> NDArray[Any]:
    return _pad_arrays("formal_charges", (num_atoms,), np.int64, sampled)


def _get_bonds(num_atoms: int, sampled: SampledViews) -> NDArray[Any]:
    return _pad_arrays("bonds", (num_atoms, num_atoms), np.uint8, sampled)


def _get_mask(num_atoms: int, sampled: SampledViews) -> NDArray[Any]:
    return _get_elements(num_atoms, sampled) > 0


def _count_atoms(num_atoms: int, sampled: SampledViews) -> NDArray[Any]:
    return _get_mask(num_atoms, sampled).sum(axis=1)


def _count_heavy_atoms(num_atoms: int, sampled: SampledViews) -> NDArray[Any]:
    return (_get_elements(num_atoms, sampled) > HYDROGEN).sum(axis=1)


def _count_rotatable_bonds(num_atoms: int, sampled: SampledViews) -> NDArray[Any]:
    del num_atoms
    return np.array([0 if facts is None else facts.rotatable_bonds for facts in sampled.molecules])


def _pad_arrays(
    name: str, shape: tuple[int, ...], dtype: type[np.generic], sampled: SampledViews
) -> NDArray[Any]:
    """Return an array of each object, padded with 0 to a shape, [B, *shape]."""
    arrays = sampled.read_arrays(name)
    padded = np.zeros((len(arrays), *shape), dtype)
    for row, array in enumerate(arrays):
        if array is not None:
            padded[(row, *map(slice, array.shape))] = array
    return padded


_FIELDS: tuple[_MoleculeField, ...] = (
    _MoleculeField("atom_positions", "view", "float32", (_ATOMS, 3), _compute_posed_positions),
    _MoleculeField("object_atom_positions", "object", "float32", (_ATOMS, 3), _get_positions),
    _MoleculeField("elements", "object", "int64", (_ATOMS,), _get_elements),
    _MoleculeField("formal_charges", "object", "int64", (_ATOMS,), _get_charges),
    _MoleculeField("bonds", "object", "uint8", (_ATOMS, _ATOMS), _get_bonds),
    _MoleculeField("atom_mask", "object", "bool", (_ATOMS,), _get_mask),
    _MoleculeField("atom_count", "object", "int64", (), _count_atoms),
    _MoleculeField("heavy_atom_count", "object", "int64", (), _count_heavy_atoms),
    _MoleculeField("rotatable_bonds", "object", "int64", (), _count_rotatable_bonds),
)
