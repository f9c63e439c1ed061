"""The contract of a method: it names the fields that it reads, and computes a loss of them.

It knows no modality, loop, file or metric. What else a method can do is told by ``abilities``.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from turntable.errors import InvalidInputError
from turntable.models.images import cropped_size
from turntable.models.values import Bounds, value_faults

Batch = Mapping[str, Tensor]
"""Fields by name, as the loaders give them: ``view_1`` uint8 [B, 3, H, W], ``relative_quaternion`` [B, 4]…"""


@dataclass(frozen=True, slots=True)
class DataInfo:
    """Facts of the data that a method is built for."""

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
    """The views of an object that make a sample."""

    views: int = 2
    """One comes as ``view``. Two come as ``view_1`` and ``view_2``, what lies between them as [B, ...]. More
    come as ``views`` uint8 [B, k, 3, H, W], and what lies between each and the next as [B, k - 1, ...].
    Other fields of views are named likewise, such as ``points_1``."""
    consecutive: bool = False
    """Whether they follow one another in a true sequence; otherwise they are any views, all distinct."""


PAIR = SampleKind()
SINGLE = SampleKind(views=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a training, for what a method changes on the way."""

    step: int
    """Of the optimizer, 0 for the first."""
    steps: int
    """There are in all."""
    epoch: int
    epochs: int


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
        """The samples of a batch."""
        return PAIR

    def demo(self) -> Self:
        """The same variant for small images, small batches and little time."""
        return self


def check_rows(rows: Tensor) -> None:
    """Make sure that a batch [B, ...] has rows to compare.

    Raises:
        InvalidInputError: It has fewer than 2.
    """
    if len(rows) < 2:
        raise InvalidInputError(
            f"the batch has {len(rows)} row; the loss compares rows with one another, so batches need at"
            " least 2: raise batch_size"
        )


class Method(nn.Module, ABC):
    """Something that is trained: a module whose loss is over the fields of a batch that it names.

    A loss is computed over the whole batch, of all ranks (``gathered``): then its numbers are the same
    whether one process has the batch or several share it.
    """

    reads: tuple[str, ...]
    """The fields of a batch that ``loss`` asks for; some depend on the configuration."""

    @abstractmethod
    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss and its terms.

        Returns:
            Scalars by name. "loss" is to be minimized; the others are its terms before their weights, for
            the records.
        """

    def before_step(self, moment: Moment) -> None:
        """Set what changes as training goes on, such as a temperature; before the loss of each step."""

    def after_step(self, moment: Moment) -> None:
        """Follow the optimizer, as moving averages do; after each of its steps."""

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss: a wrapper for many devices calls this."""
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
