"""The first 5,000 compounds of the NCI's open database, whose SMILES lie in the wheel of rdkit.

Their coordinates are computed: a conformer by ETKDGv3 (Wang et al., JCIM 2020) with the compound's number as
its seed, relaxed in the force field MMFF94 (Halgren, 1996), in 0.03 s a molecule, and rounded to 0.001
angstrom. They are the same on machines of one kind and with one version of rdkit.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import ATOMIC_NUMBERS, MoleculeRule
from turntable.errors import MeshError
from turntable.extras import explain_import_errors
from turntable.renderer.meshes.molecules.molecule import Molecule
from turntable.renderer.meshes.molecules.ring_classes import name_ring_classes

_MAX_ITERATIONS = 2_000
"""Maximum number of steps of the relaxation."""
_DECIMALS = 3
"""Number of decimals of a coordinate in angstroms."""


def iter_compounds(rule: MoleculeRule) -> Iterator[tuple[str, str]]:
    """Iterate over the ids and ring classes of the compounds that a rule chooses, sorted by id.

    An id is the compound's number in six digits. Compounds that rdkit cannot read are not among them, nor are
    those of several molecules.

    Raises:
        MissingExtraError: The library rdkit is not installed.
    """
    allowed = {ATOMIC_NUMBERS["H"], *(ATOMIC_NUMBERS[name] for name in rule.elements)}
    for number, smiles in sorted(_read_smiles().items()):
        parsed = None if "." in smiles else _parse_smiles(smiles)
        if parsed is None or not {atom.GetAtomicNum() for atom in parsed.GetAtoms()} <= allowed:
            continue
        if rule.min_heavy_atoms <= parsed.GetNumHeavyAtoms() <= rule.max_heavy_atoms:
            yield f"{number:06d}", _classify(parsed)


def read_compound(compound_id: str, object_id: str, *, is_placed: bool = True) -> Molecule:
    """Read a compound with hydrogen, and compute its conformer.

    Args:
        compound_id: Number of the compound in six digits.
        object_id: Id of the object, for messages.
        is_placed: True for the places of a conformer; False for NaN, at once.

    Raises:
        MeshError: There is no such compound, or no conformer of it can be computed.
        MissingExtraError: The library rdkit is not installed.
    """
    number = int(compound_id) if compound_id.isascii() and compound_id.isdigit() else 0
    smiles = _read_smiles().get(number)
    parsed = None if smiles is None else _parse_smiles(smiles)
    if parsed is None:
        raise MeshError(f"{object_id}: there is no such compound", reason="unknown component")
    unlisted = {atom.GetSymbol() for atom in parsed.GetAtoms()} - set(ATOMIC_NUMBERS)
    if unlisted:
        raise MeshError(
            f"{object_id}: it has atoms of other elements than {', '.join(ATOMIC_NUMBERS)}; leave it out",
            reason="other elements",
        )
    molecule = _add_hydrogen(parsed)
    places = (
        _compute_places(molecule, number, object_id)
        if is_placed
        else np.full((molecule.GetNumAtoms(), 3), np.nan)
    )
    return _convert(molecule, places, f"NCI {number}")


def _add_hydrogen(parsed: Any) -> Any:
    from rdkit import Chem

    return Chem.AddHs(parsed)


def _compute_places(molecule: Any, seed: int, object_id: str) -> NDArray[np.float64]:
    """Return the places [n, 3] of a relaxed conformer, in angstroms."""
    from rdkit import rdBase
    from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

    with rdBase.BlockLogs():
        settings = rdDistGeom.ETKDGv3()
        settings.randomSeed = seed
        if rdDistGeom.EmbedMolecule(molecule, settings) != 0:
            raise MeshError(
                f"{object_id}: no conformer was found; leave it out", reason="no coordinates"
            ) from None
        if rdForceFieldHelpers.MMFFHasAllMoleculeParams(molecule):
            rdForceFieldHelpers.MMFFOptimizeMolecule(molecule, maxIters=_MAX_ITERATIONS)
        return np.round(molecule.GetConformer().GetPositions(), _DECIMALS)


def _convert(molecule: Any, places: NDArray[np.float64], name: str) -> Molecule:
    from rdkit import Chem

    aromatic = Chem.GetAdjacencyMatrix(molecule).astype(np.bool_)
    for bond in molecule.GetBonds():
        ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        aromatic[ends] = aromatic[ends[::-1]] = bond.GetIsAromatic()
    kekulized = Chem.Mol(molecule)
    Chem.Kekulize(kekulized, clearAromaticFlags=True)
    return Molecule(
        places,
        np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()], dtype=np.uint8),
        np.array([atom.GetFormalCharge() for atom in molecule.GetAtoms()], dtype=np.int8),
        _read_orders(kekulized),
        aromatic,
        name,
    )


def _read_orders(kekulized: Any) -> NDArray[np.uint8]:
    orders = np.zeros((kekulized.GetNumAtoms(),) * 2, dtype=np.uint8)
    for bond in kekulized.GetBonds():
        ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        orders[ends] = orders[ends[::-1]] = int(bond.GetBondTypeAsDouble())
    return orders


def _classify(parsed: Any) -> str:
    aromatic = [atom.GetSymbol() for atom in parsed.GetAtoms() if atom.GetIsAromatic()]
    counts = (parsed.GetRingInfo().NumRings(), len(aromatic), sum(symbol != "C" for symbol in aromatic))
    return name_ring_classes(*(np.array([count]) for count in counts))[0]


def _parse_smiles(smiles: str) -> Any:
    """Return a molecule without hydrogen, or None if rdkit cannot read it."""
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        return Chem.MolFromSmiles(smiles)


@cache
def _read_smiles() -> dict[int, str]:
    """Read the SMILES of the compounds by their numbers."""
    with explain_import_errors("rdkit"):
        from rdkit import RDConfig
    text = (Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi").read_text(encoding="ascii")
    rows = (line.split("\t") for line in text.splitlines() if line.strip())
    return {int(number): smiles for smiles, number in rows}
