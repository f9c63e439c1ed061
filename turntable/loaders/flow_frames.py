"""Frames of objects that move over a torus, composed of pictures and masks. Every frame is exact."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from turntable.loaders.sampling import IntArray

Images = NDArray[np.uint8]
Layers = NDArray[np.int16]


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
    color = np.array(background, dtype=np.int16)
    layers = pictures - color
    if masks is not None:
        layers *= masks[..., None]
    total = sum(
        move_layers(_pad_layers(layer, canvas_px), place) for layer, place in zip(layers, places, strict=True)
    )
    frames = np.clip(total + color, 0, 255).astype(np.uint8)
    if disc:
        frames[..., ~make_disc(canvas_px), :] = background
    return frames


def move_layers(layers: Layers, places: IntArray) -> Layers:
    """Shift layers over the torus, as ``numpy.roll`` along both axes does.

    Args:
        layers: [B, K, S, S, 3], K is 1 or T.
        places: [B, T, 2] shifts right and down.

    Returns:
        [B, T, S, S, 3].
    """
    size = layers.shape[2]
    twice = np.tile(layers, (1, 1, 2, 2, 1))
    windows = np.moveaxis(sliding_window_view(twice, (size, size), axis=(2, 3)), 4, -1)
    left, top = np.moveaxis(-places % size, -1, 0)
    samples, frames = np.ogrid[: len(layers), : places.shape[1]]
    return windows[samples, np.minimum(frames, layers.shape[1] - 1), top, left]


def make_disc(size: int) -> NDArray[np.bool_]:
    """Make the mask [size, size] of the pixels whose centers lie in the circle that fits into the image."""
    offsets = np.arange(size) + 0.5 - size / 2
    return offsets**2 + offsets[:, None] ** 2 <= (size / 2) ** 2


def _pad_layers(layers: Layers, canvas_px: int) -> Layers:
    missing = canvas_px - layers.shape[2]
    return np.pad(layers, ((0, 0), (0, 0), (0, missing), (0, missing), (0, 0)))
