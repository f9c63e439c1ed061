"""The base class of methods that learn from images: a backbone, and networks on top of it."""

from torch import Tensor

from turntable.models.abilities import Embedding, Embeds
from turntable.models.backbones import Backbone
from turntable.models.method import Batch, DataInfo, Method
from turntable.models.preprocessing import Normalize, center_crop


class ImageMethod(Method, Embeds):
    """A method with a backbone for images. Subclasses take (configuration, backbone, data).

    Args:
        backbone: Network from images to representations.
        data: Facts about the data set.
    """

    reads: tuple[str, ...] = ("view_1", "view_2")
    embeds_from: tuple[str, ...] = ("view",)

    def __init__(self, backbone: Backbone, data: DataInfo) -> None:
        super().__init__()
        self.normalize = Normalize(data.mean, data.std)
        self.center_crop = data.center_crop
        self.backbone = backbone

    def embed(self, images: Tensor) -> Embedding:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Embed images, uint8 [B, 3, H, W]; in ``eval()`` mode each image independently of the others."""
        return Embedding.from_parts(self.represent(images))

    def represent(self, images: Tensor) -> Tensor:
        """Compute the representations [B, D] of images, uint8 [B, 3, H, W]."""
        return self.backbone(self.preprocess(images))

    def preprocess(self, images: Tensor) -> Tensor:
        """Crop and normalize images, uint8 [B, 3, H, W], for the backbone."""
        return self.normalize(center_crop(images, self.center_crop))

    def represent_pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Compute the representations [B, D] of both views.

        The views pass through the backbone one after the other, so that batch norm takes the statistics of
        each view separately.
        """
        return self.represent(batch["view_1"]), self.represent(batch["view_2"])
