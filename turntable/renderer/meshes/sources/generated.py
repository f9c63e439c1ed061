"""The part that sources of generated meshes share."""

from collections.abc import Sequence
from pathlib import Path

from turntable.renderer.meshes.mesh import Mesh, compute_mesh_digest
from turntable.renderer.meshes.sources.source import SourceObject


class GeneratedSource:
    """A source whose meshes are generated, so that there are no files."""

    __slots__ = ()
    license: str
    """License of the meshes."""

    def compute_digest(self, object_id: str, mesh: Mesh) -> str:  # noqa: ARG002
        """Return the SHA-256 of the mesh."""
        return compute_mesh_digest(mesh)

    def get_license(self, object_id: str) -> str:  # noqa: ARG002
        """Return the license of the meshes as a whole."""
        return self.license

    def describe(self) -> dict[str, object]:
        """Return no facts: the recipe says all there is to know."""
        return {}

    def find_mesh_file(self, object_id: str) -> Path | None:  # noqa: ARG002
        """Return None, because the meshes are generated."""
        return None


def share_out_instances(names: Sequence[str], num_objects: int) -> tuple[SourceObject, ...]:
    """Return the first instance of every name, then the second of each, and so on, sorted.

    Ids are ``name/instance``, with the instance in six digits.

    Args:
        names: Names of the categories.
        num_objects: Number of objects.
    """
    ordered = sorted(names)
    rounds = [(ordered[number % len(ordered)], number // len(ordered)) for number in range(num_objects)]
    return tuple(SourceObject(f"{name}/{instance:06d}", name) for name, instance in sorted(rounds))
