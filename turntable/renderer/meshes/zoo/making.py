"""Everyday objects made by formula, for those without a collection of meshes.

Every category is a family of objects that a person names at sight. ``zoo_mesh("mug", 7)`` is one of them:
proportions, parts, colours and textures follow from the category, the instance number and the seed alone.

Objects stand upright on z (up) with their front towards +y, where the camera of 3DIEBench stands and where
ShapeNet's objects look: noses of vehicles, keyboards, the open side of a chair; a mug's handle points to -x.
The bounding box is centred on the origin and its diagonal is 1. No object looks the same after any rotation
but the identity, so its pose can be told from its looks.
"""

import hashlib

import numpy as np

from turntable.choices import check_choice
from turntable.errors import InvalidInputError
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.zoo.categories import CATEGORIES


def zoo_mesh(category: str, instance: int, seed: int = 0) -> Mesh:
    """Make one object of a category.

    Args:
        category: a key of ``CATEGORIES``.
        instance: number of the object, >= 0; every number is another object.
        seed: of the whole zoo.

    Returns:
        A mesh of closed parts, its bounding box centred on the origin with diagonal 1.

    Raises:
        InvalidInputError: for an unknown category or a negative instance.
    """
    check_choice("category of the zoo", category, CATEGORIES)
    if instance < 0:
        raise InvalidInputError(f"instance {instance} of {category!r}: instances are numbered from 0")
    return CATEGORIES[category](_generator(category, instance, seed)).mesh()


def _generator(category: str, instance: int, seed: int) -> np.random.Generator:
    """The object's own Philox stream: keyed by category and instance, its counter set by the seed."""
    key = int.from_bytes(hashlib.sha256(f"{category}/{instance}".encode()).digest()[:16], "little")
    # The counter's upper half: 2**128 numbers of one seed before those of the next.
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, seed & 0xFFFFFFFFFFFFFFFF, 0]))
