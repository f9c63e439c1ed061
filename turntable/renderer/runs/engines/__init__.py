"""Engines that spread a run's shards over processes: of this machine, or of a Ray cluster."""

from turntable.renderer.runs.engines.processes import ProcessEngine
from turntable.renderer.runs.engines.protocol import EngineCallbacks, RenderEngine
from turntable.renderer.runs.engines.ray import RayEngine

__all__ = [
    "EngineCallbacks",
    "ProcessEngine",
    "RayEngine",
    "RenderEngine",
]
