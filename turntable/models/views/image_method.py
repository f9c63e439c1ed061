"""Methods that learn from images: a backbone, and what is trained on top of it."""

from torch import Tensor

from turntable.models.abilities import Embedding, Embeds
from turntable.models.backbones import Backbone
from turntable.models.images import Normalize, center_crop
from turntable.models.method import Batch, DataInfo, Method


class ImageMethod(Method, Embeds):
    """A method with a backbone over images. It is built of (its configuration, a backbone, the data).

    Args:
        backbone: Represents images.
        data: That it will see.
    """

    reads: tuple[str, ...] = ("view_1", "view_2")
    embeds_from: tuple[str, ...] = ("view",)

    def __init__(self, backbone: Backbone, data: DataInfo) -> None:
        super().__init__()
        self.normalize = Normalize(data.mean, data.std)
        self.center_crop = data.center_crop
        self.backbone = backbone

    def embed(self, images: Tensor) -> Embedding:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Embed images, uint8 [B, 3, H, W]; in ``eval()`` mode each by itself."""
        return Embedding.of(self.represent(images))

    def represent(self, images: Tensor) -> Tensor:
        """Return the backbone's output [B, D] for images, uint8 [B, 3, H, W]."""
        return self.backbone(self.seen(images))

    def seen(self, images: Tensor) -> Tensor:
        """Return what the backbone sees of images, uint8 [B, 3, H, W]: the middle, normalized."""
        return self.normalize(center_crop(images, self.center_crop))

    def represent_pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the representations of both views [B, D], each view a batch of its own to batch norm."""
        return self.represent(batch["view_1"]), self.represent(batch["view_2"])
