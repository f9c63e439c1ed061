"""The families of articulated objects."""

from turntable.renderer.meshes.zoo.articulated.families.registry import FAMILIES

__all__ = [
    "FAMILIES",
]
