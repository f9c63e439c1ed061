"""A tiny vision transformer.

Dosovitskiy et al., "An Image is Worth 16x16 Words" (ICLR 2021, arXiv:2010.11929), at the size of DeiT-Ti
(Touvron et al. 2021): 12 layers of width 192 with 3 heads, pre-norm. There is no class token: the
representation is the mean of the patches.
"""

import torch
from torch import Tensor, nn

from turntable.errors import InvalidInputError
from turntable.models.backbones.backbone import Backbone

_PATCHES_PER_SIDE = 14


class ViTTiny(Backbone):
    """A vision transformer for square images of one size; representations of width 192."""

    dim = 192

    def __init__(self, image_size_px: int = 224, patch_size_px: int | None = None) -> None:
        """Build the network with fresh weights.

        Args:
            image_size_px: Side of the images in pixels.
            patch_size_px: Side of a patch in pixels. By default, the divisor of the image's side for which
                the number of patches per side is closest to 14: 16 for 224 px.

        Raises:
            InvalidInputError: The image's side is no multiple of the patch's, or there is only one patch.
        """
        super().__init__()
        patch = patch_size_px or _choose_patch_size(image_size_px)
        if image_size_px % patch or image_size_px == patch:
            raise InvalidInputError(
                f"patches of {patch} px do not fill images of {image_size_px} px; resize the images with"
                " --image-size, to a multiple of 8 for example"
            )
        self.image_size_px, side = image_size_px, image_size_px // patch
        self.patches = nn.Conv2d(3, self.dim, patch, stride=patch)
        self.positions = nn.Parameter(0.02 * torch.randn(1, self.dim, side, side))
        layer = nn.TransformerEncoderLayer(
            self.dim, 3, 4 * self.dim, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, 12, nn.LayerNorm(self.dim), enable_nested_tensor=False)

    def check_size(self, size_px: int) -> None:
        """Check that images have the size of the position embeddings.

        Raises:
            InvalidInputError: They have another size.
        """
        if size_px != self.image_size_px:
            raise InvalidInputError(
                f"this vision transformer is for images of {self.image_size_px} px, not {size_px} px;"
                " resize them with --image-size"
            )

    def compute_maps(self, x: Tensor) -> Tensor:
        """Compute maps [B, 192, side, side] of images [B, 3, H, W], with one position per patch."""
        maps = self.patches(x) + self.positions
        tokens = self.layers(maps.flatten(2).transpose(1, 2))
        return tokens.transpose(1, 2).unflatten(2, maps.shape[2:])


def _choose_patch_size(size_px: int) -> int:
    divisors = [patch for patch in range(2, size_px // 2 + 1) if size_px % patch == 0]
    return min(divisors, key=lambda patch: abs(size_px // patch - _PATCHES_PER_SIDE), default=size_px)
