"""Covariance matrices of batches: of the pixels of objects, of point clouds, and of the views of an object.

Symmetric positive matrices as data, for methods on their manifold; region covariances are those of Tuzel et
al. (2006). Arrays of numpy and tensors are taken alike, and computed in float64.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from turntable.choices import check_choice
from turntable.datasets.draws import pairs_to_normals, words_to_units
from turntable.errors import InvalidInputError, format_value
from turntable.loaders.argument_checks import check_integer, check_number

CovarianceKind = Literal["region", "shape", "views"]
REGION_FEATURES = ("x", "y", "r", "g", "b", "depth", "nx", "ny", "nz", "|dx|", "|dy|", "|d depth|")
"""Features of a pixel, in the order of the rows of a region's matrix."""
SHAPE_FEATURES = ("px", "py", "pz", "nx", "ny", "nz", "pxpx", "pxpy", "pxpz", "pypy", "pypz", "pzpz")
"""Features of a point, in the order of the rows of a shape's matrix."""
_NEEDED: dict[CovarianceKind, tuple[str, ...]] = {
    "region": ("view", "mask", "depth", "normals"),
    "shape": ("points",),
    "views": ("embeddings",),
}
_REMEDIES: dict[CovarianceKind, str] = {
    "region": 'name fields=["mask", "depth", "normals"] of a data set that is rendered with --outputs '
    "rgb,mask,depth,normals",
    "shape": 'name fields=["points"] of a data set that is rendered with --points 2048, or give '
    'points="object_points"',
    "views": "give the embeddings [B, k, D] of k views of each object, such as those of a trained method",
}


@dataclass(frozen=True, slots=True, eq=False)
class Covariances:
    """Covariance matrices with their condition numbers; arrays or tensors, as the batch has."""

    matrices: Any
    """float64 [..., n, n], symmetric and positive definite where the ridge is above 0."""
    condition_numbers: Any
    """float64 [...] largest eigenvalue over the smallest; infinite where that is not above 0."""


def compute_covariances(
    batch: Mapping[str, Any],
    kind: CovarianceKind,
    *,
    ridge: float = 1e-4,
    suffix: str = "",
    points: str = "points",
    dims: int = 12,
    seed: int = 0,
) -> Covariances:
    """Compute a covariance matrix for each view, cloud or object of a batch.

    - "region": of the features ``REGION_FEATURES`` of the pixels in the object's mask. x and y are from -1 to
      1, right and down; colors from 0 to 1; depth in diagonals; |dx|, |dy| and |d depth| are derivatives of
      the mean color and of the depth by x and y, central differences in which a neighbor outside of the mask
      counts as the pixel itself.
    - "shape": of the features ``SHAPE_FEATURES`` of the points of a cloud.
    - "views": of k vectors ``batch["embeddings"]`` [B, k, D], projected to ``dims`` numbers by a seeded
      matrix with orthonormal columns. Its rank is at most k - 1.

    Args:
        batch: Batch of a loader, with arrays or tensors.
        kind: Kind of the covariances, see above.
        ridge: Share of the mean variance (trace / n) that is added to every variance. A small one leaves
            matrices ill-conditioned.
        suffix: Suffix of the names of fields: "_1" and "_2" in pairs. Samples of several views (``views``)
            have none.
        points: Name of the cloud's field: "points", or "object_points".
        dims: Number of dimensions that embeddings are projected to.
        seed: Seed of that projection.

    Returns:
        [B, n, n], or [B, k, n, n] for samples of several views.

    Raises:
        InvalidInputError: The batch lacks a field, an object is hidden in its picture, or an argument is
            wrong.
    """
    check_choice("kind", kind, get_args(CovarianceKind))
    ridge = check_number("ridge", ridge)
    if ridge < 0:
        raise InvalidInputError(f"ridge {ridge:g}: must be from 0")
    if kind == "region":
        return _finish(*_get_region_features(batch, suffix), ridge)
    if kind == "shape":
        cloud = _to_float(_get_field(batch, kind, f"{points}{suffix}", suffix))
        return _finish(_get_shape_features(cloud), None, ridge)
    embeddings = _to_float(_get_field(batch, kind, "embeddings", suffix))
    return _finish(_project(embeddings, check_integer("dims", dims, 1), seed), None, ridge)


def _finish(features: Any, weights: Any, ridge: float) -> Covariances:
    """Return the covariances of features [..., N, n], each with a weight of 0 or 1 [..., N]; None for all."""
    xp = _get_namespace(features)
    weights = features[..., 0] * 0 + 1 if weights is None else weights
    count = weights.sum(-1)[..., None]
    mean = xp.einsum("...p,...pi->...i", weights, features) / count
    centered = (features - mean[..., None, :]) * weights[..., None]
    matrices = xp.einsum("...pi,...pj->...ij", centered, centered) / count[..., None]
    size = matrices.shape[-1]
    mean_variance = xp.einsum("...ii->...", matrices) / size
    identity = _convert_like(np.eye(size), matrices)
    matrices = matrices + ridge * mean_variance[..., None, None] * identity
    values = xp.linalg.eigvalsh(matrices)
    lowest, highest = values[..., 0], values[..., -1]
    positive = lowest > 0
    infinite = highest * 0 + float("inf")
    return Covariances(matrices, xp.where(positive, highest / xp.where(positive, lowest, 1), infinite))


