"""Molecules as rdkit's, and what it says of them: SMILES, scaffold, rotatable bonds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.extras import explain_import_errors


@dataclass(frozen=True, slots=True)
class Chemistry:
    """Facts that the graph of a molecule tells, without coordinates and stereochemistry."""

    smiles: str
    """Canonical SMILES without hydrogen; "" if rdkit refuses the molecule."""
    scaffold: str
    """Canonical SMILES of the Murcko scaffold (Bemis and Murcko, 1996); "" without rings, or as above."""
    rotatable_bonds: int
    """Number of rotatable bonds (rdkit's strict definition: no amide bonds); 0 as above."""


def build_molecule(
    elements: NDArray[np.integer],
    formal_charges: NDArray[np.integer],
    bonds: NDArray[np.integer],
    positions: NDArray[np.floating] | None = None,
) -> Any:
    """Build an rdkit molecule, with exactly these atoms, charges and bonds. It is not sanitized.

    Args:
        elements: [n] atomic numbers.
        formal_charges: [n] formal charges.
        bonds: [n, n] codes of the bonds, as in the array ``bonds``; symmetric.
        positions: [n, 3] positions in angstroms; None for no conformer.

    Raises:
        MissingExtraError: The library rdkit is not installed.
    """
    with explain_import_errors("rdkit"):
        from rdkit import Chem
    kinds = Chem.BondType
    orders = (kinds.ZERO, kinds.SINGLE, kinds.DOUBLE, kinds.TRIPLE, kinds.AROMATIC)
    molecule = Chem.RWMol()
    for number, charge in zip(elements.tolist(), formal_charges.tolist(), strict=True):
        atom = Chem.Atom(number)
        atom.SetFormalCharge(charge)
        molecule.AddAtom(atom)
    for first, second in zip(*np.nonzero(np.triu(bonds)), strict=True):
        _add_bond(molecule, int(first), int(second), orders[bonds[first, second]])
    if positions is not None:
        molecule.AddConformer(_make_conformer(positions))
    return molecule


def _add_bond(molecule: Any, first: int, second: int, order: Any) -> None:
    from rdkit import Chem

    molecule.AddBond(first, second, order)
    if order == Chem.BondType.AROMATIC:
        molecule.GetBondBetweenAtoms(first, second).SetIsAromatic(True)
        for end in (first, second):
            molecule.GetAtomWithIdx(end).SetIsAromatic(True)


def _make_conformer(positions: NDArray[np.floating]) -> Any:
    from rdkit import Chem

    conformer = Chem.Conformer(len(positions))
    conformer.Set3D(True)
    for index, place in enumerate(positions.tolist()):
        conformer.SetAtomPosition(index, place)
    return conformer


def find_chemistry(
    elements: NDArray[np.integer], formal_charges: NDArray[np.integer], bonds: NDArray[np.integer]
) -> Chemistry:
    """Find the facts that the graph of a molecule tells.

    Args:
        elements: [n] atomic numbers, of all atoms including hydrogen.
        formal_charges: [n] formal charges.
        bonds: [n, n] orders of the bonds, 1 to 3 (no aromatic ones).

    Raises:
        MissingExtraError: The library rdkit is not installed.
    """
    molecule = build_molecule(elements, formal_charges, bonds)
    from rdkit import Chem, rdBase
    from rdkit.Chem import rdMolDescriptors
    from rdkit.Chem.Scaffolds import MurckoScaffold

    with rdBase.BlockLogs():
        for atom in molecule.GetAtoms():
            atom.SetNoImplicit(True)
        try:
            Chem.SanitizeMol(molecule)
            bare = Chem.RemoveHs(molecule)
            Chem.RemoveStereochemistry(bare)
            scaffold = MurckoScaffold.GetScaffoldForMol(bare)
            return Chemistry(
                Chem.MolToSmiles(bare),
                Chem.MolToSmiles(scaffold),
                int(rdMolDescriptors.CalcNumRotatableBonds(bare)),
            )
        except (ValueError, RuntimeError):
            return Chemistry("", "", 0)
