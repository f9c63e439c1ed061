"""Graphs of surfaces: the mesh of an object, simplified to few vertices in an order that is drawn."""

from turntable.renderer.surface_graphs.surface_graph import make_permuted_graph, make_surface_graph
from turntable.renderer.surface_graphs.welding import weld_surface

__all__ = ["make_permuted_graph", "make_surface_graph", "weld_surface"]
