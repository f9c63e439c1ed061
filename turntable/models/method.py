"""What a method is: a loss over a batch, and an embedding of images. It knows no loop, file or metric."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from turntable.errors import InvalidInputError
from turntable.models.backbones import Backbone
from turntable.models.values import Bounds, value_faults

Batch = Mapping[str, Tensor]
"""Fields by name, as the loaders give them: ``view_1`` uint8 [B, 3, H, W], ``relative_quaternion`` [B, 4]…"""


@dataclass(frozen=True, slots=True)
class DataInfo:
    """What a method must know of the data it will see."""

    num_categories: int
    mean: tuple[float, float, float]
    """Of each colour channel, with 1 for white."""
    std: tuple[float, float, float]
    image_size_px: int
    """The side of the square images that batches have."""
    center_crop: float = 1.0
    """The share of an image's side that the backbone sees, in (0, 1], around the middle."""

    @property
    def input_size_px(self) -> int:
        """The side of what the backbone sees."""
        return cropped_size(self.image_size_px, self.center_crop)


@dataclass(frozen=True, slots=True)
class SampleKind:
    """Which views of an object make a sample."""

    views: int = 2
    """Two views come as ``view_1`` and ``view_2``, what lies between them as [B, ...]. More come as ``views``
    uint8 [B, k, 3, H, W], and what lies between each and the next as [B, k - 1, ...]."""
    consecutive: bool = False
    """Whether they follow one another in a true sequence; otherwise they are any views, all distinct."""


PAIR = SampleKind()


@dataclass(frozen=True, slots=True)
class Moment:
    """How far a training has come, for what a method changes on the way."""

    step: int
    """Of the optimiser, 0 for the first."""
    steps: int
    """There are in all."""
    epoch: int
    epochs: int


@dataclass(frozen=True, slots=True)
class Embedding:
    """What a method says of images; a part that the method does not have has width 0."""

    representation: Tensor
    """[B, D], all of it: what the papers' probes read."""
    invariant: Tensor
    """[B, Di]: the part trained to stay as the object turns."""
    equivariant: Tensor
    """[B, De]: the part trained to turn with the object."""
    source: Tensor
    """[B, E]: what ``Predicts.predict`` starts from."""
    target: Tensor
    """[B, E]: what it should arrive at, of the other view; often the same as ``source``."""

    @classmethod
    def of(
        cls,
        representation: Tensor,
        *,
        invariant: Tensor | None = None,
        equivariant: Tensor | None = None,
        source: Tensor | None = None,
        target: Tensor | None = None,
    ) -> Self:
        """With what the method has; ``target`` is ``source`` unless it is given."""
        none = representation[:, :0]
        source = none if source is None else source
        return cls(
            representation,
            none if invariant is None else invariant,
            none if equivariant is None else equivariant,
            source,
            source if target is None else target,
        )


@dataclass(frozen=True, slots=True)
class MethodConfig:
    """The numbers of a method: the paper's by default; ``demo()`` fits two CPU cores and a few minutes."""

    paper_training: ClassVar[Mapping[str, Any]] = {}
    """Fields of ``training.TrainConfig`` in which the paper's training differs from SIE's (its defaults)."""
    demo_training: ClassVar[Mapping[str, Any]] = {}
    """In which the demo's training must differ from that of all methods."""
    bounds: ClassVar[Mapping[str, Bounds]] = {
        "layers": Bounds(1, 256),
        "predictor_layers": Bounds(1, 256),
        "attention_heads": Bounds(1, 4096),
        "observed_views": Bounds(1, 4096),
        "dropout": Bounds(0, 1),
        "decay": Bounds(0, 1),
        "activation_floor": Bounds(0, 1),
        "temperature": Bounds(1e-6, 1e6),
        "anchor_temperature": Bounds(1e-6, 1e6),
        "target_temperature": Bounds(1e-6, 1e6),
    }
    """Limits on numbers, by the names of fields of any method."""
    sizes: ClassVar[Bounds] = Bounds(1, 2**17)
    """The limits on all other whole numbers."""
    weights: ClassVar[Bounds] = Bounds(-1e9, 1e9)
    """The limits on all other numbers: losses are sums in float32."""

    def faults(self) -> list[str]:
        """Say which values are not of their fields' types, not finite or out of bounds."""
        return value_faults(self, self.bounds, whole=self.sizes, other=self.weights)

    @property
    def sample(self) -> SampleKind:
        """What a batch's samples are."""
        return PAIR

    def demo(self) -> Self:
        """The same variant for small images, small batches and little time."""
        return self


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


def cropped_size(side_px: int, share: float) -> int:
    """How many pixels of a side are left."""
    return round(side_px * share)


def center_crop(images: Tensor, share: float) -> Tensor:
    """The middle of images [..., H, W], ``share`` of each side; a view, not a copy."""
    height, width = images.shape[-2:]
    kept_height, kept_width = cropped_size(height, share), cropped_size(width, share)
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    return images[..., top : top + kept_height, left : left + kept_width]


def check_rows(images: Tensor) -> None:
    """Make sure that a batch [B, ...] has rows to compare.

    Raises:
        InvalidInputError: It has fewer than 2.
    """
    if len(images) < 2:
        raise InvalidInputError(
            f"the batch has {len(images)} row; the loss compares rows with one another, so batches need at"
            " least 2: raise batch_size"
        )


class Method(nn.Module, ABC):
    """A backbone, what is trained on top of it, and the loss that trains both.

    A loss is computed over the whole batch, of all ranks (``gathering.gathered``): then its numbers are the
    same whether one process has the batch or several share it.
    """

    reads: tuple[str, ...] = ("view_1", "view_2")
    """The fields of a batch that ``loss`` asks for; some depend on the configuration."""

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
        return Embedding.of(self.represent(images))

    def represent(self, images: Tensor) -> Tensor:
        """The backbone's output [B, D] for images, uint8 [B, 3, H, W]."""
        return self.backbone(self.seen(images))

    def seen(self, images: Tensor) -> Tensor:
        """What the backbone sees of images, uint8 [B, 3, H, W]: the middle, normalised."""
        return self.normalize(center_crop(images, self.center_crop))

    def represent_pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The representations of both views [B, D], each view a batch of its own to batch norm."""
        return self.represent(batch["view_1"]), self.represent(batch["view_2"])

    def before_step(self, moment: Moment) -> None:
        """Set what changes as training goes on, such as a temperature; before the loss of each step."""

    def after_step(self, moment: Moment) -> None:
        """Follow the optimiser, as moving averages do; after each of its steps."""

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


class Predicts(ABC):
    """A method that says how a view would embed after an action: what retrieval metrics ask for."""

    action: tuple[str, ...]
    """The labels of a step that tell the action (``actions.action_of``)."""

    @abstractmethod
    def predict(self, source: Tensor, action: Tensor) -> Tensor:
        """Predict the other view's ``Embedding.target``.

        Args:
            source: [B, E] of the first views (``Embedding.source``).
            action: [B, K] to the second.

        Returns:
            [B, E].
        """


class Aggregates(ABC):
    """A method that embeds several views of an object as one, as seq-JEPA does."""

    action: tuple[str, ...]
    """The labels of a step that tell the action (``actions.action_of``)."""

    @abstractmethod
    def aggregate(self, representation: Tensor, action: Tensor) -> Tensor:
        """Embed M views together.

        Args:
            representation: [B, M, D] of each view (``Embedding.representation``).
            action: [B, M - 1, K] from each view to the next.

        Returns:
            [B, A].
        """
