"""Tests that a scene written in any dialect of OBJ and MTL is read as the same scene."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from tests.support.obj_dialects import WHITE, Polygon, dialects, scenes, write_scene
from turntable.renderer.meshes.formats import load_obj

TO_OBJ = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])
"""Matrix that turns a row of the renderer's axes, z up, to those of the file, y up."""


def find_corner(polygon: Polygon, position: np.ndarray) -> int:
    """Return the corner of the polygon at a position."""
    distance = np.abs(polygon.points - position).max(axis=1)
    assert distance.min() < 1e-4
    return int(np.argmin(distance))


def find_polygon(scene, positions: np.ndarray) -> Polygon:
    """Return the polygon that has these three corners."""
    gaps = [np.abs(p.points[:, None] - positions).max(axis=2).min(axis=0).max() for p in scene.polygons]
    return scene.polygons[int(np.argmin(gaps))]


def check(scene, how, mesh) -> None:
    center = 0.0
    positions = mesh.positions.astype(np.float64) @ TO_OBJ
    every = np.concatenate([polygon.points for polygon in scene.polygons])
    if np.abs(every).max() > 1e5:  # far from the origin, a mesh is centered
        center = (every.min(axis=0) + every.max(axis=0)) / 2 - (
            positions.min(axis=0) + positions.max(axis=0)
        ) / 2
    positions = positions + center
    areas = {id(polygon): 0.0 for polygon in scene.polygons}
    for triangle, index in zip(mesh.triangles, mesh.material_index, strict=True):
        corners = positions[triangle]
        polygon, material = find_polygon(scene, corners), mesh.materials[index]
        paint = scene.paints[polygon.material]
        assert material.name == paint.name
        areas[id(polygon)] += np.linalg.norm(np.cross(corners[1] - corners[0], corners[2] - corners[0])) / 2
        for vertex, position in zip(triangle, corners, strict=True):
            corner = find_corner(polygon, position)
            if how["texcoords"]:
                expected = polygon.texcoords[corner] * paint.scale + paint.offset
                np.testing.assert_allclose(mesh.texcoords[vertex], expected, atol=1e-5)
            np.testing.assert_allclose(abs(mesh.normals[vertex] @ TO_OBJ @ polygon.normal), 1, atol=1e-4)
            shown = how["colors"] and not paint.texture and paint.color == WHITE
            if shown:
                assert mesh.has_encoded_colors
                np.testing.assert_allclose(mesh.colors[vertex, :3], polygon.colors[corner], atol=1e-5)
            elif mesh.colors is not None:
                assert (mesh.colors[vertex] == 1).all()
    for polygon in scene.polygons:
        assert areas[id(polygon)] == pytest.approx(polygon.area, rel=1e-4)
    assert mesh.has_normals == how["normals"]


def check_materials(scene, mesh) -> None:
    read = {material.name: material for material in mesh.materials}
    for paint in {scene.paints[polygon.material] for polygon in scene.polygons}:
        material = read[paint.name]
        assert material.base_color == pytest.approx(paint.color)
        assert material.emission == pytest.approx(paint.emission)
        assert (material.alpha, material.specular) == (pytest.approx(paint.opacity), 0)
        assert (material.texture is not None) == bool(paint.texture)
        if paint.texture:
            base, gain = paint.range
            expected = np.clip(base + gain * scene.pixels[paint.texture] / 255.0, 0, 1)
            np.testing.assert_allclose(material.texture.pixels / 255.0, expected, atol=0.5 / 255 + 1e-9)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(scenes(), dialects())
def test_a_scene_is_the_same_in_every_dialect(scene, how):
    with tempfile.TemporaryDirectory() as folder:
        write_scene(Path(folder), scene, how)
        mesh = load_obj(Path(folder) / "mesh.obj")
    check(scene, how, mesh)
    check_materials(scene, mesh)
    # What can be honoured is honoured without a word.
    assert {warning.kind for warning in mesh.warnings} <= {"color-approximated"}
    hidden = how["colors"] and any(
        scene.paints[polygon.material].texture or scene.paints[polygon.material].color != WHITE
        for polygon in scene.polygons
    )
    assert bool(mesh.warnings) <= bool(hidden)
