"""Eight views drawn here, beside the same that were drawn in software, and their difference.

    python benchmarks/gpu/picture_comparison.py    # writes software.png; run it where OpenGL is in software

The difference is told as PSNR and shown on a sheet.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import numpy as np  # noqa: E402
from cycles_comparison import psnr  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from PIL import Image, ImageDraw, ImageFont  # noqa: E402
from steps import Row, Rows, Setting  # noqa: E402

from turntable.datasets import draw_factors, load_recipe  # noqa: E402
from turntable.renderer import open_source  # noqa: E402
from turntable.renderer.backends import get_quality, select_backend  # noqa: E402
from turntable.renderer.scene import scenes_from_labels  # noqa: E402

IDS = (
    *("teapot/000002", "car/000001", "chair/000004", "guitar/000000"),
    *("sailboat/000001", "sofa/000002", "mug/000007", "airplane/000003"),
)
SIZE = 128
GAIN = 8
LEAST_DB = 40.0
"""PSNR below which a view counts as another picture: drivers round and filter otherwise, and no more."""
SOFTWARE = Path(__file__).with_name("software.png")
SHEET = "pictures.png"
CAPTION_PX = 18

Pictures = NDArray[np.uint8]


class OtherPicturesError(Exception):
    """Raised where views are not those that were drawn in software; the sheet shows them."""


def run(setting: Setting) -> Rows:
    """Draw, compare, and write the sheet."""
    here, name = draw(setting.draws_on)
    software = read(SOFTWARE)
    write_sheet(setting.out / SHEET, software, here, name)
    yield Row("drawn by", name)
    found = [min(psnr(a, b), 99.0) if (a != b).any() else 99.0 for a, b in zip(software, here, strict=True)]
    yield Row("PSNR to software, mean of 8 views", float(np.mean(found)), "dB")
    yield Row("PSNR to software, worst view", min(found), "dB")
    difference = np.abs(software.astype(int) - here)
    yield Row("largest difference of a pixel", float(difference.max()), "of 255")
    yield Row("pixels that differ by more than 8", 100 * float((difference.max(axis=-1) > 8).mean()), "%")
    worst = int(np.argmin(found))
    if found[worst] < LEAST_DB:
        raise OtherPicturesError(f"{IDS[worst]} is {found[worst]:.1f} dB from software; see {SHEET}")


def draw(device: str) -> tuple[Pictures, str]:
    """Return the views [8, S, S, 3], and what drew them."""
    recipe, source = load_recipe("3diebench"), open_source("zoo", None)
    names = recipe.schema.names
    with select_backend("moderngl", device).open() as backend:
        drawn = [
            backend.render(
                source.load(object_id),
                scenes_from_labels(names, draw_factors(recipe, object_id, range(1))),
                SIZE,
                get_quality("standard"),
            ).rgb[0]
            for object_id in IDS
        ]
        return np.stack(drawn), backend.device.renderer


def read(path: Path) -> Pictures:
    """Return the views of a row of pictures [8, S, S, 3]."""
    row = np.asarray(Image.open(path).convert("RGB"))
    return np.stack(np.split(row, len(IDS), axis=1))


def write_sheet(path: Path, software: Pictures, here: Pictures, name: str) -> None:
    """Write three rows: software, here, and the difference, which is made larger."""
    difference = np.clip(GAIN * np.abs(software.astype(int) - here), 0, 255).astype(np.uint8)
    rows: Sequence[tuple[str, Pictures]] = (
        ("in software", software),
        (name, here),
        (f"difference, {GAIN} times", difference),
    )
    page = Image.new("RGB", (len(IDS) * SIZE, len(rows) * (SIZE + CAPTION_PX)), "white")
    write, font = ImageDraw.Draw(page), ImageFont.load_default(size=13)
    for number, (caption, pictures) in enumerate(rows):
        top = number * (SIZE + CAPTION_PX)
        write.text((4, top + 1), caption, fill="black", font=font)
        page.paste(Image.fromarray(np.concatenate(list(pictures), axis=1)), (0, top + CAPTION_PX))
    page.save(path)


if __name__ == "__main__":
    drawn, by = draw("software")
    Image.fromarray(np.concatenate(list(drawn), axis=1)).save(SOFTWARE, optimize=True)
    print(f"{SOFTWARE}, drawn by {by}")
