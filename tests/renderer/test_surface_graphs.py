"""Graphs of surfaces: few vertices of the surface itself, with its topology, in a recorded order."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import trimesh

from tests.support.meshes import sphere
from turntable.datasets import load_recipe
from turntable.errors import MeshError
from turntable.graphs import list_edges
from turntable.renderer import open_recipe_source, open_source
from turntable.renderer.meshes import compute_center, join_meshes, with_flat_normals
from turntable.renderer.meshes.sources import with_twins
from turntable.renderer.surface_graphs import make_permuted_graph, make_surface_graph, weld_surface
from turntable.renderer.surface_graphs.clustering import MAX_VERTICES, cluster_vertices
from turntable.renderer.surface_graphs.collapsing import collapse_edges
from turntable.renderer.surface_graphs.components import find_components, select_components
from turntable.renderer.surface_graphs.splitting import split_edges
from turntable.renderer.surface_graphs.welding import Surface
from turntable.testing.backends import make_box

RECIPE = load_recipe("graphs")
ZOO = open_source("zoo", None, 31)
NAMES = ("mug/000000", "chair/000000", "bookshelf/000000")


def make_torus(rings=24, columns=12):
    torus = trimesh.creation.torus(0.4, 0.1, major_sections=rings, minor_sections=columns)
    return Surface(np.array(torus.vertices), np.array(torus.faces), np.zeros(len(torus.vertices), int))


def make_sheet(side=12):
    """A flat square of triangles, whose border is open."""
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, side), np.linspace(-0.5, 0.5, side), indexing="ij")
    corner = np.arange(side * side).reshape(side, side)
    a, b, c, d = (
        block.ravel() for block in (corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:])
    )
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return Surface(np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], 1), faces, np.zeros(side * side, int))


def characterize(surface):
    """Euler's characteristic, the number of components, and how many faces edges have."""
    edges = np.sort(surface.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    counts = Counter(map(tuple, edges.tolist()))
    num_vertices = len(np.unique(surface.faces))
    components = len(np.unique(find_components(surface)))
    return num_vertices - len(counts) + len(surface.faces), components, set(counts.values())


def to_trimesh(surface):
    return trimesh.Trimesh(surface.vertices, surface.faces, process=False)


@pytest.mark.parametrize("name", ["mug/000000", "dog/000000"])
def test_fewer_vertices_are_vertices_of_the_surface_with_its_topology(name):
    surface = weld_surface(ZOO.load(name))
    few = collapse_edges(surface, 200)
    assert len(few.vertices) == 200
    assert characterize(few) == characterize(surface)
    assert characterize(surface)[2] == {2}  # closed: each edge has two faces
    known = set(map(tuple, surface.vertices.tolist()))
    assert set(map(tuple, few.vertices.tolist())) <= known
    corners = np.sort(few.faces, axis=1)
    assert (np.diff(corners, axis=1) > 0).all()
    assert len(np.unique(corners, axis=0)) == len(corners)


def test_a_torus_stays_a_torus_and_a_tetrahedron_is_the_least_sphere():
    torus = make_torus()
    for count in (100, 30, 4):
        few = collapse_edges(torus, count)
        assert characterize(few) == (0, 1, {2})
        assert len(few.vertices) <= max(count, 16)
    ball = weld_surface(sphere(12, 24))
    least = collapse_edges(ball, 1)
    assert (len(least.vertices), len(least.faces), characterize(least)) == (4, 4, (2, 1, {2}))


def test_a_flat_sheet_keeps_its_border():
    few = collapse_edges(make_sheet(), 4)
    assert sorted(few.vertices[:, :2].tolist()) == [[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]]
    assert characterize(few) == (1, 1, {1, 2})
    assert to_trimesh(few).area == pytest.approx(1)


def test_the_graph_is_near_the_surface():
    """Measured by trimesh: each of points over the whole surface has a face of the graph near it."""
    surface = weld_surface(ZOO.load("mug/000000"))
    few = to_trimesh(collapse_edges(surface, 200))
    points, _ = trimesh.sample.sample_surface(to_trimesh(surface), 300, seed=0)
    _, distance, _ = trimesh.proximity.closest_point_naive(few, points)
    assert np.median(distance) < 0.004
    assert distance.max() < 0.03
    assert few.is_watertight
    assert few.volume == pytest.approx(to_trimesh(surface).volume, rel=0.1)


def test_faces_keep_the_side_of_their_normals():
    mesh = sphere(16, 32)
    inside_out = mesh.triangles[:, ::-1]  # the normals of the file say what is outside
    graph = make_permuted_graph(replace(mesh, triangles=np.ascontiguousarray(inside_out)), 60, 0, "ball")
    assert (graph.vertices[:, :3] * graph.vertices[:, 3:]).sum(axis=1).min() > 0.3
    assert trimesh.Trimesh(graph.vertices[:, :3], graph.faces, process=False).volume > 0.3


def test_equal_places_become_one_vertex_and_equal_faces_one_face():
    box = make_box((0.2, 0.3, 0.4))
    surface = weld_surface(join_meshes([box, box]))
    assert surface.vertices.shape == (8, 3)
    assert len(surface.faces) == 12
    assert characterize(surface) == (2, 1, {2})
    hidden = make_box((0.1, 0.1, 0.1), (0.3, 0, 0), alpha=0.0)
    assert len(weld_surface(join_meshes([box, hidden])).vertices) == 8


def test_places_that_rounding_parts_are_one():
    """The seam of this ball lies at the angles 0 and 2 pi, whose sines differ in their last bits."""
    assert characterize(weld_surface(sphere(12, 24))) == (2, 1, {2})
    box, random = make_box((0.2, 0.3, 0.4)), np.random.default_rng(0)
    for seed in range(20):
        moved = with_flat_normals(box)
        noise = random.uniform(-1e-8, 1e-8, moved.positions.shape)
        shaken = replace(moved, positions=(moved.positions + noise + seed / 7).astype(np.float32))
        assert characterize(weld_surface(shaken)) == (2, 1, {2})


def test_few_vertices_are_divided_on_the_same_surface():
    box = weld_surface(make_box((0.2, 0.3, 0.4)))
    more = split_edges(box, 60)
    assert len(more.vertices) == 60
    assert characterize(more) == (2, 1, {2})
    assert to_trimesh(more).area == pytest.approx(to_trimesh(box).area)
    assert to_trimesh(more).volume == pytest.approx(0.2 * 0.3 * 0.4)
    half = np.array([0.1, 0.15, 0.2])
    assert np.allclose((np.abs(more.vertices) / half).max(axis=1), 1)
    graph = make_permuted_graph(make_box((0.2, 0.3, 0.4)), 200, 0, "box")
    assert len(graph.vertices) == 60
    assert len(make_permuted_graph(make_box((0.2, 0.3, 0.4)), 10, 0, "box").vertices) == 10


def test_components_beyond_the_vertices_are_left_out_the_smallest_first():
    sizes = np.linspace(0.05, 0.2, 30)
    boxes = join_meshes([make_box((s, s, s), (i * 0.3, 0, 0)) for i, s in enumerate(sizes)])
    surface = weld_surface(boxes)
    assert characterize(surface)[1] == 30
    kept = select_components(surface, 100)
    assert len(kept.vertices) == 96  # twelve boxes
    width = np.ptp(kept.vertices[:, 0].reshape(12, 8), axis=1)
    assert np.allclose(sorted(width), sizes[-12:])
    assert len(select_components(surface, 3).vertices) == 8  # the largest stays
    graph = make_permuted_graph(boxes, 100, 0, "boxes")
    assert len(graph.vertices) == 96


def test_sheets_that_meet_are_simplified_too():
    """Three sheets share an edge, which no collapse that keeps the topology may touch."""
    sheet = make_sheet(9)
    turns = [np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]]) for a in (0, 2, 4)]
    vertices = np.concatenate([(sheet.vertices + np.array([0.5, 0, 0])) @ turn.T for turn in turns])
    faces = np.concatenate([sheet.faces + 81 * number for number in range(3)])
    merged, number = np.unique(vertices.round(9), axis=0, return_inverse=True)
    book = Surface(merged, number.reshape(-1)[faces], np.zeros(len(merged), int))
    assert 3 in characterize(book)[2]
    assert len(collapse_edges(book, 8).vertices) > 8
    assert len(collapse_edges(book, 8, keeps_topology=False).vertices) == 8
    assert len(collapse_edges(book, 60).vertices) == 60