def _get_region_features(batch: Mapping[str, Any], suffix: str) -> tuple[Any, Any]:
    """Return the features [..., H * W, 12] of all pixels, and the mask [..., H * W] as 0 and 1."""
    several = not suffix and "view" not in batch and "views" in batch
    image = _get_field(batch, "region", "views" if several else f"view{suffix}", suffix)
    is_array = isinstance(image, np.ndarray)
    image = _to_float(np.moveaxis(image, -1, -3) if is_array else image) / 255
    names = ("mask", "depth", "normals")
    mask, depth, normals = (
        _to_float(_get_field(batch, "region", f"{name}{suffix}", suffix)) for name in names
    )
    xp = _get_namespace(image)
    inside = mask[..., 0, :, :]
    _check_masks(inside)
    height, width = inside.shape[-2:]
    x = (
        _convert_like(np.broadcast_to((np.arange(width) + 0.5) * 2 / width - 1, (height, width)), image)
        + inside * 0
    )
    y = (
        _convert_like(np.repeat(((np.arange(height) + 0.5) * 2 / height - 1)[:, None], width, 1), image)
        + inside * 0
    )
    gray, far = image.sum(-3) / 3, depth[..., 0, :, :]
    gray_x, gray_y = (_compute_derivative(gray, inside, axis) for axis in (-1, -2))
    slope = xp.sqrt(sum(_compute_derivative(far, inside, axis) ** 2 for axis in (-1, -2)))
    colors, directions = ([field[..., channel, :, :] for channel in range(3)] for field in (image, normals))
    features = xp.stack([x, y, *colors, far, *directions, xp.abs(gray_x), xp.abs(gray_y), slope], -1)
    lead = inside.shape[:-2]
    return features.reshape(*lead, height * width, 12), inside.reshape(*lead, height * width)


def _compute_derivative(values: Any, inside: Any, axis: int) -> Any:
    """Compute the derivative of values [..., H, W] along an axis by central differences within a mask."""
    xp, size = _get_namespace(values), values.shape[axis]
    after, before = (
        xp.where(_shift(inside, axis, step) > 0, _shift(values, axis, step), values) for step in (1, -1)
    )
    return (after - before) / 2 * (size / 2)


def _shift(values: Any, axis: int, step: int) -> Any:
    """Return the next (1) or previous (-1) values along an axis; the last one repeats itself."""
    moved = values.swapaxes(axis, -1)
    kept = moved[..., -1:] if step > 0 else moved[..., :1]
    parts = [moved[..., 1:], kept] if step > 0 else [kept, moved[..., :-1]]
    return _get_namespace(values).concatenate(parts, -1).swapaxes(axis, -1)


def _get_shape_features(cloud: Any) -> Any:
    """Return the features [..., P, 12] of points with normals [..., P, 6]."""
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    columns = [cloud[..., column] for column in range(6)]
    return _get_namespace(cloud).stack([*columns, *(columns[i] * columns[j] for i, j in pairs)], -1)


def _project(embeddings: Any, dims: int, seed: int) -> Any:
    """Project embeddings [..., D] to ``dims`` numbers."""
    width = embeddings.shape[-1]
    if embeddings.ndim < 3 or embeddings.shape[-2] < 2 or dims > width:
        raise InvalidInputError(
            f"embeddings of the shape {tuple(embeddings.shape)}, dims {dims}: give [B, k, D] of k views, at "
            "least 2, and project to at most D numbers"
        )
    return embeddings @ _convert_like(make_projection(width, dims, seed), embeddings)


def make_projection(width: int, dims: int, seed: int) -> NDArray[np.float64]:
    """Return a random matrix [width, dims] with orthonormal columns, uniform by the Haar measure."""
    words = np.asarray(np.random.Philox(key=seed).random_raw(2 * width * dims), dtype=np.uint64)
    normals = pairs_to_normals(*words_to_units(words).reshape(2, width, dims))
    # Positive diagonals make the factors unique, so the result is uniform and does not depend on the library.
    q, r = np.linalg.qr(normals)
    return q * np.where(np.diagonal(r) < 0, -1.0, 1.0)


def _check_masks(inside: Any) -> None:
    counts = np.asarray(inside.reshape(-1, inside.shape[-2] * inside.shape[-1]).sum(-1).tolist())
    if (counts < 2).any():
        number = int(np.flatnonzero(counts < 2)[0])
        raise InvalidInputError(
            f"the mask of view {number} of the batch has {int(counts[number])} pixels, and a covariance "
            "needs at least 2; use larger images, or leave such views out with where"
        )


def _get_field(batch: Mapping[str, Any], kind: CovarianceKind, name: str, suffix: str) -> Any:
    if name in batch:
        return batch[name]
    needed = ", ".join(f"{item}{'' if item == 'embeddings' else suffix}" for item in _NEEDED[kind])
    raise InvalidInputError(
        f"covariances of the kind {kind} need {needed}, and the batch has no {name} (it has "
        f"{format_value(sorted(batch))}); {_REMEDIES[kind]}"
    )


def _to_float(values: Any) -> Any:
    return np.asarray(values, np.float64) if _get_namespace(values) is np else values.double()


def _convert_like(array: NDArray[np.float64], other: Any) -> Any:
    """Return an array as it is, or as a tensor on the device of another one."""
    if _get_namespace(other) is np:
        return array
    return _get_namespace(other).as_tensor(np.ascontiguousarray(array), device=other.device)


def _get_namespace(values: Any) -> Any:
    """Return torch for tensors, numpy for all else. torch is not imported."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(values, torch.Tensor) else np
