"""The zoo as a source: procedural objects, shared out evenly among its categories."""

from dataclasses import dataclass

from turntable.errors import InvalidInputError
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.sources.generated import GeneratedSource, share_out_instances
from turntable.renderer.meshes.sources.source import SourceObject
from turntable.renderer.meshes.zoo import make_zoo_mesh
from turntable.renderer.meshes.zoo.categories import CATEGORIES


@dataclass(frozen=True, slots=True)
class ZooSource(GeneratedSource):
    """Procedural objects. Ids are ``category/instance``, with the instance in six digits."""

    num_objects: int
    """Number of objects: the first instance of every category, then the second of each, and so on."""
    categories: tuple[str, ...] = tuple(sorted(CATEGORIES))
    """Names of the categories."""
    name: str = "zoo"
    """Name of the source."""
    license: str = "Apache-2.0"
    """License of the meshes."""

    def list_objects(self) -> tuple[SourceObject, ...]:
        """Return the objects, sorted by category and instance.

        Raises:
            InvalidInputError: The number of objects is not positive.
        """
        if self.num_objects < 1:
            raise InvalidInputError(
                f"source {self.name!r} cannot have {self.num_objects} objects; give --objects 1 or more"
            )
        return share_out_instances(self.categories, self.num_objects)

    def load(self, object_id: str) -> Mesh:
        """Build the mesh of an object.

        Raises:
            InvalidInputError: The id does not name an object of the zoo.
        """
        category, _, instance = object_id.partition("/")
        if not instance.isdigit():
            raise InvalidInputError(f"{object_id!r} is not an object of the zoo; ids are like mug/000007")
        return make_zoo_mesh(category, int(instance))
