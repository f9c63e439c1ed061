"""Articulated objects of the zoo as a source: shared out evenly among their families."""

from dataclasses import dataclass

from turntable.errors import InvalidInputError
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.sources.zoo import ZooSource
from turntable.renderer.meshes.zoo.articulated import FAMILIES, make_articulated_mesh


@dataclass(frozen=True, slots=True)
class ArticulatedSource(ZooSource):
    """Procedural objects with joints. Ids are ``family/instance``, with the instance in six digits."""

    categories: tuple[str, ...] = tuple(sorted(FAMILIES))
    """Names of the families."""
    name: str = "articulated"

    def load(self, object_id: str) -> Mesh:
        """Build the mesh of an object, at rest, with its parts and joints.

        Raises:
            InvalidInputError: The id does not name an articulated object.
        """
        family, _, instance = object_id.partition("/")
        if not instance.isdigit():
            raise InvalidInputError(f"{object_id!r} is not an articulated object; ids are like laptop/000003")
        return make_articulated_mesh(family, int(instance))