def test_a_large_surface_is_clustered_first():
    rings = 80
    surface = weld_surface(sphere(rings, 2 * rings))
    assert len(surface.vertices) > MAX_VERTICES
    few = cluster_vertices(surface)
    assert 1000 < len(few.vertices) < len(surface.vertices)
    assert set(map(tuple, few.vertices.tolist())) <= set(map(tuple, surface.vertices.tolist()))
    assert to_trimesh(few).area == pytest.approx(to_trimesh(surface).area, rel=0.02)
    assert cluster_vertices(few) is few or len(few.vertices) > MAX_VERTICES


@pytest.mark.parametrize("name", NAMES)
def test_the_recorded_permutation_gives_the_graph_before_it(name):
    mesh = ZOO.load(name)
    graph = make_surface_graph(RECIPE, name, mesh)
    other = make_permuted_graph(mesh, RECIPE.graph.vertices, 12345, name)
    assert not np.array_equal(graph.permutation, other.permutation)
    undone = [_undo(item) for item in (graph, other)]
    for one, two in zip(*undone, strict=True):
        assert np.array_equal(one, two)
    degrees = [np.bincount(item.edges[:, 0]) for item in (graph, other)]
    assert sorted(degrees[0]) == sorted(degrees[1])
    assert np.array_equal(
        degrees[0][np.argsort(graph.permutation)], degrees[1][np.argsort(other.permutation)]
    )
    spectra = [np.linalg.eigvalsh(_make_matrix(item)) for item in (graph, other)]
    assert np.allclose(*spectra, atol=1e-8)


