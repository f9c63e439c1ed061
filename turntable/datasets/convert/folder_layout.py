"""The layout of the folders in which 3DIEBench, 3DIEBench-T and their out-of-distribution sets are published.

An object is a folder ``{synset}/{id}`` of files ``image_{view}.jpg`` and ``latent_{view}.npy`` (float64, 7
or 10 numbers). Lists name the objects of each split as texts ``/{synset}/{id}``; a second file has their
category indices.
"""

import hashlib
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import decode_npy, make_object_key
from turntable.datasets.labels import REQUIRED_FACTORS, TRANSLATION_NAMES, LabelSchema
from turntable.datasets.objects import ObjectRecord
from turntable.errors import InvalidInputError

PUBLISHED_FACTORS = REQUIRED_FACTORS
"""The factors of a published label, in order."""
PUBLISHED_TRANSLATED_FACTORS = (*PUBLISHED_FACTORS, *TRANSLATION_NAMES)
"""The factors of a published label of 3DIEBench-T, in order."""

_IMAGE_PATTERN = re.compile(r"image_(\d+)\.jpg")
_LATENT_PATTERN = re.compile(r"latent_(\d+)\.npy")
_PLAIN_PART = re.compile(r"[A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+)*")


def make_image_name(view: int) -> str:
    """Return the file name of a view's picture."""
    return f"image_{view}.jpg"


def make_latent_name(view: int) -> str:
    """Return the file name of a view's label."""
    return f"latent_{view}.npy"


def find_views(folder: Path) -> tuple[set[int], set[int]]:
    """Return the numbers of the views whose pictures a folder holds, and of those whose labels it holds."""
    names = [path.name for path in folder.iterdir()]
    images, latents = (
        {int(match[1]) for match in map(pattern.fullmatch, names) if match}
        for pattern in (_IMAGE_PATTERN, _LATENT_PATTERN)
    )
    return images, latents


def get_label_names(num_values: int, display_name: str) -> tuple[str, ...]:
    """Return the names of the factors of a published label.

    Args:
        num_values: Number of values of the label.
        display_name: Name of the label's file in error messages.

    Raises:
        InvalidInputError: No published data set has such labels.
    """
    for names in (PUBLISHED_FACTORS, PUBLISHED_TRANSLATED_FACTORS):
        if num_values == len(names):
            return names
    raise InvalidInputError(
        f"{display_name}: the label has {num_values} numbers, but 3DIEBench's have "
        f"{len(PUBLISHED_FACTORS)} and 3DIEBench-T's {len(PUBLISHED_TRANSLATED_FACTORS)}; "
        "is this the folder of such a data set?"
    )


def select_published_columns(schema: LabelSchema) -> list[int]:
    """Return the columns of the schema in the published order.

    Raises:
        InvalidInputError: The schema lacks a published factor, or has others.
    """
    names = (
        PUBLISHED_TRANSLATED_FACTORS
        if any(name in schema for name in TRANSLATION_NAMES)
        else PUBLISHED_FACTORS
    )
    missing = [name for name in names if name not in schema]
    others = [name for name in schema.names if name not in names]
    if missing or others:
        faults = [f"lack {', '.join(missing)}"] if missing else []
        faults += [f"have {', '.join(others)}, which it has no place for"] if others else []
        raise InvalidInputError(
            f"the labels cannot be written in 3DIEBench's layout: they {' and '.join(faults)}; "
            "render a recipe whose factors are those of 3diebench or 3diebench-t"
        )
    return schema.get_columns(names)


def make_object_path(record: ObjectRecord) -> str:
    """Return an object's path in the layout, ``{synset}/{id}``. Different objects get different paths.

    An id of two plain parts stays as it is. Any other becomes its category and a readable part with a hash.
    The two cannot collide, because a plain part never contains "--".
    """
    parts = record.id.split("/")
    if len(parts) == 2 and all(_PLAIN_PART.fullmatch(part) for part in parts):
        return record.id
    readable = make_object_key(record.id).split("--")[0]
    digest = hashlib.sha256(record.id.encode()).hexdigest()
    return f"{make_object_key(record.category)}/{readable}--{digest[:16]}"


def parse_latent(data: bytes) -> NDArray[np.float64]:
    """Parse one label, float64 [L], from the bytes of its file.

    Raises:
        ValueError: The file is damaged, or holds anything else.
    """
    # decode_npy refuses pickled arrays: unpickling runs code, and a label has no need of it.
    latent = decode_npy(data)
    if latent.ndim != 1 or latent.dtype.kind != "f" or not np.isfinite(latent).all():
        raise ValueError(f"not a list of finite numbers: {latent.dtype} {latent.shape}")
    return latent.astype(np.float64)
