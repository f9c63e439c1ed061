"""Reading of one object of a published folder: pictures decoded strictly, labels within their ranges."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.convert.folder_layout import (
    find_views,
    make_image_name,
    make_latent_name,
    parse_latent,
)
from turntable.datasets.files import FolderFiles, compute_max_member_bytes, decode_jpeg
from turntable.datasets.labels import LabelArray
from turntable.datasets.objects import QuarantineRecord
from turntable.datasets.recipes import Recipe
from turntable.errors import IntegrityError, InvalidInputError, TurntableError

MAX_LATENT_BYTES = 64 << 10

FloatArray = NDArray[np.float64]


def read_file(files: FolderFiles, name: str, max_bytes: int) -> bytes:
    """Return the bytes of a file. Raises IntegrityError if it is missing or larger than ``max_bytes``."""
    data = files.read(name, max_bytes)
    if data is None:
        raise IntegrityError(f"{files.format_name(name)}: missing")
    return data


def read_object(
    files: FolderFiles, name: str, recipe: Recipe
) -> tuple[LabelArray, list[bytes]] | QuarantineRecord:
    """Read the labels [V, L] and JPEGs of one object, or return the reason to leave it out."""
    path = files.root / name
    images, latents = find_views(path)
    expected = set(range(recipe.views))
    missing = [make_image_name(view) for view in sorted(expected - images)]
    missing += [make_latent_name(view) for view in sorted(expected - latents)]
    if missing:
        return QuarantineRecord(name, "views missing", f"{path}: no {', '.join(missing[:5])}")
    if images | latents != expected:
        return QuarantineRecord(
            name, "views too many", f"{path}: {len(images | latents)}, where others have {recipe.views}"
        )
    try:
        jpegs = [_read_jpeg(files, f"{name}/{make_image_name(view)}", recipe) for view in range(recipe.views)]
        values = [
            _read_latent(files, f"{name}/{make_latent_name(view)}", recipe) for view in range(recipe.views)
        ]
    except _FileError as error:
        return QuarantineRecord(name, error.reason, str(error))
    return _make_labels(path, np.stack(values), recipe), jpegs


class _FileError(Exception):
    """An error of one file, which makes its object unusable."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def _read_jpeg(files: FolderFiles, name: str, recipe: Recipe) -> bytes:
    size, path = recipe.image_size_px, files.format_name(name)
    try:
        data = read_file(files, name, compute_max_member_bytes(size))
        height, width = decode_jpeg(data).shape[:2]
    except TurntableError as error:
        raise _FileError("image damaged", f"{path}: {error}") from None
    if (height, width) != (size, size):
        raise _FileError("image of another size", f"{path}: {width} x {height}, not {size} x {size}")
    return data


def _read_latent(files: FolderFiles, name: str, recipe: Recipe) -> FloatArray:
    path = files.format_name(name)
    try:
        latent = parse_latent(read_file(files, name, MAX_LATENT_BYTES))
    except (ValueError, TurntableError) as error:
        raise _FileError("label damaged", f"{path}: {error}") from None
    if len(latent) != len(recipe.factors):
        raise _FileError("label damaged", f"{path}: {len(latent)} numbers, not {len(recipe.factors)}")
    return latent


def _make_labels(path: Path, latents: FloatArray, recipe: Recipe) -> LabelArray:
    """Return the labels, float32 [V, L]. Raises InvalidInputError if one is outside its factor's range."""
    for values, factor in zip(latents.T, recipe.factors, strict=True):
        inside = np.any([(values >= low) & (values <= high) for low, high in factor.get_intervals()], axis=0)
        if not inside.all():
            view = int(np.argmin(inside))
            ranges = " or ".join(f"[{low:.6g}, {high:.6g}]" for low, high in factor.get_intervals())
            raise InvalidInputError(
                f"{path / make_latent_name(view)}: {factor.name} is {values[view]:.6g}, outside {ranges}, "
                f"the range of recipe {recipe.name}; give the recipe this data set was drawn from with "
                "--like, if need be a TOML file of your own"
            )
    return recipe.schema.round_values(latents)
