"""Covariances against numpy.cov of features that are computed pixel by pixel."""

import numpy as np
import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.loaders import REGION_FEATURES, SHAPE_FEATURES, compute_covariances
from turntable.loaders.covariances import make_projection

RNG = np.random.default_rng(0)


def make_batch(lead: tuple[int, ...] = (3,), size: int = 9, names: str = "") -> dict[str, np.ndarray]:
    mask = RNG.random((*lead, 1, size, size)) < 0.6
    image = "views" if len(lead) == 2 else f"view{names}"
    return {
        image: RNG.integers(0, 256, (*lead, size, size, 3), dtype=np.uint8),
        f"mask{names}": mask.astype(np.uint8),
        f"depth{names}": RNG.uniform(1, 3, (*lead, 1, size, size)).astype(np.float32),
        f"normals{names}": RNG.uniform(-1, 1, (*lead, 3, size, size)).astype(np.float32),
    }


def describe_pixel(image, mask, depth, normals, row, column) -> list[float]:
    """Return the features of one pixel, written out one by one."""
    size = len(mask)
    colors = image / 255
    gray = colors.mean(axis=-1)

    def differ(values, step):
        ends = []
        for sign in (1, -1):
            i, j = row + sign * step[0], column + sign * step[1]
            seen = 0 <= i < size and 0 <= j < size and mask[i, j]
            ends.append(float(values[i, j] if seen else values[row, column]))
        return (ends[0] - ends[1]) / (2 * (2 / size))  # pixels are 2 / size apart

    right, down = (0, 1), (1, 0)
    return [
        (column + 0.5) * 2 / size - 1,
        (row + 0.5) * 2 / size - 1,
        *colors[row, column],
        float(depth[row, column]),
        *(float(normals[axis, row, column]) for axis in range(3)),
        abs(differ(gray, right)),
        abs(differ(gray, down)),
        np.hypot(differ(depth, right), differ(depth, down)),
    ]


def describe_region(batch: dict[str, np.ndarray], index: tuple[int, ...], image: str, names: str = ""):
    picture, mask = batch[image][index], batch[f"mask{names}"][index][0]
    depth, normals = batch[f"depth{names}"][index][0], batch[f"normals{names}"][index]
    pixels = [describe_pixel(picture, mask, depth, normals, *place) for place in np.argwhere(mask)]
    return np.cov(np.array(pixels).T, bias=True)


@pytest.mark.parametrize(
    ("lead", "names", "image"), [((3,), "", "view"), ((2,), "_2", "view_2"), ((2, 2), "", "views")]
)
def test_regions_are_those_of_pixels_one_by_one(lead: tuple[int, ...], names: str, image: str) -> None:
    batch = make_batch(lead, names=names)
    found = compute_covariances(batch, "region", ridge=0, suffix=names)
    assert found.matrices.shape == (*lead, 12, 12)
    assert len(REGION_FEATURES) == 12
    for index in np.ndindex(*lead):
        expected = describe_region(batch, index, image, names)
        assert np.allclose(found.matrices[index], expected, rtol=1e-9, atol=1e-9)
        assert found.condition_numbers[index] == pytest.approx(np.linalg.cond(expected), rel=1e-6)


def test_the_background_plays_no_part() -> None:
    batch = make_batch()
    before = compute_covariances(batch, "region").matrices
    outside = batch["mask"][:, 0] == 0
    batch["view"][outside] = 77
    batch["depth"][:, 0][outside] = 8
    assert np.array_equal(compute_covariances(batch, "region").matrices, before)


def test_shapes_are_those_of_numpy_and_turn_with_the_object() -> None:
    cloud = RNG.normal(size=(4, 50, 6)).astype(np.float32)
    found = compute_covariances({"object_points": cloud}, "shape", ridge=0, points="object_points")
    for index, points in enumerate(cloud.astype(np.float64)):
        products = [points[:, i] * points[:, j] for i in range(3) for j in range(i, 3)]
        features = np.concatenate([points.T, products])
        assert np.allclose(found.matrices[index], np.cov(features, bias=True))
    assert SHAPE_FEATURES[6:] == ("pxpx", "pxpy", "pxpz", "pypy", "pypz", "pzpz")
    swapped = cloud[..., [1, 0, 2, 4, 3, 5]]  # x and y exchanged
    order = [1, 0, 2, 4, 3, 5, 9, 7, 10, 6, 8, 11]
    turned = compute_covariances({"points": swapped}, "shape", ridge=0).matrices
    assert np.allclose(turned, found.matrices[:, order][:, :, order])


