"""The folders in which 3DIEBench, 3DIEBench-T and their out-of-distribution sets are published.

``{synset}/{id}/image_{view}.jpg`` beside ``latent_{view}.npy`` (float64, 7 or 10 numbers), and lists of the
objects of each split: texts ``/{synset}/{id}``, with class numbers in a second file.
"""

import hashlib
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import object_key, parse_npy
from turntable.datasets.labels import REQUIRED, TRANSLATION_NAMES, LabelSchema
from turntable.datasets.objects import ObjectRecord
from turntable.errors import InvalidInputError

COLUMNS = REQUIRED
"""What the numbers of a published label are, in their order."""
TRANSLATED_COLUMNS = (*COLUMNS, *TRANSLATION_NAMES)
"""The same of 3DIEBench-T."""

_IMAGE = re.compile(r"image_(\d+)\.jpg")
_LATENT = re.compile(r"latent_(\d+)\.npy")
_PLAIN_PART = re.compile(r"[A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+)*")


def image_name(view: int) -> str:
    """File of a view's picture."""
    return f"image_{view}.jpg"


def latent_name(view: int) -> str:
    """File of a view's label."""
    return f"latent_{view}.npy"


def views_in(folder: Path) -> tuple[set[int], set[int]]:
    """Which views a folder holds pictures of, and which it holds labels of."""
    names = [path.name for path in folder.iterdir()]
    images, latents = (
        {int(match[1]) for match in map(pattern.fullmatch, names) if match} for pattern in (_IMAGE, _LATENT)
    )
    return images, latents


def label_names(count: int, where: str) -> tuple[str, ...]:
    """The factors of a published label of so many numbers.

    Raises:
        InvalidInputError: no published data set has such labels.
    """
    for names in (COLUMNS, TRANSLATED_COLUMNS):
        if count == len(names):
            return names
    raise InvalidInputError(
        f"{where}: a label of {count} numbers; 3DIEBench has {len(COLUMNS)}, 3DIEBench-T "
        f"{len(TRANSLATED_COLUMNS)}: is this the folder of such a data set?"
    )


def published_columns(schema: LabelSchema) -> list[int]:
    """The columns of our labels in the published order.

    Raises:
        InvalidInputError: the labels lack a factor of the published ones, or have others.
    """
    names = TRANSLATED_COLUMNS if any(name in schema for name in TRANSLATION_NAMES) else COLUMNS
    missing = [name for name in names if name not in schema]
    others = [name for name in schema.names if name not in names]
    if missing or others:
        faults = [f"lack {', '.join(missing)}"] if missing else []
        faults += [f"have {', '.join(others)}, which it has no place for"] if others else []
        raise InvalidInputError(
            f"the labels cannot be written in 3DIEBench's layout: they {' and '.join(faults)}; "
            "render a recipe whose factors are those of 3diebench or 3diebench-t"
        )
    return schema.columns(names)


def object_path(record: ObjectRecord) -> str:
    """Where an object goes: ``{synset}/{id}``, one to one.

    An id of two plain parts stays as it is; any other becomes its category and a readable part with a hash,
    which no plain part can equal: that has no "--".
    """
    parts = record.id.split("/")
    if len(parts) == 2 and all(_PLAIN_PART.fullmatch(part) for part in parts):
        return record.id
    readable = object_key(record.id).split("--")[0]
    return f"{object_key(record.category)}/{readable}--{hashlib.sha256(record.id.encode()).hexdigest()[:16]}"


def parse_latent(data: bytes) -> NDArray[np.float64]:
    """Read one label, float64 [L], from the bytes of its file.

    Raises:
        ValueError: the file is damaged, or holds anything else.
    """
    # Never with pickle: a label file that asks for it is an attack, not a label.
    latent = parse_npy(data)
    if latent.ndim != 1 or latent.dtype.kind != "f" or not np.isfinite(latent).all():
        raise ValueError(f"not a list of finite numbers: {latent.dtype} {latent.shape}")
    return latent.astype(np.float64)
