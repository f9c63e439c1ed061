"""Molecules as fields: places, elements and charges of atoms, and bonds, padded to the largest of the set.

``atom_mask`` says which atoms are real, and ``atom_count`` how many there are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import HYDROGEN
from turntable.loaders.fields.batch_field import (
    DataDescription,
    FieldScope,
    SampledViews,
)
from turntable.loaders.fields.field_table import TableProvider

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
    compute_padded: _MoleculeFunction

    def compute(self, data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
        """Compute the values."""
        return self.compute_padded(data.array_sizes[_ATOMS], sampled)

    def get_sizes(self, data: DataDescription) -> Mapping[str, int]:
        """Return the largest sizes of the data set."""
        return data.array_sizes

    def find_fault(self, data: DataDescription) -> str | None:
        """Return a message that says why the data lack the field, and what to do; None if they have it."""
        if "atom_positions" in data.arrays:
            return None
        if data.num_views:
            return "this data set has no molecules; render a data set with 'molecules'"
        return "objects that are rendered during training have no arrays; render a data set with 'molecules'"


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
MOLECULES = TableProvider(_FIELDS)
"""The provider of the atoms and bonds of molecules."""
