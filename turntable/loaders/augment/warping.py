"""Affine maps and circular shifts of many images at once."""

import torch
from torch import Tensor
from torch.nn import functional

from turntable.errors import InvalidInputError

Color = tuple[float, float, float]


def invert_affine(affine: Tensor) -> Tensor:
    """Return the maps of result to source, [..., 2, 3]: x to A⁻¹ (x - t), of maps [..., 2, 3] of A and t.

    Raises:
        InvalidInputError: A matrix has no inverse.
    """
    matrix, shift = affine.double().split([2, 1], dim=-1)
    (a, b), (c, d) = (row.unbind(-1) for row in matrix.unbind(-2))
    determinant = a * d - b * c
    if not (determinant.abs() > 1e-6).all():
        raise InvalidInputError("affine has a matrix of determinant 0; a picture cannot be warped by it")
    adjugate = torch.stack([torch.stack([d, -b], -1), torch.stack([-c, a], -1)], -2)
    inverse = adjugate / determinant[..., None, None]
    return torch.cat([inverse, -inverse @ shift], dim=-1)


def warp(images: Tensor, affine: Tensor, fill: Color | None) -> Tensor:
    """Warp images by affine maps, bilinear: out(y) = in(A⁻¹ (y - t)).

    Coordinates are in half sides of the image from its center, x right and y down, as those of torch's
    ``affine_grid(align_corners=False)``.

    Args:
        images: [B, 3, H, W] of any type.
        affine: [B, 2, 3] A row by row, then t.
        fill: Color of what lies outside of the image, from 0 to 255; None: the image is reflected at its
            edges.

    Returns:
        float32 [B, 3, H, W].
    """
    pixels = images.float()
    inverse = invert_affine(affine).to(pixels.dtype)
    grid = functional.affine_grid(inverse, list(images.shape), align_corners=False)
    if fill is None:
        return functional.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)
    color = torch.tensor(fill, device=images.device, dtype=pixels.dtype)[:, None, None]
    return functional.grid_sample(pixels - color, grid, align_corners=False) + color


def shift_circularly(images: Tensor, shift_px: Tensor) -> Tensor:
    """Shift images by whole pixels, as ``torch.roll`` does; what leaves on one side enters on the other.

    Args:
        images: [B, C, H, W].
        shift_px: [B, 2] shifts right and down in whole pixels, of any type.
    """
    height, width = images.shape[-2:]
    right, down = shift_px.round().long().unbind(-1)
    rows = (torch.arange(height, device=images.device) - down[:, None]) % height
    columns = (torch.arange(width, device=images.device) - right[:, None]) % width
    samples = torch.arange(len(images), device=images.device)[:, None, None]
    moved = images.movedim(1, -1)[samples, rows[:, :, None], columns[:, None, :]]
    return moved.movedim(-1, 1)
