"""A molecule as arrays of its atoms and bonds, and the checks that it has a shape."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import HYDROGEN, MoleculeRule
from turntable.errors import MeshError

_GRID = 2.0**-20
"""Spacing in angstroms of the grid to which positions are rounded, so that they are the same everywhere."""
_LENGTH_RATIOS = (0.7, 1.5)
"""Least and greatest length of a bond, over the sum of its atoms' covalent radii."""
_COVALENT_RADII = {
    1: 0.31,
    5: 0.84,
    6: 0.76,
    7: 0.71,
    8: 0.66,
    9: 0.57,
    15: 1.07,
    16: 1.05,
    17: 1.02,
    35: 1.20,
    53: 1.39,
}
"""Covalent radii in angstroms by atomic number (Cordero et al., Dalton Transactions 2008, table 2)."""


@dataclass(frozen=True, slots=True, eq=False)
class Molecule:
    """A molecule of n atoms."""

    positions: NDArray[np.float64]
    """[n, 3] positions in angstroms."""
    elements: NDArray[np.uint8]
    """[n] atomic numbers."""
    formal_charges: NDArray[np.int8]
    """[n] formal charges."""
    bonds: NDArray[np.uint8]
    """[n, n] orders of the bonds, 1 to 3, 0 where there is none; symmetric."""
    is_aromatic: NDArray[np.bool_]
    """[n, n] true for bonds of aromatic rings; symmetric."""
    name: str = ""
    """Name in its collection."""

    @property
    def num_heavy_atoms(self) -> int:
        """Number of atoms besides hydrogen."""
        return int(np.count_nonzero(self.elements != HYDROGEN))


def shape_molecule(molecule: Molecule, rule: MoleculeRule) -> Molecule:
    """Return a molecule as a recipe wants it, with or without hydrogen; its atoms' mean is the origin."""
    kept = molecule if rule.hydrogens else _select_atoms(molecule, molecule.elements != HYDROGEN)
    centered = kept.positions - kept.positions.mean(axis=0)
    return replace(kept, positions=np.rint(centered / _GRID) * _GRID)


def check_molecule(molecule: Molecule, object_id: str) -> Molecule:
    """Return a molecule if it is one piece with a place for each atom.

    Raises:
        MeshError: It has no atoms, an atom has no coordinates, a bond is far too long or too short, or it is
            more than one piece.
    """
    if not len(molecule.elements):
        raise MeshError(f"{object_id}: no atoms; leave it out", reason="no atoms")
    missing = int(np.count_nonzero(~np.isfinite(molecule.positions).all(axis=1)))
    if missing:
        raise MeshError(
            f"{object_id}: {missing} of {len(molecule.elements)} atoms have no coordinates; leave it out",
            reason="no coordinates",
        )
    _check_lengths(molecule, object_id)
    if not is_connected(molecule.bonds > 0):
        raise MeshError(f"{object_id}: its atoms are not one molecule; leave it out", reason="not connected")
    return molecule


def _check_lengths(molecule: Molecule, object_id: str) -> None:
    first, second = np.nonzero(np.triu(molecule.bonds))
    lengths = np.linalg.norm(molecule.positions[first] - molecule.positions[second], axis=1)
    radii = np.array([_COVALENT_RADII[number] for number in molecule.elements.tolist()])
    ratios = lengths / (radii[first] + radii[second])
    low, high = _LENGTH_RATIOS
    wrong = np.flatnonzero((ratios < low) | (ratios > high))
    if len(wrong):
        raise MeshError(
            f"{object_id}: {len(wrong)} bonds are far too long or too short, one of them "
            f"{lengths[wrong[0]]:.2f} angstroms; leave it out",
            reason="wrong coordinates",
        )


def is_connected(neighbors: NDArray[np.bool_]) -> bool:
    """Return True if every atom can be reached from the first one over bonds [n, n]."""
    reached = np.zeros(len(neighbors), dtype=np.bool_)
    reached[:1] = True
    while True:
        further = reached | neighbors[reached].any(axis=0)
        if (further == reached).all():
            return bool(reached.all())
        reached = further


def _select_atoms(molecule: Molecule, kept: NDArray[np.bool_]) -> Molecule:
    return replace(
        molecule,
        positions=molecule.positions[kept],
        elements=molecule.elements[kept],
        formal_charges=molecule.formal_charges[kept],
        bonds=molecule.bonds[kept][:, kept],
        is_aromatic=molecule.is_aromatic[kept][:, kept],
    )
