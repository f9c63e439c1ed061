"""What a method is: a loss over a batch, and an embedding of images. It knows no loop, file or metric."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from turntable.errors import InvalidInputError
from turntable.models.backbones import Backbone

Batch = Mapping[str, Tensor]
"""Fields by name, as the loaders give them: ``view_1`` uint8 [B, 3, H, W], ``relative_quaternion`` [B, 4]…"""


@dataclass(frozen=True, slots=True)
class DataInfo:
    """What a method must know of the data it will see."""

    num_categories: int
    mean: tuple[float, float, float]
    """Of each colour channel, with 1 for white."""
    std: tuple[float, float, float]
    center_crop: float = 1.0
    """The share of an image's side that the backbone sees, in (0, 1], around the middle."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """What a method says of images; a part that the method does not set apart has width 0."""

    representation: Tensor
    """[B, D], all of it."""
    invariant: Tensor
    """[B, Di]: the part trained to stay as the object turns."""
    equivariant: Tensor
    """[B, De]: the part trained to turn with the object."""


@dataclass(frozen=True, slots=True)
class MethodConfig(ABC):
    """The numbers of a method: the paper's by default; ``demo()`` fits two CPU cores and a few minutes."""

    @classmethod
    @abstractmethod
    def demo(cls) -> Self:
        """The variant for small images, small batches and little time."""


class Normalize(nn.Module):
    """uint8 [B, 3, H, W] to float32 with mean 0 and standard deviation 1 in each channel of the data set."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, float, float], std: tuple[float, float, float]) -> None:
        super().__init__()
        self.register_buffer("mean", 255 * torch.tensor(mean, dtype=torch.float32).view(1, 3, 1, 1))
        self.register_buffer("std", 255 * torch.tensor(std, dtype=torch.float32).view(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Normalise images."""
        return (images.float() - self.mean) / self.std


def center_crop(images: Tensor, share: float) -> Tensor:
    """The middle of images [..., H, W], ``share`` of each side; a view, not a copy."""
    height, width = images.shape[-2:]
    kept_height, kept_width = round(height * share), round(width * share)
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    return images[..., top : top + kept_height, left : left + kept_width]


class Method(nn.Module, ABC):
    """A backbone, what is trained on top of it, and the loss that trains both."""

    reads: ClassVar[tuple[str, ...]]
    """The fields of a batch that ``loss`` asks for."""

    def __init__(self, backbone: Backbone, data: DataInfo) -> None:
        super().__init__()
        self.normalize = Normalize(data.mean, data.std)
        self.center_crop = data.center_crop
        self.backbone = backbone

    @abstractmethod
    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """The loss and its terms.

        Returns:
            Scalars by name. "loss" is what to minimise; the others are its terms before their weights,
            for the records.
        """

    def embed(self, images: Tensor) -> Embedding:
        """Embed images, uint8 [B, 3, H, W]; in ``eval()`` mode each image by itself."""
        representation = self.represent(images)
        return Embedding(representation, representation[:, :0], representation[:, :0])

    def represent(self, images: Tensor) -> Tensor:
        """The backbone's output [B, D] for images, uint8 [B, 3, H, W]."""
        return self.backbone(self.normalize(center_crop(images, self.center_crop)))

    def represent_pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The representations of both views [B, D], each view a batch of its own to batch norm."""
        return self.represent(batch["view_1"]), self.represent(batch["view_2"])

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The loss: what a wrapper for many devices calls."""
        return self.loss(batch)

    def check_reads(self, batch: Batch) -> None:
        """Make sure that a batch has every field that the loss reads.

        Raises:
            InvalidInputError: Fields are missing.
        """
        missing = [name for name in self.reads if name not in batch]
        if missing:
            raise InvalidInputError(
                f"{type(self).__name__} reads {', '.join(missing)}, which the batch does not have"
                f" (it has {', '.join(batch)}); use a loader that gives them"
            )
