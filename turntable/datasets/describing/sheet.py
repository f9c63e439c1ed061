"""A picture of the data set: some views of objects of every category."""

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import decode_jpeg
from turntable.datasets.split import Split

SHEET_NAME = "contact-sheet.jpg"
COLUMNS = 12
ROWS = 6
TILE_PX = 128
"""Larger views are thinned out to about this size."""


def contact_sheet(split: Split) -> NDArray[np.uint8]:
    """The sheet, uint8 [H, W, 3], in right colours.

    Objects are taken from the categories in turn; each shows another of its views, so that a sheet of one
    object shows that too.

    Args:
        split: at least one object.
    """
    rows = _rows_in_turn(split.categories)
    count = min(COLUMNS * ROWS, len(rows) * split.num_views)
    columns = min(COLUMNS, count)
    count -= count % columns  # whole lines only
    # In a second round every object shows the view after its first, however many objects and views there are.
    rounds = [divmod(number, len(rows)) for number in range(count)]
    tiles = [_tile(split, rows[at], (turn + at) % split.num_views) for turn, at in rounds]
    starts = range(0, len(tiles), columns)
    return np.concatenate([np.concatenate(tiles[start : start + columns], axis=1) for start in starts])


def _rows_in_turn(categories: NDArray[np.int64]) -> list[int]:
    """Every row, the first object of each category before any second one."""
    seen: dict[int, int] = {}
    turns: list[tuple[int, int, int]] = []
    for row, category in enumerate(categories.tolist()):
        seen[category] = seen.get(category, -1) + 1
        turns.append((seen[category], category, row))
    return [row for _, _, row in sorted(turns)]


def _tile(split: Split, row: int, view: int) -> NDArray[np.uint8]:
    image = decode_jpeg(split.read_jpeg(row, view))
    if split.manifest.channel_order == "bgr":
        image = image[..., ::-1]
    step = max(1, round(image.shape[0] / TILE_PX))
    return image[::step, ::step]
