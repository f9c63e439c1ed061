"""Molecules: their arrays and meshes, from collections that lie in the wheels of biotite and rdkit."""

from turntable.renderer.meshes.molecules.ball_and_stick import BALL_RADII
from turntable.renderer.meshes.molecules.reading import (
    describe_collection,
    find_scaffold_group,
    get_collection_license,
    list_molecules,
    shape_object,
)
from turntable.renderer.meshes.molecules.ring_classes import RING_CLASSES

__all__ = [
    "BALL_RADII",
    "RING_CLASSES",
    "describe_collection",
    "find_scaffold_group",
    "get_collection_license",
    "list_molecules",
    "shape_object",
]
