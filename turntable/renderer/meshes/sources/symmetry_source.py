"""A source whose meshes' symmetry is measured too, once for each mesh."""

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from turntable.errors import MeshError
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.sources.source import SourceObject, SymmetryFinder
from turntable.renderer.meshes.sources.wrapped import WrappedSource
from turntable.renderer.meshes.symmetry import SymmetryFacts, describe_measure, measure_symmetry

MAX_REMEMBERED = 1024
"""Digests whose facts are remembered, for objects that share a mesh."""


@dataclass(frozen=True, slots=True)
class SymmetrySource(WrappedSource):
    """A source of meshes whose symmetry facts a run measures and puts into the objects' records.

    How they are measured becomes part of the run's plan and of the manifest, so a run that was begun without
    them is not resumed with them.
    """

    _remembered: "OrderedDict[str, SymmetryFacts]" = field(
        default_factory=OrderedDict, init=False, repr=False, compare=False
    )
    """Facts of the last meshes by digest, in the process that loads them."""

    def list_objects(self) -> tuple[SourceObject, ...]:
        """Return every object, sorted by id."""
        return self.source.list_objects()

    def load(self, object_id: str) -> Mesh:
        """Load the mesh of an object."""
        return self.source.load(object_id)

    def compute_digest(self, object_id: str, mesh: Mesh) -> str:
        """Return the SHA-256 (hex) of the data that the mesh, as loaded, was made from."""
        return self.source.compute_digest(object_id, mesh)

    def get_license(self, object_id: str) -> str:
        """Return the license of one object, or that of the source if the object's is not known."""
        return self.source.get_license(object_id)

    def find_mesh_file(self, object_id: str) -> Path | None:
        """Return the path of the object's main file, or None if the mesh is generated."""
        return self.source.find_mesh_file(object_id)

    def describe(self) -> dict[str, Any]:
        """Return facts about the whole source for the manifest, and how symmetry is measured."""
        described = self.source.describe()
        if isinstance(self.source, SymmetryFinder):
            return described  # nothing is measured
        return {**described, "symmetry": describe_measure()}

    def find_symmetry(self, object_id: str, mesh: Mesh, digest: str) -> SymmetryFacts | None:
        """Return what the source tells of an object; if it tells nothing, measure the mesh."""
        if isinstance(self.source, SymmetryFinder):
            return self.source.find_symmetry(object_id, mesh, digest)
        return self.measure(mesh, digest)

    def measure(self, mesh: Mesh, digest: str) -> SymmetryFacts | None:
        """Measure the symmetry facts of a mesh, or recall those of a mesh with the same digest.

        A mesh without area has none.
        """
        try:
            facts = self._remembered.pop(digest, None) or measure_symmetry(mesh)
        except MeshError:
            return None
        self._remembered[digest] = facts
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return facts