def _undo(graph):
    """Vertices, edges and faces in the order before the draw."""
    vertices = np.empty_like(graph.vertices)
    vertices[graph.permutation] = graph.vertices
    edges = np.array(sorted(map(tuple, graph.permutation[graph.edges].tolist())))
    faces = np.array(sorted(sorted(face) for face in graph.permutation[graph.faces].tolist()))
    return vertices, edges, faces


def _make_matrix(graph):
    matrix = np.zeros((len(graph.vertices),) * 2)
    matrix[graph.edges[:, 0], graph.edges[:, 1]] = 1
    return matrix


@pytest.mark.parametrize("name", NAMES)
def test_what_a_graph_promises(name):
    mesh = ZOO.load(name)
    graph = make_surface_graph(RECIPE, name, mesh)
    assert 60 <= len(graph.vertices) <= 200
    assert np.array_equal(graph.edges, list_edges(graph.faces))
    assert (graph.edges[:, 0] != graph.edges[:, 1]).all()
    assert {(b, a) for a, b in graph.edges.tolist()} == set(map(tuple, graph.edges.tolist()))
    assert np.allclose(np.linalg.norm(graph.vertices[:, 3:], axis=1), 1, atol=1e-6)
    own = (mesh.positions.astype(np.float64) - compute_center(mesh)).astype(np.float32)
    assert set(map(tuple, graph.vertices[:, :3].tolist())) <= set(map(tuple, own.tolist()))
    again = make_surface_graph(RECIPE, name, mesh)
    for field in ("vertices", "faces", "permutation", "part"):
        assert getattr(graph, field).tobytes() == getattr(again, field).tobytes()
    seeded = make_surface_graph(RECIPE.replace(seed=1), name, mesh)
    assert not np.array_equal(seeded.permutation, graph.permutation)


def test_a_twin_has_the_mirror_image():
    source = with_twins(ZOO, mirrored=True)
    recipe = RECIPE.replace(mirrored=True)
    own, twin = (
        make_surface_graph(recipe, name, source.load(name)) for name in ("mug/000000", "mug/000000~mirrored")
    )
    assert np.array_equal(twin.vertices, own.vertices * np.float32([-1, 1, 1, -1, 1, 1]))
    assert np.array_equal(twin.edges, own.edges)
    assert np.array_equal(twin.permutation, own.permutation)
    volumes = [
        trimesh.Trimesh(item.vertices[:, :3], item.faces, process=False).volume for item in (own, twin)
    ]
    assert volumes[0] == pytest.approx(volumes[1], rel=1e-6)  # with the outside outside


def test_every_part_of_an_assembly_has_vertices_of_its_own():
    recipe = load_recipe("articulated").replace(graph={"vertices": 120})
    mesh = open_recipe_source(recipe, None, 12).load("excavator/000000")
    graph = make_surface_graph(recipe, "excavator/000000", mesh)
    assert set(graph.part.tolist()) == set(range(len(mesh.parts)))
    assert (graph.part[graph.edges[:, 0]] == graph.part[graph.edges[:, 1]]).all()
    for part in range(len(mesh.parts)):
        own = mesh.positions[mesh.triangles[mesh.part_index == part].ravel()]
        found = graph.vertices[graph.part == part, :3]
        assert set(map(tuple, found.tolist())) <= set(map(tuple, own.tolist()))


def test_a_mesh_without_area_is_left_out_by_name():
    with pytest.raises(MeshError, match="glass/1: its faces have no area; leave this object out"):
        make_permuted_graph(make_box(alpha=0.0), 200, 0, "glass/1")
