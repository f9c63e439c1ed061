"""Make the pictures of docs/modalities.md that show views side by side: flow, motion, cameras, twins, graphs.

python scripts/modality_pictures.py docs/images
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from turntable.datasets import Recipe, load_recipe
from turntable.renderer import open_backend, open_recipe_source, render_views
from turntable.renderer.backends import Backend
from turntable.renderer.meshes.sources import load_mesh, with_twins
from turntable.renderer.scene import scenes_from_labels
from turntable.renderer.surface_graphs import make_surface_graph
from turntable.renderer.views import RenderedViews
from turntable.service.output_colors import color_output

SIZE_PX = 160
TURNING: dict[str, Any] = {"length": 6, "motion": "constant", "speed_rad": {"low": 0.25, "high": 0.3}}
"""Sequences that turn, so that there is flow."""
ZOOM = 2.0
"""Size of the pictures of graphs' objects, of which the middle is shown, to that of the others."""
FIXED = {
    "rotation_x_rad": 0.3,
    "rotation_y_rad": -0.2,
    "rotation_z_rad": 0.5,
    "floor_hue": 0.55,
    "light_theta_rad": 0.4,
    "light_phi_rad": 1.0,
    "light_hue": 0.1,
}
"""Factors of views that differ in the lens alone."""

Rows = list[list[NDArray[np.uint8]]]


def draw(
    backend: Backend, recipe: Recipe, object_id: str, views: range, size_px: int = SIZE_PX, **changes: Any
) -> RenderedViews:
    """Render views of an object of a recipe with some keys changed."""
    recipe = recipe.replace(image_size_px=size_px, **changes)
    source = with_twins(open_recipe_source(recipe, None), mirrored=recipe.mirrored)
    return render_views(backend, recipe, object_id, load_mesh(source, object_id), views)


def show_flow(backend: Backend) -> Rows:
    """Draw pictures, parts and flow of an excavator whose joints move."""
    outputs = ["rgb", "parts", "flow"]
    recipe, at = load_recipe("articulated").replace(views=6, sequence=TURNING), "excavator/000001"
    views = draw(backend, recipe, at, range(6), outputs=outputs, seed=5)
    colored = [[color_output(name, item) for item in views.extras[name]] for name in ("parts", "flow")]
    return [list(views.rgb), *colored]


def show_motion(backend: Backend) -> Rows:
    """Draw every fourth frame of charged particles, and of others that springs join."""
    return [
        list(draw(backend, load_recipe(law), f"{law}-5/000002", range(0, 20, 4)).rgb)
        for law in ("charged", "springs")
    ]


def show_cameras(backend: Backend) -> Rows:
    """Draw one pose as a level camera sees it, a rolled one, and two with a shifted principal point."""
    plain = load_recipe("zoo").replace(views=1)
    lenses: list[dict[str, float]] = [
        {},
        {"camera_roll_rad": 0.6},
        {"principal_point_dx_px": 40},
        {"principal_point_dx_px": -30, "principal_point_dy_px": 40},
    ]
    rows = []
    for lens in lenses:
        factors = {name: {"value": value} for name, value in {**FIXED, **lens}.items()}
        seen = draw(backend, plain, "bicycle/000003", range(1), factors=factors)
        rows.append(seen.rgb[0])
    return [rows]


def show_twins(backend: Backend) -> Rows:
    """Draw three objects above their mirrored twins, under the same labels."""
    recipe, ids = load_recipe("zoo"), ("guitar/000001", "bicycle/000002", "mug/000004", "piano/000000")
    return [
        [draw(backend, recipe, name + suffix, range(1), mirrored=True).rgb[0] for name in ids]
        for suffix in ("", "~mirrored")
    ]


def show_graphs(backend: Backend) -> Rows:
    """Draw objects above the graphs of their surfaces, as the same camera sees them."""
    recipe, ids = load_recipe("graphs"), ("mug/000004", "guitar/000001", "dog/000002", "bicycle/000002")
    factors = {name: {"value": value} for name, value in FIXED.items()}
    keys: dict[str, Any] = {"rotation": None, "factors": factors, "outputs": ["rgb"]}
    recipe = recipe.replace(**keys)
    size = int(ZOOM * SIZE_PX)
    seen = [draw(backend, recipe, name, range(1), size) for name in ids]
    return [
        [crop_middle(views.rgb[0]) for views in seen],
        [draw_graph(recipe, name) for name in ids],
    ]


def draw_graph(recipe: Recipe, object_id: str) -> NDArray[np.uint8]:
    """Draw the edges of an object's graph as its first view sees them, the near ones darker."""
    names = tuple(FIXED)
    scene = scenes_from_labels(names, np.array([[FIXED[name] for name in names]], np.float32))
    graph = make_surface_graph(recipe, object_id, load_mesh(open_recipe_source(recipe, None), object_id))
    matrix = (scene.world_to_camera @ scene.object_to_world).reshape(-1, 4, 4)[0]
    places = graph.vertices[:, :3] @ matrix[:3, :3].T + matrix[:3, 3]
    side = 4 * int(ZOOM * SIZE_PX)
    scaled = places @ scene.compute_intrinsics(side)[0].T
    pixels, depth = scaled[:, :2] / scaled[:, 2:], places[:, 2]
    page = Image.new("RGB", (side, side), "white")
    pen = ImageDraw.Draw(page)
    edges = graph.edges[graph.edges[:, 0] < graph.edges[:, 1]]
    far = (depth - depth.min()) / np.ptp(depth)
    for start, end in edges[np.argsort(-depth[edges].mean(axis=1))].tolist():
        shade = int(30 + 190 * (far[start] + far[end]) / 2)
        pen.line([*pixels[start], *pixels[end]], fill=(shade, shade, min(255, shade + 40)), width=4)
    return crop_middle(np.asarray(page.resize((side // 4, side // 4), Image.Resampling.LANCZOS)))


def crop_middle(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the middle of a square picture, SIZE_PX wide."""
    start = (len(image) - SIZE_PX) // 2
    return image[start : start + SIZE_PX, start : start + SIZE_PX]


def main(folder: Path) -> None:
    """Write the pictures."""
    pages = {
        "flow": show_flow,
        "motion": show_motion,
        "cameras": show_cameras,
        "twins": show_twins,
        "graphs": show_graphs,
    }
    with open_backend("moderngl") as backend:
        for name, make in pages.items():
            page = np.concatenate([np.concatenate(row, axis=1) for row in make(backend)])
            Image.fromarray(page).save(folder / f"{name}.jpg", quality=90)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
