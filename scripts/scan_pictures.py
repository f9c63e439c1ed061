"""Draw a street as the camera sees it, and its scan from above, for docs/modalities.md."""

import colorsys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from turntable.datasets import load_recipe
from turntable.renderer import open_recipe_source, render_views
from turntable.renderer.backends import Backend
from turntable.renderer.meshes.sources import load_mesh
from turntable.renderer.scanning import ScannedViews

SCAN_PX, SCAN_REACH_M = 480, 30.0


def show_scans(backend: Backend) -> list[list[NDArray[np.uint8]]]:
    """Draw a street from above: its picture, and its scan with boxes and the flow to the next frame."""
    recipe, name = load_recipe("street").replace(views=2, image_size_px=SCAN_PX), "street/000005"
    mesh = load_mesh(open_recipe_source(recipe, None), name)
    seen = render_views(backend, recipe.replace(outputs=["rgb", "scan"]), name, mesh, range(2))
    assert seen.parts is not None
    scanned = ScannedViews(recipe, name, mesh, seen.parts.part_pose)
    scan = scanned.build_scanner().scan_view(0)
    return [[seen.rgb[0], draw_scan(scan, scanned.compute_boxes()[0])]]


def draw_scan(scan: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw a scan from above, the sensor in the middle and its x axis up."""
    page = Image.new("RGB", (SCAN_PX, SCAN_PX), (18, 20, 26))
    pen, half = ImageDraw.Draw(page), SCAN_PX / 2

    def place(points: NDArray[Any]) -> list[tuple[float, float]]:
        scaled = points * (half / SCAN_REACH_M)
        return [(half - y, half - x) for x, y in scaled[:, :2].tolist()]

    moved = scan[scan[:, 4] >= 0][::12]
    ends = place(moved[:, :2] + 3 * moved[:, 5:7])
    for start, end, row in zip(place(moved), ends, moved.tolist(), strict=True):
        pen.line((start, end), fill=_color_instance(int(row[4])))
    for (x, y), row in zip(place(scan), scan.tolist(), strict=True):
        pen.ellipse((x - 0.7, y - 0.7, x + 0.7, y + 0.7), fill=_color_instance(int(row[4])))
    for x, y, _, length, width, _, yaw in boxes.tolist():
        ahead = np.array([np.cos(yaw), np.sin(yaw)]) * length / 2
        left = np.array([-np.sin(yaw), np.cos(yaw)]) * width / 2
        center = np.array([x, y])
        corners = center + np.array([ahead + left, ahead - left, -ahead - left, -ahead + left])
        pen.polygon(place(corners), outline=(255, 90, 60))
    return np.asarray(page)


def _color_instance(instance: int) -> tuple[int, int, int]:
    if instance < 0:
        return (90, 95, 105) if instance == -1 else (200, 180, 120)
    red, green, blue = colorsys.hsv_to_rgb(0.61803398875 * instance % 1, 0.6, 1.0)
    return int(255 * red), int(255 * green), int(255 * blue)
