"""The contact sheet of a data set: one image with views of objects of every category."""

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import decode_jpeg
from turntable.datasets.split import Split

SHEET_NAME = "contact-sheet.jpg"
MAX_COLUMNS = 12
MAX_ROWS = 6
TILE_PX = 128
"""Approximate size of a tile. Larger views are subsampled to it."""


def build_contact_sheet(split: Split) -> NDArray[np.uint8]:
    """Return the contact sheet, uint8 [H, W, 3] in RGB.

    The objects are taken from the categories in turn. Consecutive objects show different views, and a sheet
    of few objects shows several views of each.

    Args:
        split: Split with at least one object.
    """
    rows = _interleave_categories(split.category_indices)
    num_tiles = min(MAX_COLUMNS * MAX_ROWS, len(rows) * split.num_views)
    num_columns = min(MAX_COLUMNS, num_tiles)
    num_tiles -= num_tiles % num_columns  # whole lines only
    # The position enters the view as well as the round, so neighbors show different views. In each further
    # round an object shows the view after its last one.
    rounds = [divmod(number, len(rows)) for number in range(num_tiles)]
    tiles = [
        _read_tile(split, rows[position], (turn + position) % split.num_views) for turn, position in rounds
    ]
    starts = range(0, len(tiles), num_columns)
    return np.concatenate([np.concatenate(tiles[start : start + num_columns], axis=1) for start in starts])


def _interleave_categories(categories: NDArray[np.int64]) -> list[int]:
    """Return all rows in an order that has the first object of every category before any second one."""
    last_rank: dict[int, int] = {}
    ranked: list[tuple[int, int, int]] = []
    for row, category in enumerate(categories.tolist()):
        last_rank[category] = last_rank.get(category, -1) + 1
        ranked.append((last_rank[category], category, row))
    return [row for _, _, row in sorted(ranked)]


def _read_tile(split: Split, row: int, view: int) -> NDArray[np.uint8]:
    image = decode_jpeg(split.read_jpeg(row, view))
    if split.manifest.channel_order == "bgr":
        image = image[..., ::-1]
    step = max(1, round(image.shape[0] / TILE_PX))
    return image[::step, ::step]
