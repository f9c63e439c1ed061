"""Fidelity and cost of each quality: PSNR to ray tracing, views per second by size, a sheet of pictures.

    python benchmarks/render_qualities.py --out docs/images/qualities.jpg
    python benchmarks/render_qualities.py --device cuda:0 --sizes 256 512 1024

The truth is another renderer: embree at `high` with 4 x 4 samples a pixel. One process, zoo objects.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from cycles_comparison import IDS, psnr
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from turntable.datasets import draw_factors, load_recipe
from turntable.renderer import encode_views, open_backend, open_source
from turntable.renderer.backends import Backend, Quality, get_quality, select_backend
from turntable.renderer.meshes import Mesh
from turntable.renderer.scene import Scenes, scenes_from_labels

SIZE = 256
SETTINGS = tuple((name, samples) for name in ("fast", "standard", "high") for samples in (None, 1, 2, 3, 4))
SHOWN = (("fast", None), ("standard", None), ("high", None))
CROP = slice(56, 184)
"""Rows and columns of a picture that the sheet shows, twice enlarged."""
CAPTION_PX = 20

Work = Sequence[tuple[Mesh, Scenes]]
Pictures = NDArray[np.uint8]


def work_of(ids: Sequence[str], views: int) -> Work:
    """Make meshes and their scenes."""
    recipe, source = load_recipe("3diebench"), open_source("zoo", None)
    names = recipe.schema.names
    return [(source.load(i), scenes_from_labels(names, draw_factors(recipe, i, range(views)))) for i in ids]


def drawn(backend: Backend, work: Work, size: int, setting: Quality) -> tuple[Pictures, NDArray[np.bool_]]:
    """Render pictures [N, S, S, 3] and the masks of the objects."""
    made = [backend.render(mesh, scenes, size, setting, ("mask",)) for mesh, scenes in work]
    masks = [pixels.mask for pixels in made if pixels.mask is not None]
    return np.concatenate([pixels.rgb for pixels in made]), np.concatenate(masks) > 0


def rate(backend: Backend, work: Work, size: int, setting: Quality) -> float:
    """Measure views per second, JPEG included, after a warm-up."""
    recipe, times = load_recipe("3diebench"), []
    for _ in range(3):
        start = time.perf_counter()
        for mesh, scenes in work:
            encode_views(recipe, backend.render(mesh, scenes, size, setting).rgb)
        times.append(time.perf_counter() - start)
    return sum(len(scenes) for _, scenes in work) / min(times[1:])


def fidelity(truth: Pictures, ours: Pictures, masks: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the mean PSNR in dB, over whole pictures and on the object."""
    whole = np.mean([psnr(a, b) for a, b in zip(truth, ours, strict=True)])
    inside = np.mean([psnr(a[m], b[m]) for a, b, m in zip(truth, ours, masks, strict=True)])
    return float(whole), float(inside)


def sheet(columns: Sequence[tuple[str, Pictures]]) -> Image.Image:
    """Draw a sheet with the middle of the first pictures of each column under its caption."""
    side = 2 * (CROP.stop - CROP.start)
    rows = min(3, len(columns[0][1]))
    page = Image.new("RGB", (len(columns) * side, rows * side + CAPTION_PX), "white")
    write, font = ImageDraw.Draw(page), ImageFont.load_default(size=14)
    for column, (caption, pictures) in enumerate(columns):
        write.text((column * side + 4, 1), caption, fill="black", font=font)
        for row in range(rows):
            part = Image.fromarray(pictures[row, CROP, CROP]).resize((side, side), Image.Resampling.NEAREST)
            page.paste(part, (column * side, CAPTION_PX + row * side))
    return page


def main() -> None:
    """Measure, print two tables, and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ids", nargs="+", default=list(IDS), help="of the zoo, like mug/000007")
    parser.add_argument("--views", type=int, default=10, help="of each object, for the rates")
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 64, 128, 256, 512, 1024])
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, help="a JPEG or PNG")
    args = parser.parse_args()
    few, many = work_of(args.ids, 1), work_of(args.ids, args.views)
    with open_backend("embree") as rays:
        truth, _ = drawn(rays, few, SIZE, get_quality("high", 4))
    shown: list[tuple[str, Pictures]] = []
    with select_backend(args.backend, args.device).open() as backend:
        print(f"{backend.device.backend}: {backend.device.renderer}\n\n{SIZE} px, PSNR in dB against rays")
        print(f"{'quality':>10} {'samples':>8} {'PSNR':>7} {'object':>7} {'views/s':>8}")
        for name, samples in SETTINGS:
            setting = get_quality(name, samples)
            ours, masks = drawn(backend, few, SIZE, setting)
            whole, inside = fidelity(truth, ours, masks)
            speed = rate(backend, many, SIZE, setting)
            across = f"{setting.supersampling}x{setting.supersampling}{'' if samples else ' *'}"
            print(f"{name:>10} {across:>8} {whole:7.2f} {inside:7.2f} {speed:8.1f}", flush=True)
            if (name, samples) in SHOWN:
                shown.append((f"{name}: {whole:.1f} dB, {speed:.0f} views/s", ours))
        print("* the quality's own\n\nviews a second by size")
        print(f"{'size':>10} {'fast':>8} {'standard':>8} {'high':>8}")
        for size in args.sizes:
            rates = [rate(backend, many, size, get_quality(name)) for name, _ in SHOWN]
            print(f"{size:10d} " + " ".join(f"{speed:8.1f}" for speed in rates), flush=True)
    if args.out is not None:
        sheet([*shown, ("rays (embree, high, 4x4 samples)", truth)]).save(args.out, quality=88)


if __name__ == "__main__":
    main()
