"""Fixed lists of samples as files, so that everybody validates on the same ones."""

import json
from pathlib import Path
from typing import Any, cast

import numpy as np

from turntable.datasets.dataset import Dataset
from turntable.datasets.digests import canonical_json
from turntable.datasets.storage import write_text
from turntable.errors import IntegrityError, InvalidInputError
from turntable.loaders.samplers import Samples

_FORMAT = 1
_REMEDY = "write it again, or fetch it again"


def write_pairs(path: str | Path, samples: Samples, dataset: Dataset, split: str) -> None:
    """Store a list of samples. The same list always gives the same bytes.

    Args:
        path: of the file, JSON; replaced in one step.
        samples: such as of ``validation_pairs``; of any number of views.
        dataset: that they are of.
        split: that they are of.

    Raises:
        InvalidInputError: they are not of this split.
    """
    with dataset.split(split) as opened:
        rows, views = opened.num_objects, opened.num_views
        if len(samples) == 0 or samples.objects.max() >= rows or samples.views.max() >= views:
            raise InvalidInputError(
                f"the samples are not of {split} of {dataset.place}: it has {rows} objects of {views} views"
            )
        keys = opened.keys
    # One line a sample, for people and for `diff`: the object's key, then its views.
    lines = [
        canonical_json([keys[row], *views])
        for row, views in zip(samples.objects.tolist(), samples.views.tolist(), strict=True)
    ]
    head = {
        "format": _FORMAT,
        "dataset": dataset.manifest.name,
        "fingerprint": dataset.manifest.fingerprint,
        "split": split,
        "digest": samples.digest,
    }
    text = json.dumps(head, indent=1)[:-2] + ',\n "samples": [\n  ' + ",\n  ".join(lines) + "\n ]\n}\n"
    write_text(Path(path), text)


def read_pairs(path: str | Path, dataset: Dataset, split: str | None = None) -> Samples:
    """Read a list that ``write_pairs`` stored.

    Args:
        path: of the file.
        dataset: that the samples are to be drawn from.
        split: that they must be of, if that matters here.

    Raises:
        InvalidInputError: there is no such file, or it is of another data set or split.
        IntegrityError: it is not what was written.
    """
    table = _read(Path(path))
    fingerprint, found = dataset.manifest.fingerprint, str(table["split"])
    if table["fingerprint"] != fingerprint:
        raise InvalidInputError(
            f"{path}: of another data set ({table['dataset']}, fingerprint {table['fingerprint']}), not of "
            f"{dataset.place} ({fingerprint}); give that one, or write a list of this one"
        )
    if split is not None and split != found:
        raise InvalidInputError(f"{path}: of the split {found}, not of {split}")
    with dataset.split(found) as opened:
        place = {key: row for row, key in enumerate(opened.keys)}
    try:
        objects = np.array([place[item[0]] for item in table["samples"]], dtype=np.int64)
        views = np.array([item[1:] for item in table["samples"]], dtype=np.int64)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise IntegrityError(f"{path}: not a list of samples ({error!r}); {_REMEDY}") from None
    samples = Samples(objects, views)
    if views.ndim != 2 or samples.digest != table["digest"]:
        raise IntegrityError(f"{path}: edited or cut (its digest is another); {_REMEDY}")
    return samples


def _read(path: Path) -> dict[str, Any]:
    try:
        table = cast("dict[str, Any]", json.loads(path.read_text("utf-8")))
        missing = {"format", "dataset", "fingerprint", "split", "digest", "samples"} - set(table)
    except FileNotFoundError:
        raise InvalidInputError(f"{path}: there is no such file; make one with write_pairs") from None
    except (ValueError, TypeError) as error:
        raise IntegrityError(f"{path}: not a list of samples ({error}); {_REMEDY}") from None
    if missing:
        raise IntegrityError(f"{path}: not a list of samples (no {', '.join(sorted(missing))}); {_REMEDY}")
    if table["format"] != _FORMAT:
        raise IntegrityError(
            f"{path}: format {table['format']}, this version reads {_FORMAT}: install a later one"
        )
    return table
