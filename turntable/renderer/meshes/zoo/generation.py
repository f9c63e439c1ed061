"""Generation of the zoo: procedural meshes of everyday objects, for those without a collection of meshes.

Every category is a family of objects that a person names at sight. ``make_zoo_mesh("mug", 7)`` builds one of
them: its proportions, parts, colors and textures follow from the category, the instance number and the seed
alone.

Objects stand upright on z (up) and face +y, where the camera of 3DIEBench stands and where ShapeNet's
objects face: noses of vehicles, keyboards, the open side of a chair. A mug's handle points to -x. The center
of the bounding box is the origin, and its diagonal is 1. No object is symmetric under a rotation, so that
its pose can be told from its looks.
"""

import hashlib

import numpy as np

from turntable.choices import check_choice
from turntable.errors import InvalidInputError
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.zoo.categories import CATEGORIES


def make_zoo_mesh(category: str, instance: int, seed: int = 0) -> Mesh:
    """Make one object of a category.

    Args:
        category: Key of ``CATEGORIES``.
        instance: Number of the object, from 0. Every number gives another object.
        seed: Seed of the whole zoo.

    Returns:
        A mesh of closed parts. The center of its bounding box is the origin, and its diagonal is 1.

    Raises:
        InvalidInputError: The category is unknown, or the instance is negative.
    """
    check_choice("category of the zoo", category, CATEGORIES)
    if instance < 0:
        raise InvalidInputError(f"instance {instance} of {category!r}: instances are numbered from 0")
    return CATEGORIES[category](make_generator(category, instance, seed)).build_mesh()


def make_generator(category: str, instance: int, seed: int) -> np.random.Generator:
    """Make the object's Philox generator, keyed by category and instance, with the seed in its counter."""
    key = int.from_bytes(hashlib.sha256(f"{category}/{instance}".encode()).digest()[:16], "little")
    # The seed is in the upper half of the counter, so a stream has 2**128 numbers before it meets the stream
    # of the next seed.
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, seed & 0xFFFFFFFFFFFFFFFF, 0]))
