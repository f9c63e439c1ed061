"""Runs: a recipe and meshes become a data set, on any number of processes and machines."""

from turntable.renderer.runs.events import event_lines
from turntable.renderer.runs.generating import Listener, generate, generate_share
from turntable.renderer.runs.loading import Loaded, LoadLimits, MeshLoader
from turntable.renderer.runs.merging import merge
from turntable.renderer.runs.planning import ObjectSelection, plan
from turntable.renderer.runs.progress import Progress

__all__ = [
    "Listener",
    "LoadLimits",
    "Loaded",
    "MeshLoader",
    "ObjectSelection",
    "Progress",
    "event_lines",
    "generate",
    "generate_share",
    "merge",
    "plan",
]
