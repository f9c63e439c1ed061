"""What spreads a run's shards over processes: those of this machine, or a Ray cluster's."""

from turntable.renderer.runs.engines.processes import Processes
from turntable.renderer.runs.engines.protocol import RenderEngine, Watcher
from turntable.renderer.runs.engines.ray import RayCluster

__all__ = [
    "Processes",
    "RayCluster",
    "RenderEngine",
    "Watcher",
]
