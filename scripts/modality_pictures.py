"""Make the pictures of docs/modalities.md that show views side by side: flow, motion, tracks, cameras, twins.

python scripts/modality_pictures.py docs/images
"""

import sys
from colorsys import hsv_to_rgb
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from turntable.datasets import Recipe, load_recipe
from turntable.renderer import open_backend, open_recipe_source, render_views
from turntable.renderer.backends import Backend
from turntable.renderer.meshes.sources import load_mesh, with_twins
from turntable.renderer.scene import Camera
from turntable.renderer.tracks import compute_track_arrays
from turntable.renderer.views import RenderedViews, pose_views
from turntable.service.output_colors import color_output

SIZE_PX = 160
TURNING: dict[str, Any] = {"length": 6, "motion": "constant", "speed_rad": {"low": 0.25, "high": 0.3}}
"""Sequences that turn, so that there is flow."""
SCREW: dict[str, Any] = {"length": 20, "motion": "screw", "speed_rad": {"low": 0.1, "high": 0.15}}
STILL: dict[str, Any] = {"length": 20, "motion": "still"}
SMOOTH = 3
"""Number of pixels, along each axis, of which lines are drawn for one of the picture."""
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


def draw(backend: Backend, recipe: Recipe, object_id: str, views: range, **changes: Any) -> RenderedViews:
    """Render views of an object of a recipe with some keys changed."""
    recipe = recipe.replace(image_size_px=SIZE_PX, **changes)
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


def show_tracks(backend: Backend) -> Rows:
    """Draw tracks over a last frame: of particles, a moving object, joints, and parts that move."""
    shown = {
        "charged": ("charged-5/000002", {}),
        "keypoints": ("mug/000000", {"views": 20, "sequence": SCREW}),
        "articulated": ("excavator/000001", {"views": 20, "sequence": STILL}),
        "scenes": ("scene/000000", {"views": 20, "sequence": STILL, "dynamics": {"law": "twist"}}),
    }
    return [
        [
            draw_tracks(backend, load_recipe(name).replace(outputs=["rgb"], tracks={}, **changes), object_id)
            for name, (object_id, changes) in shown.items()
        ]
    ]


def draw_tracks(backend: Backend, recipe: Recipe, object_id: str) -> NDArray[np.uint8]:
    """Draw the tracks of an object over the last view of its first sequence, in a color for each part."""
    assert recipe.sequence is not None
    source = open_recipe_source(recipe, None, 12, num_base_objects=60 if recipe.scene else None)
    mesh = load_mesh(source, object_id)
    posed = pose_views(recipe, object_id, mesh, range(recipe.views))
    pose = posed.scenes.object_to_world
    arrays = compute_track_arrays(recipe, object_id, mesh, posed.labels, pose, posed.parts)
    places = arrays["tracks"][: recipe.sequence.length].astype(np.float64)
    last = render_views(
        backend, recipe.replace(image_size_px=SIZE_PX), object_id, mesh, [recipe.sequence.length - 1]
    )
    page = Image.fromarray(last.rgb[0]).resize((SMOOTH * SIZE_PX, SMOOTH * SIZE_PX), Image.Resampling.BICUBIC)
    pixels = Camera().project(places, SMOOTH * SIZE_PX)
    pen = ImageDraw.Draw(page)
    for agent, part in enumerate(arrays["track_part"].tolist()):
        red, green, blue = hsv_to_rgb(part * 0.618 % 1, 0.7, 1.0)
        color = (int(255 * red), int(255 * green), int(255 * blue))
        pen.line([(float(x), float(y)) for x, y in pixels[:, agent]], fill=color, width=SMOOTH)
        x, y = pixels[-1, agent].tolist()
        pen.ellipse((x - 2 * SMOOTH, y - 2 * SMOOTH, x + 2 * SMOOTH, y + 2 * SMOOTH), fill=color)
    return np.asarray(page.resize((SIZE_PX, SIZE_PX), Image.Resampling.LANCZOS))


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


def main(folder: Path) -> None:
    """Write the pictures."""
    pages = {
        "flow": show_flow,
        "motion": show_motion,
        "tracks": show_tracks,
        "cameras": show_cameras,
        "twins": show_twins,
    }
    with open_backend("moderngl") as backend:
        for name, make in pages.items():
            page = np.concatenate([np.concatenate(row, axis=1) for row in make(backend)])
            Image.fromarray(page).save(folder / f"{name}.jpg", quality=90)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
