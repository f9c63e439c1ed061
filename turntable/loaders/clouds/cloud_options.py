"""Settings of the point clouds of batches."""

from dataclasses import dataclass
from typing import Literal, get_args

from turntable.choices import check_choice
from turntable.errors import InvalidInputError
from turntable.loaders.argument_checks import check_integer, check_number
from turntable.loaders.clouds.corruption import PointCorruption

PixelChoice = Literal["uniform", "farthest"]
"""Rule that picks the pixels of a partial cloud, see ``CloudOptions.choice``."""
DEFAULT_PARTIAL_POINTS = 1024
"""Number of points of a partial cloud, if none is given."""
_REACH_VOXELS = 2
"""Largest distance of points that overlap, in voxels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudOptions:
    """Settings of point clouds: those of objects (``points``), what a view shows of one (``cloud``), scans.

    Raises:
        InvalidInputError: A value is wrong.
    """

    num_points: int | None = None
    """Number of points of every cloud. Of a stored one these are its first, which are spread over the whole
    surface too. None: all that are stored, and 1,024 of each partial cloud and of a scan's objects."""
    choice: PixelChoice = "uniform"
    """Choice of a partial cloud's points among the pixels that show the object: "uniform", or "farthest" for
    points that are spread evenly (farthest-point sampling of four times as many uniform ones), which takes
    more time."""
    voxel: float = 0.02
    """Side of a voxel in diagonals. Points of two partial clouds overlap within two voxels."""
    seed: int = 0
    """Seed of the choice of pixels and returns. A view has the same partial cloud in every epoch."""
    num_returns: int | None = None
    """Number of returns of every scan, a uniform choice of them; None: all, padded to the largest scan."""
    instance: int | None = None
    """Instance whose returns are the cloud ``scan_cloud``; None: the returns of all objects together."""
    corruption: PointCorruption | None = None
    """Faults of ``points``, drawn anew for each sample from the loader's seed; None: no faults."""

    def __post_init__(self) -> None:
        for name, least in (("num_points", 1), ("num_returns", 1), ("instance", 0)):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, check_integer(name, getattr(self, name), least))
        check_choice("choice of pixels", self.choice, get_args(PixelChoice))
        object.__setattr__(self, "voxel", check_number("voxel", self.voxel, above_zero=True))
        object.__setattr__(self, "seed", check_integer("seed", self.seed))
        if type(self.corruption) not in (PointCorruption, type(None)):
            raise InvalidInputError(
                f"corruption {self.corruption!r}: give a PointCorruption, such as PointCorruption(noise=0.01)"
            )

    @property
    def num_partial_points(self) -> int:
        """Number of points of a partial cloud."""
        return DEFAULT_PARTIAL_POINTS if self.num_points is None else self.num_points

    @property
    def reach(self) -> float:
        """Largest distance in diagonals of points that overlap."""
        return _REACH_VOXELS * self.voxel
