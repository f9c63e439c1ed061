"""What spreads a run's shards over processes: those of this machine, or a Ray cluster's."""

from turntable.renderer.engines.processes import Processes
from turntable.renderer.engines.protocol import Engine, Watcher
from turntable.renderer.engines.ray import RayCluster

__all__ = ["Engine", "Processes", "RayCluster", "Watcher"]
