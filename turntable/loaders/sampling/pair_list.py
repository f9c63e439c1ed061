"""Fixed lists of samples as files, so that everybody validates on the same ones."""

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Dataset, Split
from turntable.datasets.files import canonical_json, write_text
from turntable.errors import IntegrityError, InvalidInputError
from turntable.loaders.sampling.samplers import Samples

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
        if not (len(samples) and _within(samples.objects, rows) and _within(samples.views, views)):
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
    if found not in dataset.splits:
        raise IntegrityError(f"{path}: edited: its data set has no split {found!r}; {_REMEDY}")
    with dataset.split(found) as opened:
        samples = _samples(path, table["samples"], opened)
    if samples.digest != table["digest"]:
        raise IntegrityError(f"{path}: edited or cut (its digest is another); {_REMEDY}")
    return samples


def _samples(path: str | Path, items: Any, split: Split) -> Samples:
    """The samples of a file's rows, each an object's key and the numbers of its views."""
    place = {key: row for row, key in enumerate(split.keys)}
    try:
        keys, views = [item[0] for item in items], [item[1:] for item in items]
        strangers = [key for key in keys if key not in place]
        lengths = {len(numbers) for numbers in views}
        integers = all(type(number) is int for numbers in views for number in numbers)
    except (TypeError, LookupError) as error:
        raise IntegrityError(f"{path}: not a list of samples ({error!r}); {_REMEDY}") from None
    if strangers:
        raise IntegrityError(f"{path}: {strangers[0]!r} is no object of {split.name}; {_REMEDY}")
    if len(lengths) != 1 or not integers:
        raise IntegrityError(f"{path}: not a list of samples, each of as many views as others; {_REMEDY}")
    wrong = [number for numbers in views for number in numbers if not 0 <= number < split.num_views]
    if wrong:
        raise IntegrityError(
            f"{path}: there is no view {wrong[0]}; objects have {split.num_views} views, counted from 0; "
            f"{_REMEDY}"
        )
    return Samples(
        np.array([place[key] for key in keys], dtype=np.int64),
        np.array(views, dtype=np.int64).reshape(len(keys), -1),
    )


def _within(numbers: NDArray[np.int64], count: int) -> bool:
    return bool(((numbers >= 0) & (numbers < count)).all())


def _read(path: Path) -> dict[str, Any]:
    try:
        table = cast("dict[str, Any]", dict(json.loads(path.read_text("utf-8"))))
    except FileNotFoundError:
        raise InvalidInputError(f"{path}: there is no such file; make one with write_pairs") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise IntegrityError(f"{path}: not a list of samples ({error}); {_REMEDY}") from None
    missing = {"format", "dataset", "fingerprint", "split", "digest", "samples"} - set(table)
    if missing:
        raise IntegrityError(f"{path}: not a list of samples (no {', '.join(sorted(missing))}); {_REMEDY}")
    if table["format"] != _FORMAT:
        raise IntegrityError(
            f"{path}: format {table['format']}, this version reads {_FORMAT}: install a later one"
        )
    return table
