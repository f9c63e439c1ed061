"""The files of an object: found inside the root that the user gave, and nowhere else."""

from turntable.renderer.meshes.formats.files.folder_index import forget_indices
from turntable.renderer.meshes.formats.files.names import decode_name, decode_percents
from turntable.renderer.meshes.formats.files.object_files import ObjectFiles

__all__ = ["ObjectFiles", "decode_name", "decode_percents", "forget_indices"]
