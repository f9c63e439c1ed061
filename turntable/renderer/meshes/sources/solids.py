"""The symmetric solids as a source: instances shared out evenly among them, with their exact symmetry."""

from dataclasses import dataclass

from turntable.errors import InvalidInputError
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.solids import SOLID_NAMES, get_solid_facts, make_solid_mesh
from turntable.renderer.meshes.sources.generated import GeneratedSource, share_out_instances
from turntable.renderer.meshes.sources.source import SourceObject
from turntable.renderer.meshes.symmetry import SymmetryFacts


@dataclass(frozen=True, slots=True)
class SolidsSource(GeneratedSource):
    """Symmetric solids and marked ones. Ids are ``solid/instance``, with the instance in six digits."""

    num_objects: int
    """Number of objects: the first instance of every solid, then the second of each, and so on."""
    names: tuple[str, ...] = SOLID_NAMES
    """Names of the solids, which are the categories."""
    name: str = "solids"
    """Name of the source."""
    license: str = "Apache-2.0"
    """License of the meshes."""

    def list_objects(self) -> tuple[SourceObject, ...]:
        """Return the objects, sorted by solid and instance.

        Raises:
            InvalidInputError: The number of objects is not positive.
        """
        if self.num_objects < 1:
            raise InvalidInputError(f"there cannot be {self.num_objects} solids; give --objects 1 or more")
        return share_out_instances(self.names, self.num_objects)

    def load(self, object_id: str) -> Mesh:
        """Build the mesh of an object.

        Raises:
            InvalidInputError: The id does not name an instance of a solid.
        """
        return make_solid_mesh(*_parse_id(object_id))

    def find_symmetry(self, object_id: str, mesh: Mesh, digest: str) -> SymmetryFacts:  # noqa: ARG002
        """Return the exact symmetry of an object.

        Raises:
            InvalidInputError: The id does not name an instance of a solid.
        """
        return get_solid_facts(*_parse_id(object_id))


def _parse_id(object_id: str) -> tuple[str, int]:
    name, _, instance = object_id.partition("/")
    if not (instance.isascii() and instance.isdigit()):
        raise InvalidInputError(f"{object_id!r} is not a solid; ids are like cube/000007")
    return name, int(instance)
