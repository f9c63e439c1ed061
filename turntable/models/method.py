"""The interface of a method: the fields of a batch that it reads, and the loss that it computes from them.

It does not depend on a modality, a training loop, files or metrics. The classes in ``abilities`` add what
evaluation needs.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from turntable.errors import InvalidInputError
from turntable.models.config_checks import Bounds, find_value_faults
from turntable.models.preprocessing import compute_cropped_size

Batch = Mapping[str, Tensor]
"""A batch from a loader, fields by name: ``view_1`` uint8 [B, 3, H, W], ``relative_quaternion`` [B, 4],
..."""


@dataclass(frozen=True, slots=True)
class DataInfo:
    """Facts about the data set for which a method is built."""

    num_categories: int
    mean: tuple[float, float, float]
    """Mean of each color channel, with 1 for white."""
    std: tuple[float, float, float]
    """Standard deviation of each color channel, in the same unit."""
    image_size_px: int
    """Side in pixels of the square images of a batch."""
    center_crop: float = 1.0
    """Fraction of an image's side, around the center, that the backbone sees, in (0, 1]."""

    @property
    def input_size_px(self) -> int:
        """Side in pixels of the backbone's input."""
        return compute_cropped_size(self.image_size_px, self.center_crop)


@dataclass(frozen=True, slots=True)
class SampleSpec:
    """The number and kind of views of an object that make a sample."""

    num_views: int = 2
    """Number of views k of a sample. One view is the field ``view``. Two views are ``view_1`` and ``view_2``,
    with relative labels [B, ...]. More views are ``views`` uint8 [B, k, 3, H, W], with relative labels [B, k
    - 1, ...] from each view to the next. Other fields of views are named likewise, such as ``points_1``."""
    consecutive: bool = False
    """True for consecutive views of a stored sequence; otherwise a sample has any distinct views of an
    object."""


PAIR = SampleSpec()
"""Samples of two views."""
SINGLE = SampleSpec(num_views=1)
"""Samples of one view."""


@dataclass(frozen=True, slots=True)
class TrainState:
    """The position of a training, from which a method computes its schedules."""

    step: int
    """Index of the optimizer's step, 0 for the first."""
    num_steps: int
    """Number of steps of the whole training."""
    epoch: int
    """Index of the epoch, 0 for the first."""
    num_epochs: int
    """Number of epochs of the whole training."""


@dataclass(frozen=True, slots=True)
class MethodConfig:
    """The settings of a method.

    The defaults are the paper's; ``demo()`` returns settings for two CPU cores and a few minutes.
    """

    paper_training: ClassVar[Mapping[str, Any]] = {}
    """Settings of ``training.TrainConfig``, by name, in which the paper differs from SIE, whose are the
    defaults."""
    demo_training: ClassVar[Mapping[str, Any]] = {}
    """Settings of ``training.TrainConfig``, by name, in which the method's demo differs from other demos."""
    bounds: ClassVar[Mapping[str, Bounds]] = {
        "num_layers": Bounds(1, 256),
        "num_predictor_layers": Bounds(1, 256),
        "num_attention_heads": Bounds(1, 4096),
        "num_observed_views": Bounds(1, 4096),
        "dropout": Bounds(0, 1),
        "decay": Bounds(0, 1),
        "activation_floor": Bounds(0, 1),
        "temperature": Bounds(1e-6, 1e6),
        "anchor_temperature": Bounds(1e-6, 1e6),
        "target_temperature": Bounds(1e-6, 1e6),
    }
    """Bounds of numbers, by the names of fields of any method."""
    integer_bounds: ClassVar[Bounds] = Bounds(1, 2**17)
    """Bounds of all other integers."""
    float_bounds: ClassVar[Bounds] = Bounds(-1e9, 1e9)
    """Bounds of all other numbers; a loss of such terms still fits into float32."""

    def find_value_faults(self) -> list[str]:
        """Find values of a wrong type, not finite or out of bounds; return one sentence for each."""
        return find_value_faults(
            self, self.bounds, integer_bounds=self.integer_bounds, float_bounds=self.float_bounds
        )

    @property
    def sample(self) -> SampleSpec:
        """Kind of the samples of a batch."""
        return PAIR

    def demo(self) -> Self:
        """Return the settings of the same variant for small images, small batches and little time."""
        return self


def check_num_rows(rows: Tensor) -> None:
    """Check that a batch [B, ...] has at least two rows, for losses that compare rows.

    Raises:
        InvalidInputError: It has fewer than 2 rows.
    """
    if len(rows) < 2:
        raise InvalidInputError(
            f"the batch has {len(rows)} row, but the loss compares rows with one another and needs at least"
            " 2: raise batch_size"
        )


class Method(nn.Module, ABC):
    """A module that is trained: it names the fields of a batch that it reads, and computes a loss from them.

    A loss is computed over the batch of all ranks (``gather_all_ranks``), so that it is the same whether one
    process has the whole batch or several share it.
    """

    reads: tuple[str, ...]
    """Names of the fields of a batch that ``loss`` reads; they may depend on the configuration."""

    @abstractmethod
    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss and its terms.

        Args:
            batch: At least the fields named in ``reads``.

        Returns:
            Scalars by name. "loss" is minimized; the others are its terms without their weights, which are
            recorded.
        """

    def before_step(self, state: TrainState) -> None:
        """Update scheduled values, such as a temperature; called before the loss of each step."""

    def after_step(self, state: TrainState) -> None:
        """Update what follows the weights, such as a moving average; called after each optimizer step."""

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss; DistributedDataParallel calls ``forward``."""
        return self.loss(batch)

    def check_reads(self, batch: Batch) -> None:
        """Check that a batch has every field that the loss reads.

        Raises:
            InvalidInputError: Fields are missing.
        """
        missing = [name for name in self.reads if name not in batch]
        if missing:
            raise InvalidInputError(
                f"{type(self).__name__} reads {', '.join(missing)}, which the batch does not have"
                f" (it has {', '.join(batch)}); use a loader with these fields"
            )
