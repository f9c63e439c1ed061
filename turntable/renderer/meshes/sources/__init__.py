"""Sources of meshes: ShapeNet, Objaverse, GSO, a folder of files, and the zoo."""

from turntable.renderer.meshes.sources.folder import FolderSource
from turntable.renderer.meshes.sources.opening import open_source
from turntable.renderer.meshes.sources.source import MeshSource, SourceObject, load_mesh
from turntable.renderer.meshes.sources.survey import survey_folder, survey_rows
from turntable.renderer.meshes.sources.twins import twins_of
from turntable.renderer.meshes.sources.zoo import ZooSource

__all__ = [
    "FolderSource",
    "MeshSource",
    "SourceObject",
    "ZooSource",
    "load_mesh",
    "open_source",
    "survey_folder",
    "survey_rows",
    "twins_of",
]
