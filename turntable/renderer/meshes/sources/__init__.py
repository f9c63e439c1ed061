"""Sources of meshes: ShapeNet, Objaverse, GSO, a folder of mesh files, the zoo, and symmetric solids."""

from turntable.renderer.meshes.sources.duplicates import find_duplicates
from turntable.renderer.meshes.sources.folder import FolderSource
from turntable.renderer.meshes.sources.folder_problems import find_folder_problems
from turntable.renderer.meshes.sources.registry import open_source
from turntable.renderer.meshes.sources.solids import SolidsSource
from turntable.renderer.meshes.sources.source import MeshSource, SourceObject, SymmetryFinder, load_mesh
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
    "FolderSource",
    "MeshSource",
    "SolidsSource",
    "SourceObject",
    "SymmetryFinder",
    "SymmetrySource",
    "ZooSource",
    "find_duplicates",
    "find_folder_problems",
    "format_survey",
    "load_mesh",
    "open_detected_source",
    "open_source",
    "survey_folder",
    "survey_source",
    "with_twins",
]
