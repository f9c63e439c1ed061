"""Fidelity to Blender Cycles on zoo objects: PSNR by quality, and a sheet of pictures.

    python benchmarks/cycles_comparison.py --out docs/images/cycles-side-by-side.jpg
    python benchmarks/cycles_comparison.py --bpy-python PATH --views 4

Cycles draws the scene of the original generator, in Blender 4.2 with the lamps of Blender 3.x put back (see
`others/cycles_scene.py`). Its materials are today's: what they changed counts as our error here.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from other_renderers.cycles import bpy_python, render_with_cycles
from PIL import Image, ImageDraw, ImageFont

from turntable.datasets import draw_factors, load_recipe
from turntable.renderer import open_backend, open_source
from turntable.renderer.backends import get_quality
from turntable.renderer.scene import scenes_from_labels

IDS = ("teapot/000002", "car/000001", "chair/000004", "guitar/000000", "sailboat/000001", "sofa/000002")
SIZE = 256
ACROSS = 2
"""Objects in a row of the sheet."""
GAIN = 8
CAPTION_PX = 20

Pictures = NDArray[np.uint8]


def psnr(a: NDArray[np.generic], b: NDArray[np.generic]) -> float:
    """Return the PSNR of 8-bit pictures, in decibels."""
    return float(10 * np.log10(255**2 / np.mean((a.astype(np.float64) - b) ** 2)))


def draw_cycles(python: Path, ids: list[str], views: int, threads: int) -> Pictures:
    """Render with Cycles: pictures [objects, views, S, S, 3]."""
    recipe, source = load_recipe("3diebench"), open_source("zoo", None)
    scenes = [scenes_from_labels(recipe.schema.names, draw_factors(recipe, i, range(views))) for i in ids]
    with tempfile.TemporaryDirectory() as folder:
        paths = [[Path(folder) / f"{n}-{view}.png" for view in range(views)] for n in range(len(ids))]
        meshes = [source.load(object_id) for object_id in ids]
        render_with_cycles(python, Path(folder), meshes, scenes, paths, SIZE, threads)
        return np.stack([[np.asarray(Image.open(path).convert("RGB")) for path in row] for row in paths])


def draw_turntable(ids: list[str], views: int, name: str) -> tuple[Pictures, NDArray[np.bool_]]:
    """Render with turntable: pictures as above, and the masks of the objects."""
    recipe, source = load_recipe("3diebench"), open_source("zoo", None)
    with open_backend() as backend:
        drawn = [
            backend.render(
                source.load(object_id),
                scenes_from_labels(recipe.schema.names, draw_factors(recipe, object_id, range(views))),
                SIZE,
                get_quality(name),
                ("rgb", "mask"),
            )
            for object_id in ids
        ]
    masks = [pixels.mask for pixels in drawn if pixels.mask is not None]
    return np.stack([pixels.rgb for pixels in drawn]), np.stack(masks) > 0


def sheet(theirs: Pictures, ours: Pictures) -> Image.Image:
    """Draw a sheet of Cycles, turntable and their difference for each object [objects, S, S, 3]."""
    rows = -(-len(theirs) // ACROSS)
    page = Image.new("RGB", (ACROSS * 3 * SIZE, rows * (SIZE + CAPTION_PX)), "white")
    write, font = ImageDraw.Draw(page), ImageFont.load_default(size=14)
    for number, (a, b) in enumerate(zip(theirs, ours, strict=True)):
        x, y = number % ACROSS * 3 * SIZE, number // ACROSS * (SIZE + CAPTION_PX)
        apart = np.clip(128 + GAIN * (b.astype(np.float64) - a), 0, 255).astype(np.uint8)
        captions = ("Cycles", "turntable, standard", f"difference x{GAIN}: {psnr(a, b):.1f} dB")
        for column, (picture, caption) in enumerate(zip((a, b, apart), captions, strict=True)):
            write.text((x + column * SIZE + 4, y + 1), caption, fill="black", font=font)
            page.paste(Image.fromarray(picture), (x + column * SIZE, y + CAPTION_PX))
    return page


def main() -> None:
    """Render, compare, and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ids", nargs="+", default=list(IDS), help="of the zoo, like mug/000007")
    parser.add_argument("--views", type=int, default=1, help="of each object; the sheet shows the first")
    parser.add_argument("--threads", type=int, default=2, help="for Cycles")
    parser.add_argument("--bpy-python", type=Path)
    parser.add_argument("--out", type=Path, help="a JPEG or PNG")
    args = parser.parse_args()
    theirs = draw_cycles(bpy_python(args.bpy_python), args.ids, args.views, args.threads)
    print(f"{len(args.ids)} objects, {args.views} views of each; PSNR in dB against Cycles")
    print(f"{'quality':>10} {'mean':>7} {'object':>7} {'worst':>7}")
    for name in ("fast", "standard", "high"):
        ours, masks = draw_turntable(args.ids, args.views, name)
        each = [
            (psnr(a, b), psnr(a[seen], b[seen]))
            for a, b, seen in zip(
                *(values.reshape(-1, *values.shape[2:]) for values in (theirs, ours, masks)), strict=True
            )
        ]
        whole, inside = np.array(each).T
        print(f"{name:>10} {whole.mean():7.2f} {inside.mean():7.2f} {whole.min():7.2f}")
        if name == "standard" and args.out is not None:
            sheet(theirs[:, 0], ours[:, 0]).save(args.out, quality=88)


if __name__ == "__main__":
    main()
