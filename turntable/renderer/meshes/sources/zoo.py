"""The zoo as a source: so many procedural objects, shared out evenly among its categories."""

from dataclasses import dataclass
from pathlib import Path

from turntable.errors import InvalidInputError
from turntable.renderer.meshes.mesh import Mesh, mesh_digest
from turntable.renderer.meshes.sources.source import SourceObject
from turntable.renderer.meshes.zoo import zoo_mesh
from turntable.renderer.meshes.zoo.categories import CATEGORIES


@dataclass(frozen=True, slots=True)
class ZooSource:
    """Procedural objects; ids are ``category/instance``, the instance in six digits."""

    count: int
    """How many objects: the first instances of every category, one round after the other."""
    categories: tuple[str, ...] = tuple(sorted(CATEGORIES))
    name: str = "zoo"
    licence: str = "Apache-2.0"

    def objects(self) -> tuple[SourceObject, ...]:
        """The objects, by category."""
        if self.count < 1:
            raise InvalidInputError(f"a zoo of {self.count} objects; give --objects 1 or more")
        names = sorted(self.categories)
        rounds = [(names[number % len(names)], number // len(names)) for number in range(self.count)]
        return tuple(SourceObject(f"{name}/{instance:06d}", name) for name, instance in sorted(rounds))

    def load(self, object_id: str) -> Mesh:
        """Make the object."""
        category, _, instance = object_id.partition("/")
        if not instance.isdigit():
            raise InvalidInputError(f"{object_id!r} is no object of the zoo; an id is like mug/000007")
        return zoo_mesh(category, int(instance))

    def digest(self, object_id: str, mesh: Mesh) -> str:  # noqa: ARG002
        """sha256 over the mesh as made."""
        return mesh_digest(mesh)

    def licence_of(self, object_id: str) -> str:  # noqa: ARG002
        """The package's own."""
        return self.licence

    def describe(self) -> dict[str, object]:
        """Nothing more is to be said of it."""
        return {}

    def mesh_file(self, object_id: str) -> Path | None:  # noqa: ARG002
        """It has none."""
        return None
