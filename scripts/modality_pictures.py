"""Make the pictures of the docs that show views side by side, such as flow, motion and warps.

python scripts/modality_pictures.py docs/images
"""

import sys
from colorsys import hsv_to_rgb
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from cloud_pictures import show_clouds
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scan_pictures import show_scans

from turntable.datasets import Recipe, draw_factors, load_recipe
from turntable.loaders import (
    AUGMENTATIONS,
    Augmentation,
    BatchConfig,
    Flow2d,
    FlowMotion,
    GridCrops,
    Loader,
    RandomCrops,
    Singles,
    list_velocities,
)
from turntable.loaders.augment import augment_batch
from turntable.loaders.fields import is_image_field
from turntable.renderer import generate, open_backend, open_recipe_source, render_views
from turntable.renderer.backends import Backend
from turntable.renderer.meshes.sources import load_mesh, with_twins
from turntable.renderer.scene import Camera, scenes_from_labels
from turntable.renderer.surface_graphs import make_surface_graph
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


def show_shared_poses(backend: Backend) -> Rows:
    """Draw two mugs and two chairs, each in the same eight rotations of a pose bank."""
    recipe = load_recipe("shared-poses")
    column, rows = recipe.schema.get_column("pose_index"), []
    for name in ("mug/000001", "mug/000004", "chair/000000", "chair/000003"):
        seen = draw(backend, recipe, name, range(recipe.views))
        order = np.argsort(draw_factors(recipe, name, range(recipe.views))[:, column])
        rows.append([seen.rgb[view] for view in order[:8]])
    return rows


def make_cut_outs(folder: Path) -> Path:
    """Render a small data set with masks, which the loaders below read."""
    recipe = load_recipe("zoo").replace(
        views=2, image_size_px=SIZE_PX, outputs=["rgb", "mask"], val_fraction=0.0
    )
    generate(recipe, open_recipe_source(recipe, None, 16), folder, backend="moderngl")
    return folder


def load_batch(folder: Path, **settings: Any) -> dict[str, NDArray[np.uint8]]:
    """Load a batch of single views, with pictures that are augmented, as arrays [..., H, W, 3]."""
    config = BatchConfig(sampler=Singles(), batch_size=6, fields=(), seed=2, **settings)
    batch = next(iter(Loader(folder, config)))
    if config.augmentation is not None:
        batch = augment_batch(batch, config.augmentation.affine_fill)
    return {name: values.movedim(-3, -1).numpy() for name, values in batch.items() if is_image_field(name)}


def show_warps(folder: Path) -> Rows:
    """Draw views, affine maps of them, circular shifts of them, and crops of the first."""
    plain = load_batch(folder)
    warped = load_batch(folder, augmentation=AUGMENTATIONS["affine"])
    shifted = load_batch(folder, augmentation=Augmentation(circular_shift_px=60))
    rules = (RandomCrops(2, SIZE_PX), GridCrops(3, SIZE_PX, jitter_px=40, area_px=2 * SIZE_PX))
    crops = load_batch(folder, crops=rules)
    first = [plain["view"][0], *crops["crops_0"][0], *crops["crops_1"][0]]
    return [list(plain["view"]), list(warped["view"]), list(shifted["view"]), first]


def show_torus(folder: Path) -> Rows:
    """Draw every second frame of two samples of two objects each."""
    motion = FlowMotion(num_frames=11, objects=2, velocities=list_velocities(16, 8), background=(25, 30, 45))
    batch = next(iter(Flow2d(folder, BatchConfig(batch_size=2, seed=5), motion)))
    edges = ((0, 2), (0, 2), (0, 0))
    return [
        [np.pad(frame, edges, constant_values=255) for frame in frames[::2].movedim(-3, -1).numpy()]
        for frames in batch["frames"]
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
        "shared-poses": show_shared_poses,
        "scans": show_scans,
        "tracks": show_tracks,
        "graphs": show_graphs,
    }
    with open_backend("moderngl") as backend:
        for name, make in pages.items():
            save(make(backend), folder / f"{name}.jpg")
    save(show_clouds(SIZE_PX), folder / "clouds.jpg")
    with TemporaryDirectory() as work:
        cut_outs = make_cut_outs(Path(work) / "cut-outs")
        save(show_warps(cut_outs), folder / "warps.jpg")
        save(show_torus(cut_outs), folder / "torus.jpg")


def save(rows: Rows, path: Path) -> None:
    """Write rows of pictures as one."""
    page = np.concatenate([np.concatenate(row, axis=1) for row in rows])
    Image.fromarray(page).save(path, quality=90)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
