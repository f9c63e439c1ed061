"""Molecules of all collections by the ids of their objects, such as ``ccd/ATP``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import AROMATIC_BOND, MoleculeDataset, MoleculeRule
from turntable.datasets.molecules import MoleculeFacts, find_chemistry
from turntable.errors import InvalidInputError, MeshError, format_text
from turntable.extras import check_installed
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.molecules.ball_and_stick import build_ball_and_stick
from turntable.renderer.meshes.molecules.dictionary import iter_components, read_component
from turntable.renderer.meshes.molecules.molecule import Molecule, check_molecule, shape_molecule
from turntable.renderer.meshes.molecules.nci import iter_compounds, read_compound

_READERS = {"ccd": read_component, "nci": read_compound}
_GRAPH_READERS = {"ccd": read_component, "nci": partial(read_compound, is_placed=False)}
"""Functions that read molecules without need of their places."""
_LISTS = {"ccd": iter_components, "nci": iter_compounds}
_LICENSES = {"ccd": "CC0-1.0", "nci": "public domain"}
_MAX_NAME_LENGTH = 200
"""Maximum length of a molecule's name in its record; a few of the dictionary's have several times as many."""


@dataclass(frozen=True, slots=True, eq=False)
class ShapedMolecule:
    """A molecule as a recipe wants it: its arrays, its mesh and its facts."""

    arrays: dict[str, NDArray[np.generic]]
    """The arrays of the object, by name."""
    mesh: Mesh
    facts: MoleculeFacts


def list_molecules(rule: MoleculeRule) -> tuple[tuple[str, str], ...]:
    """Return the ids and ring classes of the molecules that a rule chooses, sorted by id.

    Raises:
        InvalidInputError: The rule chooses none.
        MissingExtraError: The library of the collection is not installed.
    """
    listed = tuple((f"{rule.dataset}/{name}", group) for name, group in _LISTS[rule.dataset](rule))
    if not listed:
        raise InvalidInputError(
            f"[molecules] chooses none: no molecule of {rule.dataset} has {rule.min_heavy_atoms} to "
            f"{rule.max_heavy_atoms} atoms of {', '.join(rule.elements)} alone; allow more in the recipe"
        )
    return listed


def get_collection_license(collection: MoleculeDataset) -> str:
    """Return the license of a collection's molecules."""
    return _LICENSES[collection]


def describe_collection() -> dict[str, str]:
    """Return the versions of the libraries that hold the molecules and find their scaffolds.

    Raises:
        MissingExtraError: A library of the extra is not installed.
    """
    for library in ("biotite", "rdkit"):
        check_installed(library)
    return {f"{library}_version": version(library) for library in ("biotite", "rdkit")}


@lru_cache(maxsize=8)
def shape_object(object_id: str, rule: MoleculeRule) -> ShapedMolecule:
    """Read a molecule and make its arrays, mesh and facts.

    Raises:
        MeshError: There is no such molecule, or it has no usable coordinates.
        MissingExtraError: A library of the extra is not installed.
    """
    whole = check_molecule(_read(object_id, _READERS), object_id)
    chemistry = find_chemistry(whole.elements, whole.formal_charges, whole.bonds)
    shaped = shape_molecule(whole, rule)
    bonds = np.where(shaped.is_aromatic, AROMATIC_BOND, shaped.bonds) if rule.aromatic else shaped.bonds
    built = build_ball_and_stick(shaped.positions, shaped.elements, bonds)
    arrays: dict[str, NDArray[np.generic]] = {
        "atom_positions": shaped.positions.astype(np.float32),
        "elements": shaped.elements,
        "formal_charges": shaped.formal_charges,
        "bonds": bonds.astype(np.uint8),
    }
    facts = MoleculeFacts(
        _clean_name(whole.name),
        chemistry.smiles,
        chemistry.scaffold,
        whole.num_heavy_atoms,
        chemistry.rotatable_bonds,
        built.diagonals_per_angstrom,
        built.center,
    )
    return ShapedMolecule(arrays, built.mesh, facts)


def find_scaffold_group(object_id: str) -> str:
    """Return the text that all molecules of a scaffold share: its SMILES.

    Molecules without rings have no scaffold: those of the same SMILES are a group. One that rdkit refuses is
    a group of its own.

    Raises:
        MeshError: There is no such molecule.
        MissingExtraError: A library of the extra is not installed.
    """
    molecule = _read(object_id, _GRAPH_READERS)
    chemistry = find_chemistry(molecule.elements, molecule.formal_charges, molecule.bonds)
    return chemistry.scaffold or chemistry.smiles or object_id


def _read(object_id: str, readers: Mapping[str, Callable[[str, str], Molecule]]) -> Molecule:
    """Read a molecule by the function of its collection."""
    collection, _, name = object_id.partition("/")
    if collection not in readers:
        raise MeshError(
            f"{format_text(object_id)}: not a molecule; ids are like ccd/ATP or nci/000007",
            "unknown component",
        )
    return readers[collection](name, object_id)


def _clean_name(name: str) -> str:
    """Return a name in one line, cut to a length that a record can have."""
    return format_text(" ".join(name.split()), _MAX_NAME_LENGTH)
