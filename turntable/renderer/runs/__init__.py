"""Render runs: from a recipe and meshes to a data set, on any number of processes and machines."""

from turntable.renderer.runs.events import open_event_log
from turntable.renderer.runs.generation import RunListener, generate, generate_share
from turntable.renderer.runs.merging import merge
from turntable.renderer.runs.mesh_inspection import (
    format_folder_warnings,
    format_inspection,
    inspect_meshes,
)
from turntable.renderer.runs.mesh_loader import LoadedObject, LoadLimits, MeshLoader
from turntable.renderer.runs.progress import Progress
from turntable.renderer.runs.run_plan import ObjectSelection, plan_run
from turntable.renderer.runs.symmetry_rows import format_symmetry

__all__ = [
    "LoadLimits",
    "LoadedObject",
    "MeshLoader",
    "ObjectSelection",
    "Progress",
    "RunListener",
    "format_folder_warnings",
    "format_inspection",
    "format_symmetry",
    "generate",
    "generate_share",
    "inspect_meshes",
    "merge",
    "open_event_log",
    "plan_run",
]
