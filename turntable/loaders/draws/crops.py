"""Crops: rules that draw several boxes in one view of each sample, whose pixels become images."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws import WORDS_PER_BLOCK, draw_words, make_philox_key, words_to_units
from turntable.errors import InvalidInputError
from turntable.loaders.argument_checks import check_integer
from turntable.loaders.draws.geometry_draws import CROP_WORDS, FloatArray, Span, compute_crops
from turntable.loaders.draws.span_checks import check_span
from turntable.loaders.sampling import IntArray


class CropRule(Protocol):
    """The interface of rules for crops. A rule is frozen, and its boxes depend on the key alone."""

    @property
    def count(self) -> int:
        """Number n of crops of a sample."""
        ...

    @property
    def size_px(self) -> int:
        """Side of each crop in pixels, after it was resized."""
        ...

    @property
    def view(self) -> int:
        """Number of the view that crops are cut from, in the order of the sample, from 1."""
        ...

    def draw_shares(self, names: tuple[str, ...], positions: IntArray) -> FloatArray:
        """Draw the boxes of samples.

        Args:
            names: Names of the stream of random numbers: the seed, the epoch and the number of the rule.
            positions: [B] positions of the samples in the epoch.

        Returns:
            [B, n, 4] top, left, height and width as shares of the sides of the view.
        """
        ...


@dataclass(frozen=True, slots=True)
class RandomCrops:
    """Crops of random place, area and ratio, as torchvision's RandomResizedCrop, each drawn by itself.

    Raises:
        InvalidInputError: A value is out of range.
    """

    count: int = 2
    """Number n of crops of a sample."""
    size_px: int = 96
    """Side of each crop in pixels, after it was resized."""
    scale: Span = (0.08, 0.6)
    """Range of the share of the view's area, drawn uniformly (OBoW, arXiv:2012.11552)."""
    ratio: Span = (3 / 4, 4 / 3)
    """Range of the crop's width divided by its height, drawn log-uniformly."""
    view: int = 1
    """Number of the view that crops are cut from, in the order of the sample, from 1."""

    def __post_init__(self) -> None:
        for name in ("count", "size_px", "view"):
            _set_integer(self, name, 1)
        check_span("scale", self.scale, 1.0)
        check_span("ratio", self.ratio, np.inf)

    def draw_shares(self, names: tuple[str, ...], positions: IntArray) -> FloatArray:
        """Draw the boxes of samples, [B, n, 4]; the first of n crops are those of a smaller number."""
        units = [_draw_units((*names, str(number)), positions, CROP_WORDS) for number in range(self.count)]
        return compute_crops(np.stack(units, axis=1), self.scale, self.ratio)


@dataclass(frozen=True, slots=True)
class GridCrops:
    """Crops on a jittered square grid over a random part of the view, some of which are kept (OBoW).

    The part is resized to ``area_px``. Its crops lie at even distances, each moved right and down by a random
    whole number of pixels up to ``jitter_px``. The defaults are those of OBoW (arXiv:2012.11552).

    Raises:
        InvalidInputError: A value is out of range, or the crops do not fit.
    """

    count: int = 5
    """Number n of crops that are kept, all choices and orders equally likely."""
    size_px: int = 96
    """Side of each crop in pixels."""
    per_side: int = 3
    """Number of crops along each side of the grid."""
    jitter_px: int = 24
    """Largest distance in pixels that a crop is moved by along each axis."""
    area_px: int = 256
    """Side in pixels that the part of the view is resized to, at least ``size_px + jitter_px``."""
    scale: Span = (0.6, 1.0)
    """Range of the share of the view's area that the part covers, drawn uniformly."""
    ratio: Span = (3 / 4, 4 / 3)
    """Range of the part's width divided by its height, drawn log-uniformly."""
    view: int = 1
    """Number of the view that crops are cut from, in the order of the sample, from 1."""

    def __post_init__(self) -> None:
        for name in ("count", "size_px", "per_side", "area_px", "view"):
            _set_integer(self, name, 1)
        _set_integer(self, "jitter_px", 0)
        check_span("scale", self.scale, 1.0)
        check_span("ratio", self.ratio, np.inf)
        if self.count > self.per_side**2:
            raise InvalidInputError(
                f"GridCrops: a grid of {self.per_side} x {self.per_side} has no {self.count} crops; give a"
                " smaller count, or more per_side"
            )
        if self.size_px + self.jitter_px > self.area_px:
            raise InvalidInputError(
                f"GridCrops: crops of {self.size_px} px that are moved by up to {self.jitter_px} px do not"
                f" fit into {self.area_px} px; give a larger area_px, or smaller crops"
            )

    def draw_shares(self, names: tuple[str, ...], positions: IntArray) -> FloatArray:
        """Draw the boxes of samples, [B, n, 4]; the first of n crops are those of a smaller number."""
        area = compute_crops(_draw_units((*names, "area"), positions, CROP_WORDS), self.scale, self.ratio)
        cells = self.per_side**2
        # A sort of random numbers is a uniform permutation, of which the first are kept.
        kept = np.argsort(_draw_units((*names, "kept"), positions, cells), axis=1)[:, : self.count]
        jitter = _draw_units((*names, "jitter"), positions, 2 * cells).reshape(len(positions), cells, 2)
        corners = self._list_cell_corners() + np.floor(jitter * (self.jitter_px + 1))
        corners = np.take_along_axis(corners, kept[..., None], axis=1) / self.area_px
        top_left, sides = area[:, None, :2], area[:, None, 2:]
        size = np.broadcast_to(sides * (self.size_px / self.area_px), corners.shape)
        return np.concatenate([top_left + corners * sides, size], axis=-1)

    def _list_cell_corners(self) -> FloatArray:
        """List the top left corners of all crops before they are moved, [cells, 2] down and right."""
        free = self.area_px - self.size_px - self.jitter_px
        steps = np.linspace(0.0, free, self.per_side) if self.per_side > 1 else np.array([free / 2])
        return np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)


def _draw_units(names: tuple[str, ...], positions: IntArray, count: int) -> NDArray[np.float64]:
    """Draw numbers from 0 to 1, [B, count]."""
    num_words = -(-count // WORDS_PER_BLOCK) * WORDS_PER_BLOCK
    return words_to_units(draw_words(make_philox_key("crops", *names), positions, num_words))[:, :count]


def _set_integer(rule: RandomCrops | GridCrops, name: str, least: int) -> None:
    value = check_integer(f"{type(rule).__name__}.{name}", getattr(rule, name), least)
    object.__setattr__(rule, name, value)
