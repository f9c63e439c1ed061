"""Outputs of views, moved as their pictures are: each pixel takes the value of the nearest source pixel."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from turntable.datasets.labels import DEPTH_STEPS, NO_PART
from turntable.errors import InvalidInputError
from turntable.loaders.augment.warping import invert_affine

_MOVING = ("crop", "flip", "affine", "shift_px")
"""Parameters of an augmentation that move pixels, in the order in which they are applied."""
_UNMOVABLE: Mapping[str, tuple[str, ...]] = {
    "normals": ("flip", "affine"),
    "flow": _MOVING,
    "flow_state": _MOVING,
}
"""Outputs whose values are wrong for a picture that some parameters have moved."""
_OUTSIDE = {"mask": 0.0, "parts": float(NO_PART), "depth": 65535 / DEPTH_STEPS, "coordinates": 0.0}
"""Values of outputs where a warp shows what lies outside of the image."""


def list_unmovable_outputs(outputs: Sequence[str], parameters: Sequence[str]) -> list[str]:
    """List the outputs whose values are wrong for pictures that parameters of an augmentation have moved.

    Args:
        outputs: Names of outputs: "depth", "normals".
        parameters: Names of the parameters.
    """
    return [name for name in outputs if set(_UNMOVABLE.get(name, ())) & set(parameters)]


def move_output(name: str, output: Tensor, parameters: Mapping[str, Tensor], *, has_fill: bool) -> Tensor:
    """Move an output as ``augment`` moves the picture; each pixel takes the value of the nearest one.

    Args:
        name: Name of the output: "mask", "depth".
        output: [..., C, H, W] of any type.
        parameters: Parameters of the augmentation by name, each [...].
        has_fill: True if a warp shows a color outside of the picture, and False if it reflects the picture.

    Returns:
        [..., C, H, W], the output itself if nothing moves.

    Raises:
        InvalidInputError: The output's values would be wrong.
    """
    moving = {item: parameters[item] for item in _MOVING if item in parameters}
    if not moving:
        return output
    if list_unmovable_outputs([name], list(moving)):
        raise InvalidInputError(
            f"{name} cannot follow {', '.join(moving)}: its values would be wrong for the moved pictures;"
            f" leave {name} out of the fields, or give an augmentation of colors only"
        )
    flat = output.reshape(-1, *output.shape[-3:])
    shapes = {"crop": (4,), "affine": (2, 3), "shift_px": (2,)}
    by_name = {
        item: values.reshape(len(flat), *shapes.get(item, ())).to(flat.device)
        for item, values in moving.items()
    }
    x, y, inside = _find_sources(by_name, *flat.shape[-2:], reflects=not has_fill)
    samples = torch.arange(len(flat), device=flat.device)[:, None, None]
    moved = flat.movedim(1, -1)[samples, y, x].movedim(-1, 1)
    if has_fill:
        moved = torch.where(inside[:, None], moved, torch.full_like(moved, _OUTSIDE.get(name, 0.0)))
    return moved.reshape(output.shape)


def _find_sources(
    parameters: Mapping[str, Tensor], height: int, width: int, *, reflects: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Find the source of each pixel of the result, going through the operations from the last to the first.

    Returns:
        Columns and rows [B, H, W] of the nearest source pixels, and True where they lie in the image.
    """
    some = next(iter(parameters.values()))
    columns = torch.arange(width, device=some.device).expand(len(some), height, width)
    rows = torch.arange(height, device=some.device)[:, None].expand(len(some), height, width)
    if "shift_px" in parameters:
        right, down = parameters["shift_px"].round().long()[:, :, None, None].unbind(1)
        columns, rows = (columns - right) % width, (rows - down) % height
    # In sides of the image, from 0 to 1; computed in float64, so that few pixels lie between two others.
    x, y = (columns.double() + 0.5) / width, (rows.double() + 0.5) / height
    inside = torch.ones_like(x, dtype=torch.bool)
    if "affine" in parameters:
        points = torch.stack([2 * x - 1, 2 * y - 1, torch.ones_like(x)], dim=-1)
        x, y = ((points @ invert_affine(parameters["affine"])[:, None].mT + 1) / 2).unbind(-1)
        inside = (x >= 0) & (x < 1) & (y >= 0) & (y < 1)
        if reflects:
            x, y = _reflect(x), _reflect(y)
    if "flip" in parameters:
        x = torch.where(parameters["flip"][:, None, None] > 0.5, 1 - x, x)
    if "crop" in parameters:
        top, left, crop_height, crop_width = parameters["crop"].double()[:, :, None, None].unbind(1)
        x, y = left + x * crop_width, top + y * crop_height
    return _to_pixels(x, width), _to_pixels(y, height), inside


def _reflect(places: Tensor) -> Tensor:
    """Return places of a line as those from 0 to 1 that reflections at 0 and 1 take them to."""
    return 1 - (places % 2 - 1).abs()


def _to_pixels(places: Tensor, num_pixels: int) -> Tensor:
    return (places * num_pixels).floor().long().clamp(0, num_pixels - 1)
