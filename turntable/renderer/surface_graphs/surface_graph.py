"""The graph of an object's surface: its vertices, normals, faces and edges, in an order that is drawn."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Recipe
from turntable.datasets.draws import get_drawn_id, make_philox_key
from turntable.errors import MeshError
from turntable.graphs import draw_permutation, list_edges, permute_indices, sort_faces
from turntable.renderer.meshes import Mesh, mirror_mesh, mirror_points, normalize_vectors
from turntable.renderer.surface_graphs.clustering import cluster_vertices
from turntable.renderer.surface_graphs.collapsing import collapse_edges
from turntable.renderer.surface_graphs.components import leave_out_smallest, select_components
from turntable.renderer.surface_graphs.splitting import split_edges
from turntable.renderer.surface_graphs.welding import Surface, weld_surface

_LEAST_VERTICES = 60
"""Number of vertices that a graph has at least, if the recipe allows so many."""


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceGraph:
    """The surface of an object at rest, as a graph of n vertices."""

    vertices: NDArray[np.float32]
    """[n, 6] place in the object's frame, in diagonals, and unit normal."""
    faces: NDArray[np.int32]
    """[F, 3] corners, counter-clockwise from outside, the least one first, sorted."""
    permutation: NDArray[np.int32]
    """[n] the drawn order: vertex i is vertex ``permutation[i]`` of the order before the draw."""
    part: NDArray[np.uint8]
    """[n] part of each vertex; 0 for an object of one piece."""

    @property
    def edges(self) -> NDArray[np.int32]:
        """The edges [E, 2] of the faces, each in both directions, sorted."""
        return list_edges(self.faces).astype(np.int32)


def make_surface_graph(recipe: Recipe, object_id: str, mesh: Mesh) -> SurfaceGraph:
    """Make the graph of an object as a recipe asks for it.

    The graph of a mirrored twin is the mirror image of its object's, vertex by vertex.

    Args:
        recipe: Recipe with a table [graph].
        object_id: Id of the object in the data set.
        mesh: Mesh of the object.

    Raises:
        MeshError: The mesh has no area.
    """
    assert recipe.graph is not None
    drawn_id = get_drawn_id(recipe, object_id)
    key = make_philox_key(recipe.label_digest, drawn_id, "graph")
    if drawn_id == object_id:
        return make_permuted_graph(mesh, recipe.graph.vertices, key, object_id)
    graph = make_permuted_graph(mirror_mesh(mesh), recipe.graph.vertices, key, object_id)
    faces = sort_faces(graph.faces[:, [0, 2, 1]]).astype(np.int32)
    return replace(graph, vertices=mirror_points(graph.vertices), faces=faces)


def make_permuted_graph(mesh: Mesh, num_vertices: int, key: int, location: str) -> SurfaceGraph:
    """Make the graph of a mesh's surface, with its vertices in an order that a key determines.

    Args:
        mesh: Mesh.
        num_vertices: Largest number of vertices.
        key: Philox key of the order.
        location: Object, for messages.

    Raises:
        MeshError: The mesh has no area.
    """
    surface = simplify_surface(mesh, num_vertices, location)
    permutation = draw_permutation(key, len(surface.vertices))
    vertices = np.column_stack([surface.vertices, compute_vertex_normals(surface)])[permutation]
    return SurfaceGraph(
        vertices.astype(np.float32),
        sort_faces(permute_indices(surface.faces, permutation)).astype(np.int32),
        permutation.astype(np.int32),
        surface.part[permutation].astype(np.uint8),
    )


def simplify_surface(mesh: Mesh, num_vertices: int, location: str) -> Surface:
    """Return the surface of a mesh, simplified to at most some number of vertices.

    Components beyond what the vertices are enough for are left out, the smallest first. The topology of the
    others stays as it is, except where many vertices of sheets that meet leave no other way. A surface with
    few vertices gets more, in the middle of its edges.

    Args:
        mesh: Mesh.
        num_vertices: Largest number of vertices.
        location: Object, for messages.

    Raises:
        MeshError: The mesh has no area.
    """
    surface = weld_surface(mesh)
    if not len(surface.faces):
        raise MeshError(f"{location}: its faces have no area; leave this object out", reason="no area")
    surface = select_components(cluster_vertices(surface), num_vertices)
    surface = leave_out_smallest(collapse_edges(surface, num_vertices), num_vertices)
    surface = collapse_edges(surface, num_vertices, keeps_topology=False)
    return split_edges(surface, min(_LEAST_VERTICES, num_vertices))


def compute_vertex_normals(surface: Surface) -> NDArray[np.float64]:
    """Return the unit normals [n, 3] of vertices: the mean of their faces' normals, weighted by area."""
    a, b, c = (surface.vertices[surface.faces[:, corner]] for corner in range(3))
    weighted = np.cross(b - a, c - a)
    sums = np.zeros_like(surface.vertices)
    for corner in range(3):
        np.add.at(sums, surface.faces[:, corner], weighted)
    return normalize_vectors(sums)
