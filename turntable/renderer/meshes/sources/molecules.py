"""Molecules as a source: their atoms and bonds as arrays, and as meshes of balls and sticks."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from turntable.datasets.labels import DEFAULT_MOLECULE_RULE, MoleculeRule
from turntable.datasets.molecules import MoleculeFacts
from turntable.datasets.objects import SCAFFOLDS_TEXT, assign_group
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.molecules import (
    describe_collection,
    find_scaffold_group,
    get_collection_license,
    list_molecules,
    shape_object,
)
from turntable.renderer.meshes.sources.generated import GeneratedSource
from turntable.renderer.meshes.sources.selection import select_objects
from turntable.renderer.meshes.sources.source import SourceObject


@dataclass(frozen=True, slots=True)
class MoleculeSource(GeneratedSource):
    """The molecules that a rule chooses. Ids are like ``ccd/ATP``; the category is the class of the rings."""

    rule: MoleculeRule = DEFAULT_MOLECULE_RULE
    """Rule that chooses them and says whether they have hydrogen and aromatic bonds."""
    num_objects: int | None = None
    """Largest number of molecules, taken in turn from every class; all of them if None."""
    name: str = "molecules"
    """Name of the source."""

    @property
    def license(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """License of the collection."""
        return get_collection_license(self.rule.dataset)

    @property
    def split_text(self) -> str:
        """The rule of the splits, as the manifest names it."""
        return SCAFFOLDS_TEXT

    def list_objects(self) -> tuple[SourceObject, ...]:
        """Return the molecules, sorted by id; among them those without usable coordinates.

        Raises:
            InvalidInputError: The rule chooses none, or the number of molecules is not positive.
            MissingExtraError: The library of the collection is not installed.
        """
        listed = tuple(SourceObject(name, group) for name, group in list_molecules(self.rule))
        return select_objects(listed, self.num_objects)

    def load(self, object_id: str) -> Mesh:
        """Build the mesh of a molecule.

        Raises:
            MeshError: There is no such molecule, or it has no usable coordinates.
        """
        return shape_object(object_id, self.rule).mesh

    def compute_digest(self, object_id: str, mesh: Mesh) -> str:  # noqa: ARG002
        """Return the SHA-256 of the molecule's arrays, from which its mesh follows."""
        digest = hashlib.sha256()
        for name, array in sorted(self.find_arrays(object_id).items()):
            digest.update(f"{name} {array.dtype} {array.shape}\0".encode() + array.tobytes())
        return digest.hexdigest()

    def find_arrays(self, object_id: str) -> Mapping[str, NDArray[Any]]:
        """Return the arrays of a molecule: places, elements and charges of its atoms, and its bonds."""
        return shape_object(object_id, self.rule).arrays

    def find_molecule(self, object_id: str) -> MoleculeFacts:
        """Return the facts about a molecule."""
        return shape_object(object_id, self.rule).facts

    def find_split(self, object_id: str, val_fraction: float, split_seed: int) -> str:
        """Return the split of a molecule: that of its scaffold, whatever else is in the data set."""
        return assign_group(find_scaffold_group(object_id), val_fraction, split_seed)

    def describe(self) -> dict[str, Any]:
        """Return the versions of the libraries that the molecules and their scaffolds come from."""
        return describe_collection()
