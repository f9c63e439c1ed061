"""Generation of articulated objects, each from its family, its number and the seed alone.

Every family is one that a person names at sight, such as a laptop or a robot arm, with one to four joints.
The objects stand upright on z (up) and face +y, as the zoo's do. At rest the center of the bounding box is
the origin, and its diagonal is 1. Over the whole ranges of all joints no part leaves the sphere of radius
0.85 about the origin, and no part passes through another, but for the pins and bushes of joints.
"""

from turntable.choices import check_choice
from turntable.errors import InvalidInputError
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.zoo.articulated.families import FAMILIES
from turntable.renderer.meshes.zoo.generation import make_generator


def make_articulated_mesh(family: str, instance: int, seed: int = 0) -> Mesh:
    """Make one articulated object, at rest.

    Args:
        family: Key of ``FAMILIES``.
        instance: Number of the object, from 0. Every number gives another object.
        seed: Seed of all articulated objects.

    Returns:
        A mesh of several parts, each of closed solids, with the joints between them.

    Raises:
        InvalidInputError: The family is unknown, or the instance is negative.
    """
    check_choice("family of articulated objects", family, FAMILIES)
    if instance < 0:
        raise InvalidInputError(f"instance {instance} of {family!r}: instances are numbered from 0")
    object_id = f"articulated/{family}"
    return FAMILIES[family](make_generator(object_id, instance, seed)).build_mesh(f"{family}/{instance:06d}")
