"""The returns of one scan as a batch has them: a choice of them, padded to a fixed number."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Split
from turntable.loaders.clouds.cloud_options import CloudOptions
from turntable.loaders.clouds.pixel_choice import IndexArray, choose_uniform
from turntable.loaders.clouds.point_draws import draw_view_words

NO_INSTANCE = -3
"""Instance where a scan is padded."""


@dataclass(frozen=True, eq=False)
class ScanReturns:
    """The N returns chosen from one scan, and those of its objects."""

    returns: NDArray[np.float32]
    """[N, 8] x, y, z, intensity, instance and flow, in the order of the rays."""
    object_returns: NDArray[np.float32]
    """[M, 8] those of objects, or of one of them, in a random order; the first ones are a fair choice."""
    has_flow: bool
    """True unless the view is the last of a sequence, or of none."""

    def pad_scan(self, num_returns: int) -> NDArray[np.float32]:
        """Return x, y, z and intensity [num_returns, 4]; 0 where padded."""
        return _pad(self.returns[:, :4], num_returns, 0)

    def pad_flow(self, num_returns: int) -> NDArray[np.float32]:
        """Return the flow [num_returns, 3]; 0 where padded or not known."""
        return _pad(self.returns[:, 5:], num_returns, 0)

    def pad_flow_valid(self, num_returns: int) -> NDArray[np.bool_]:
        """Return where the flow is known, [num_returns]."""
        return _pad(np.full(len(self.returns), self.has_flow), num_returns, 0)

    def pad_instances(self, num_returns: int) -> NDArray[np.int64]:
        """Return the instances [num_returns]; ``NO_INSTANCE`` where padded."""
        return _pad(self.returns[:, 4].astype(np.int64), num_returns, NO_INSTANCE)

    def repeat_cloud(self, num_points: int) -> NDArray[np.float32]:
        """Return the objects' x, y, z and intensity [num_points, 4]; they repeat if there are fewer."""
        return np.resize(self.object_returns[:num_points, :4], (num_points, 4))


def read_scan(options: CloudOptions, split: Split, row: int, view: int, image_size_px: int) -> ScanReturns:
    """Read the scan of a view. The choice depends on the options, the object and the view's number alone.

    Args:
        options: Number of returns, and the object whose cloud is cut out.
        split: Split with the output scan.
        row: Row of the object.
        view: Number of the view.
        image_size_px: Side of a batch's images, which changes nothing.

    Raises:
        IntegrityError: The file is damaged.
    """
    del image_size_px
    scan = split.read_output(row, view, "scan")
    names = ("scan", str(options.seed), split.get_object_id(row))
    order = choose_uniform(draw_view_words(names, view, len(scan)), len(scan))
    instance = scan[order, 4]
    is_object = instance >= 0 if options.instance is None else instance == options.instance
    return ScanReturns(
        scan[_take(order, options.num_returns)], scan[order[is_object]], _has_flow(split, view)
    )


def _take(order: IndexArray, num_returns: int | None) -> IndexArray:
    return np.arange(len(order)) if num_returns is None else np.sort(order[:num_returns])


def _has_flow(split: Split, view: int) -> bool:
    length = int((split.manifest.recipe.get("sequence") or {}).get("length", 1))
    return (view + 1) % length != 0


def _pad(values: NDArray[Any], length: int, padding: int) -> NDArray[Any]:
    padded = np.full((length, *values.shape[1:]), padding, values.dtype)
    padded[: len(values)] = values
    return padded
