"""The categories of the zoo, each a family of objects that a person names at sight."""

from turntable.renderer.meshes.zoo.categories.registry import CATEGORIES

__all__ = [
    "CATEGORIES",
]
