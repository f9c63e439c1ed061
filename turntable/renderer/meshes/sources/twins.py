"""A source with a mirrored twin of every object."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from turntable.datasets.molecules import MoleculeFacts
from turntable.datasets.objects import get_base_id, is_twin, make_twin_id
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.mirroring import mirror_arrays, mirror_mesh
from turntable.renderer.meshes.sources.source import (
    MeshSource,
    SourceObject,
    SymmetryFinder,
    find_molecule_facts,
    find_source_arrays,
)
from turntable.renderer.meshes.sources.wrapped import WrappedSource
from turntable.renderer.meshes.symmetry import SymmetryFacts


@dataclass(frozen=True, slots=True)
class TwinSource(WrappedSource):
    """A source of meshes and their mirror images, which are made when they are loaded."""

    def list_objects(self) -> tuple[SourceObject, ...]:
        """Return every object and its twin, sorted by id."""
        listed = [
            twin
            for item in self.source.list_objects()
            for twin in (item, replace(item, id=make_twin_id(item.id)))
        ]
        return tuple(sorted(listed, key=lambda item: item.id))

    def load(self, object_id: str) -> Mesh:
        """Load the mesh of an object, or of the twin's object mirrored."""
        mesh = self.source.load(get_base_id(object_id))
        return mirror_mesh(mesh) if is_twin(object_id) else mesh

    def compute_digest(self, object_id: str, mesh: Mesh) -> str:
        """Return the SHA-256 of an object's data; of a twin, that of a text with its object's."""
        if not is_twin(object_id):
            return self.source.compute_digest(object_id, mesh)
        base = self.source.compute_digest(get_base_id(object_id), mirror_mesh(mesh))
        return hashlib.sha256(f"mirrored\0{base}".encode()).hexdigest()

    def find_symmetry(self, object_id: str, mesh: Mesh, digest: str) -> SymmetryFacts | None:
        """Return the symmetry facts of an object; of a twin, those of its object mirrored."""
        if not isinstance(self.source, SymmetryFinder):
            return None
        if not is_twin(object_id):
            return self.source.find_symmetry(object_id, mesh, digest)
        base_id, base = get_base_id(object_id), mirror_mesh(mesh)
        facts = self.source.find_symmetry(base_id, base, self.source.compute_digest(base_id, base))
        return None if facts is None else facts.mirror()

    def find_arrays(self, object_id: str) -> Mapping[str, NDArray[Any]]:
        """Return the arrays of an object by name; of a twin, those of its object mirrored."""
        arrays = find_source_arrays(self.source, get_base_id(object_id))
        return mirror_arrays(arrays) if is_twin(object_id) else arrays

    def find_molecule(self, object_id: str) -> MoleculeFacts | None:
        """Return the facts about a molecule, if the object is one; of a twin, those of its mirror image."""
        facts = find_molecule_facts(self.source, get_base_id(object_id))
        return facts.mirror() if facts is not None and is_twin(object_id) else facts

    def get_license(self, object_id: str) -> str:
        """Return the license of an object, which is that of its twin."""
        return self.source.get_license(get_base_id(object_id))

    def find_mesh_file(self, object_id: str) -> Path | None:
        """Return the path of an object's main file, which is that of its twin, or None if it is generated."""
        return self.source.find_mesh_file(get_base_id(object_id))

    def describe(self) -> dict[str, Any]:
        """Return facts about the meshes themselves: the recipe says that there are twins."""
        return self.source.describe()


def with_twins(source: MeshSource, *, mirrored: bool) -> MeshSource:
    """Return the source of a recipe's meshes: with twins if its key ``mirrored`` asks for them."""
    return TwinSource(source) if mirrored else source