def test_embeddings_are_projected_by_an_orthonormal_matrix() -> None:
    embeddings = RNG.normal(size=(5, 7, 32))
    found = compute_covariances({"embeddings": embeddings}, "views", ridge=0, dims=10, seed=3)
    projection = make_projection(32, 10, 3)
    assert np.allclose(projection.T @ projection, np.eye(10), atol=1e-12)
    assert not np.allclose(projection, make_projection(32, 10, 4))
    for index in range(5):
        expected = projection.T @ np.cov(embeddings[index].T, bias=True) @ projection
        assert np.allclose(found.matrices[index], expected)
        assert np.linalg.matrix_rank(found.matrices[index], tol=1e-10) == 6  # k - 1
    assert (found.condition_numbers > 1e12).all()


def test_the_ridge_is_the_dial_of_conditioning() -> None:
    embeddings = RNG.normal(size=(5, 4, 16))
    plain = compute_covariances({"embeddings": embeddings}, "views", ridge=0).matrices
    conditions = []
    for ridge in (1e-2, 1e-4, 1e-6):
        found = compute_covariances({"embeddings": embeddings}, "views", ridge=ridge)
        trace = np.trace(plain, axis1=1, axis2=2)[:, None, None]
        assert np.allclose(found.matrices, plain + ridge * trace / 12 * np.eye(12))
        assert np.linalg.eigvalsh(found.matrices).min() > 0
        conditions.append(found.condition_numbers)
    assert np.allclose(conditions[1] / conditions[0], 100, rtol=0.05)
    assert np.allclose(conditions[2] / conditions[1], 100, rtol=0.05)
    assert np.isinf(compute_covariances({"points": np.ones((1, 5, 6))}, "shape").condition_numbers).all()


def test_tensors_give_the_same_and_let_gradients_pass() -> None:
    batch = make_batch()
    tensors = {name: torch.from_numpy(array) for name, array in batch.items()}
    tensors["view"] = tensors["view"].movedim(-1, -3)
    cases = [
        (batch, tensors, "region"),
        (
            make := {"points": RNG.normal(size=(2, 9, 6))},
            {"points": torch.from_numpy(make["points"])},
            "shape",
        ),
    ]
    for arrays, as_tensors, kind in cases:
        expected, found = (compute_covariances(given, kind) for given in (arrays, as_tensors))
        assert isinstance(found.matrices, torch.Tensor)
        assert torch.allclose(found.matrices, torch.from_numpy(expected.matrices))
        assert torch.allclose(found.condition_numbers, torch.from_numpy(expected.condition_numbers))
    leaf = torch.randn(3, 5, 14, requires_grad=True)
    compute_covariances({"embeddings": leaf}, "views").matrices.sum().backward()
    assert leaf.grad is not None
    assert leaf.grad.abs().sum() > 0


def test_what_is_missing_is_named() -> None:
    batch = make_batch()
    del batch["depth"]
    with pytest.raises(
        InvalidInputError, match=r"need view, mask, depth, normals, .* no depth .*--outputs rgb,"
    ):
        compute_covariances(batch, "region")
    with pytest.raises(InvalidInputError, match=r"no points .*--points 2048"):
        compute_covariances(batch, "shape")
    with pytest.raises(InvalidInputError, match="no view_1"):
        compute_covariances(batch, "region", suffix="_1")
    with pytest.raises(InvalidInputError, match="kind"):
        compute_covariances(batch, "color")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidInputError, match="ridge -1"):
        compute_covariances(batch, "region", ridge=-1)
    hidden = make_batch()
    hidden["mask"][1] = 0
    with pytest.raises(InvalidInputError, match="the mask of view 1 of the batch has 0 pixels"):
        compute_covariances(hidden, "region")
    with pytest.raises(InvalidInputError, match="project to at most D numbers"):
        compute_covariances({"embeddings": np.ones((2, 3, 4))}, "views")
