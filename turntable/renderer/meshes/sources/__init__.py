"""Sources of meshes: ShapeNet, Objaverse, GSO, folders of mesh files, and several of generated objects."""

from turntable.renderer.meshes.sources.articulated import ArticulatedSource
from turntable.renderer.meshes.sources.duplicates import find_duplicates
from turntable.renderer.meshes.sources.folder import FolderSource
from turntable.renderer.meshes.sources.folder_problems import find_folder_problems
from turntable.renderer.meshes.sources.molecules import MoleculeSource
from turntable.renderer.meshes.sources.part_listing import format_parts
from turntable.renderer.meshes.sources.particles import BALL_RADIUS, ParticleSource
from turntable.renderer.meshes.sources.registry import open_recipe_source, open_source, reopen_source
from turntable.renderer.meshes.sources.scene_checks import check_scene_source
from turntable.renderer.meshes.sources.scene_source import SceneSource
from turntable.renderer.meshes.sources.selection import select_objects
from turntable.renderer.meshes.sources.solids import SolidsSource
from turntable.renderer.meshes.sources.source import (
    MeshSource,
    SourceObject,
    SplitFinder,
    SymmetryFinder,
    find_molecule_facts,
    find_source_arrays,
    load_mesh,
)
from turntable.renderer.meshes.sources.survey import (
    format_survey,
    open_detected_source,
    survey_folder,
    survey_source,
)
from turntable.renderer.meshes.sources.symmetry_source import SymmetrySource
from turntable.renderer.meshes.sources.twins import with_twins
from turntable.renderer.meshes.sources.zoo import ZooSource

__all__ = [
    "BALL_RADIUS",
    "ArticulatedSource",
    "FolderSource",
    "MeshSource",
    "MoleculeSource",
    "ParticleSource",
    "SceneSource",
    "SolidsSource",
    "SourceObject",
    "SplitFinder",
    "SymmetryFinder",
    "SymmetrySource",
    "ZooSource",
    "check_scene_source",
    "find_duplicates",
    "find_folder_problems",
    "find_molecule_facts",
    "find_source_arrays",
    "format_parts",
    "format_survey",
    "load_mesh",
    "open_detected_source",
    "open_recipe_source",
    "open_source",
    "reopen_source",
    "select_objects",
    "survey_folder",
    "survey_source",
    "with_twins",
]
