"""A tiny vision transformer.

Dosovitskiy et al., "An Image is Worth 16x16 Words" (ICLR 2021, arXiv:2010.11929), at the size of DeiT-Ti
(Touvron et al. 2021): 12 layers of width 192 with 3 heads, pre-norm. There is no class token: the
representation is the mean of the patches.
"""

import torch
from torch import Tensor, nn

from turntable.errors import InvalidInputError
from turntable.models.backbones.backbone import Backbone

_PATCHES_A_SIDE = 14


class ViTTiny(Backbone):
    """Of square images of one size; 192 numbers an image."""

    dim = 192

    def __init__(self, image_size_px: int = 224, patch_px: int | None = None) -> None:
        """Make the network with fresh weights.

        Args:
            image_size_px: Of the images that the backbone sees.
            patch_px: Side of a patch; by default the divisor of the image's side that comes nearest to 14
                patches a side: 16 for 224 px.

        Raises:
            InvalidInputError: Patches do not fill the image.
        """
        super().__init__()
        patch = patch_px or _patch_for(image_size_px)
        if image_size_px % patch or image_size_px == patch:
            raise InvalidInputError(
                f"patches of {patch} px do not fill images of {image_size_px} px; --image-size resizes them,"
                " to a multiple of 8 for example"
            )
        self.image_size_px, side = image_size_px, image_size_px // patch
        self.patches = nn.Conv2d(3, self.dim, patch, stride=patch)
        self.positions = nn.Parameter(0.02 * torch.randn(1, self.dim, side, side))
        layer = nn.TransformerEncoderLayer(
            self.dim, 3, 4 * self.dim, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, 12, nn.LayerNorm(self.dim), enable_nested_tensor=False)

    def check_size(self, size_px: int) -> None:
        """Make sure that images have the size that the positions are for.

        Raises:
            InvalidInputError: They have another one.
        """
        if size_px != self.image_size_px:
            raise InvalidInputError(
                f"this vision transformer is for images of {self.image_size_px} px, not {size_px} px;"
                f" --image-size resizes them"
            )

    def maps(self, x: Tensor) -> Tensor:
        """Maps [B, 192, side, side] of images [B, 3, H, W], one place a patch."""
        maps = self.patches(x) + self.positions
        tokens = self.layers(maps.flatten(2).transpose(1, 2))
        return tokens.transpose(1, 2).unflatten(2, maps.shape[2:])


def _patch_for(size_px: int) -> int:
    divisors = [patch for patch in range(2, size_px // 2 + 1) if size_px % patch == 0]
    return min(divisors, key=lambda patch: abs(size_px // patch - _PATCHES_A_SIDE), default=size_px)
