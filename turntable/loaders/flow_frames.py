"""Frames of objects that move over a torus, composed of pictures and masks. Every frame is exact."""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from turntable.loaders.sampling import IntArray

Images = NDArray[np.uint8]


def compose_frames(
    pictures: Images,
    masks: Images | None,
    places: IntArray,
    canvas_px: int,
    background: tuple[int, int, int],
    *,
    disc: bool = False,
) -> Images:
    """Compose frames: pictures are cut out, placed on the torus, and added to the background.

    Where objects overlap their differences from the background are added, and the sum is clipped.

    Args:
        pictures: uint8 [O, B, K, S, S, 3] pictures of O objects; K is 1 for objects that keep their picture,
            or the number of frames T.
        masks: uint8 [O, B, K, S, S] 1 on the object, else 0; None for whole pictures.
        places: int64 [O, B, T, 2] place of each picture's left top corner, right and down, taken modulo the
            side of the torus.
        canvas_px: Side of the torus in pixels, at least S.
        background: Color of what no object covers.
        disc: True for the background outside of the largest circle.

    Returns:
        uint8 [B, T, canvas_px, canvas_px, 3].
    """
    cut_outs = (
        pictures
        if masks is None
        else np.where(masks[..., None] > 0, pictures, np.array(background, dtype=np.uint8))
    )
    moved = [
        move_over_torus(_widen(cut_out, canvas_px, background), place)
        for cut_out, place in zip(cut_outs, places, strict=True)
    ]
    frames = moved[0] if len(moved) == 1 else _add(moved, np.array(background, dtype=np.int16))
    if disc:
        frames[..., ~make_disc(canvas_px), :] = background
    return frames


def move_over_torus(pictures: Images, places: IntArray) -> Images:
    """Shift pictures circularly, as ``numpy.roll`` along both axes does.

    Args:
        pictures: [B, K, S, S, 3], K is 1 or T.
        places: [B, T, 2] shifts right and down.

    Returns:
        [B, T, S, S, 3].
    """
    size = pictures.shape[2]
    # Each shifted picture is a window of two by two copies side by side.
    twice = np.tile(pictures, (1, 1, 2, 2, 1))
    windows = np.moveaxis(sliding_window_view(twice, (size, size), axis=(2, 3)), 4, -1)
    left, top = np.moveaxis(-places % size, -1, 0)
    samples, frames = np.ogrid[: len(pictures), : places.shape[1]]
    return windows[samples, np.minimum(frames, pictures.shape[1] - 1), top, left]


def make_disc(size: int) -> NDArray[np.bool_]:
    """Make the mask [size, size] of the pixels whose centers lie in the circle that fits into the image."""
    offsets = np.arange(size) + 0.5 - size / 2
    return offsets**2 + offsets[:, None] ** 2 <= (size / 2) ** 2


def _widen(pictures: Images, canvas_px: int, background: tuple[int, int, int]) -> Images:
    """Return pictures [B, K, S, S, 3] at the left and top of the torus."""
    size = pictures.shape[2]
    if size == canvas_px:
        return pictures
    wide = np.empty((*pictures.shape[:2], canvas_px, canvas_px, 3), dtype=np.uint8)
    wide[:] = background
    wide[:, :, :size, :size] = pictures
    return wide


def _add(frames: Sequence[Images], color: NDArray[np.int16]) -> Images:
    """Add the differences of frames from the background, and clip the sum."""
    total = sum((item - color for item in frames), start=color)
    return np.clip(total, 0, 255).astype(np.uint8)
