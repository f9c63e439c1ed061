"""Sources of meshes: ShapeNet, Objaverse, GSO, a folder of mesh files, and the zoo."""

from turntable.renderer.meshes.sources.duplicates import find_duplicates
from turntable.renderer.meshes.sources.folder import FolderSource
from turntable.renderer.meshes.sources.registry import open_source
from turntable.renderer.meshes.sources.source import MeshSource, SourceObject, load_mesh
from turntable.renderer.meshes.sources.survey import format_survey, survey_folder
from turntable.renderer.meshes.sources.zoo import ZooSource

__all__ = [
    "FolderSource",
    "MeshSource",
    "SourceObject",
    "ZooSource",
    "find_duplicates",
    "format_survey",
    "load_mesh",
    "open_source",
    "survey_folder",
]
