"""All that is drawn anew for each sample of an epoch: augmentations, boxes of crops, motions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.loaders.draws.augmentation import Augmentation
from turntable.loaders.draws.crops import CropRule
from turntable.loaders.draws.flow_motion import FlowMotion
from turntable.loaders.fields import BatchField, format_crop_field
from turntable.loaders.sampling import IntArray

DrawnFields = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class SampleDraws:
    """The draws of each sample, pure functions of the seed, the epoch and the sample's position."""

    seed: int = 0
    """Seed of the loader."""
    augmentation: Augmentation | None = None
    """Augmentation of each view, and of each crop."""
    crops: tuple[CropRule, ...] = ()
    """Rules of crops."""
    view_size_px: int = 0
    """Side of the images in pixels that crops are cut from."""
    motion: FlowMotion | None = None
    """Motion of each object."""
    canvas_px: int = 0
    """Side of the torus in pixels that objects move over."""

    def draw(self, epoch: int, positions: IntArray, num_views: int) -> DrawnFields:
        """Draw all fields of samples.

        Args:
            epoch: Number of the epoch, from 0.
            positions: [B] positions of the samples in the epoch.
            num_views: Number of views k of a sample.

        Returns:
            By name, as ``docs/labels.md`` defines them: [B, k, ...] for parameters of views, [B, n, ...] for
            those of crops, [B, ...] for motions.
        """
        return self._draw_of_views(epoch, positions, num_views) | self._draw_of_samples(epoch, positions)

    def list_fields(self, num_views: int) -> tuple[BatchField, ...]:
        """List the fields that ``draw`` returns, and the images [n, S, S, 3] of crops."""
        position = np.zeros(1, dtype=np.int64)
        of_views = self._draw_of_views(0, position, num_views)
        of_samples = self._draw_of_samples(0, position)
        fields = [
            BatchField(name, "view", item.shape[2:], str(item.dtype)) for name, item in of_views.items()
        ]
        fields += [
            BatchField(name, "sample", item.shape[1:], str(item.dtype)) for name, item in of_samples.items()
        ]
        for number, rule in enumerate(self.crops):
            shape = (rule.count, rule.size_px, rule.size_px, 3)
            fields.append(BatchField(format_crop_field(number), "sample", shape, "uint8"))
        return tuple(fields)

    def _draw_of_views(self, epoch: int, positions: IntArray, num_views: int) -> DrawnFields:
        if self.augmentation is None:
            return {}
        return self.augmentation.draw_parameters(self.seed, epoch, positions, num_views)

    def _draw_of_samples(self, epoch: int, positions: IntArray) -> DrawnFields:
        drawn = dict(self._iter_crops(epoch, positions))
        if self.motion is not None:
            drawn |= self.motion.draw_parameters(self.seed, epoch, positions, self.canvas_px)
        return drawn

    def _iter_crops(self, epoch: int, positions: IntArray) -> Iterator[tuple[str, NDArray[Any]]]:
        """Yield the boxes of crops in pixels, and the parameters of their augmentation."""
        for number, rule in enumerate(self.crops):
            name = format_crop_field(number)
            shares = rule.draw_shares((str(self.seed), str(epoch), str(number)), positions)
            yield f"{name}_box", (shares * self.view_size_px).astype(np.float32)
            if self.augmentation is not None:
                drawn = self.augmentation.without_crop().draw_parameters(
                    self.seed, epoch, positions, rule.count, (name,)
                )
                yield from ((f"{name}_{parameter}", values) for parameter, values in drawn.items())
