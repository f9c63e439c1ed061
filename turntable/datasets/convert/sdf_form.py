"""The export of molecules as SDF files: one for each split, which chemists' tools read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from turntable.datasets.manifest import Manifest
from turntable.datasets.molecules import build_molecule
from turntable.datasets.split import Split
from turntable.errors import IntegrityError
from turntable.extras import check_installed

_ARRAYS = ("atom_positions", "elements", "formal_charges", "bonds")


def explain_missing_molecules(manifest: Manifest) -> str:
    """Return what a data set lacks for SDF files, and what to do; "" if it lacks nothing."""
    if "atom_positions" in manifest.arrays:
        return ""
    return "it has no molecules; render a data set with the recipe molecules"


def write_sdf(split: Split, folder: Path) -> int:
    """Write the molecules of a split as ``<split>.sdf``, and return their number.

    An entry holds the places of the atoms in angstroms, in the object's own frame and to 0.0001, their formal
    charges, the bonds with the orders of the array ``bonds`` (4 for an aromatic one), the object's id as its
    title, and its category, name, SMILES, scaffold and number of rotatable bonds as properties.

    Raises:
        IntegrityError: A shard is not as it was written.
        MissingExtraError: The library rdkit is not installed.
    """
    check_installed("rdkit")
    from rdkit import Chem

    with Chem.SDWriter(str(folder / f"{split.name}.sdf")) as writer:
        writer.SetKekulize(False)
        for molecule in _iter_molecules(split):
            writer.write(molecule)
    return split.num_objects


def _iter_molecules(split: Split) -> Iterator[Any]:
    for row, record in enumerate(split.objects):
        positions, elements, charges, bonds = (_read_array(split, row, name) for name in _ARRAYS)
        molecule = build_molecule(elements, charges, bonds, positions)
        molecule.SetProp("_Name", record.id)
        molecule.SetProp("category", record.category)
        if record.molecule is not None:
            for name in ("name", "smiles", "scaffold"):
                molecule.SetProp(name, getattr(record.molecule, name))
            molecule.SetIntProp("rotatable_bonds", record.molecule.rotatable_bonds)
        yield molecule


def _read_array(split: Split, row: int, name: str) -> Any:
    array = split.read_array(row, name)
    if array is None:
        raise IntegrityError(f"{split.name} object {row}: it has no {name}; fetch the data set again")
    return array
