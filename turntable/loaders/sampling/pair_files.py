"""Files of fixed samples, so that several people can validate on the same ones."""

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Dataset, Split
from turntable.datasets.files import to_canonical_json, write_text
from turntable.errors import IntegrityError, InvalidInputError
from turntable.home import expand_home
from turntable.loaders.argument_checks import check_type
from turntable.loaders.sampling.samplers import Samples

_FORMAT = 1
_REMEDY = "write it again, or fetch it again"


def write_pairs(path: str | Path, samples: Samples, dataset: Dataset, split: str) -> None:
    """Write a list of samples to a JSON file. The same list always gives the same bytes.

    Args:
        path: Path of the file. An existing file is replaced atomically.
        samples: Samples with any number of views, such as those of ``draw_validation_pairs``.
        dataset: Data set that the samples belong to.
        split: Split that the samples belong to.

    Raises:
        InvalidInputError: The samples do not belong to this split.
    """
    check_type("samples", samples, Samples, "give Samples, such as those of draw_validation_pairs")
    if samples.have_several_objects:
        raise InvalidInputError(
            f"{path}: a list of pairs has samples of one object; views of several are kept by write_edges"
        )
    _check_dataset(dataset)
    with dataset.open_split(split) as opened:
        rows, views = opened.num_objects, opened.num_views
        if not (len(samples) and _are_within(samples.objects, rows) and _are_within(samples.views, views)):
            raise InvalidInputError(
                f"the samples do not belong to {split} of {dataset.path_or_url}, which has {rows} objects of "
                f"{views} views"
            )
        keys = opened.keys
    # One line per sample, easy to read and to compare with `diff`: the object's key, then its views.
    lines = [
        to_canonical_json([keys[row], *views])
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
    write_text(expand_home(path), text)


def read_pairs(path: str | Path, dataset: Dataset, split: str | None = None) -> Samples:
    """Read a list of samples that ``write_pairs`` wrote.

    Args:
        path: Path of the file.
        dataset: Data set that the samples must belong to.
        split: Split that the samples must belong to; None: any.

    Raises:
        InvalidInputError: There is no such file, or it is of another data set or split.
        IntegrityError: The file is damaged or was edited.
    """
    _check_dataset(dataset)
    table = _read_table(expand_home(path))
    fingerprint, stored_split = dataset.manifest.fingerprint, str(table["split"])
    if table["fingerprint"] != fingerprint:
        raise InvalidInputError(
            f"{path}: its samples belong to another data set ({table['dataset']}, fingerprint "
            f"{table['fingerprint']}), not to {dataset.path_or_url} ({fingerprint}); give the other data "
            "set, or write a list for this one"
        )
    if split is not None and split != stored_split:
        raise InvalidInputError(f"{path}: its samples belong to the split {stored_split}, not to {split}")
    if stored_split not in dataset.splits:
        raise IntegrityError(f"{path}: edited: its data set has no split {stored_split!r}; {_REMEDY}")
    with dataset.open_split(stored_split) as opened:
        samples = _parse_samples(path, table["samples"], opened)
    if samples.digest != table["digest"]:
        raise IntegrityError(f"{path}: edited or truncated (its digest does not match); {_REMEDY}")
    return samples


def _check_dataset(dataset: object) -> None:
    check_type("dataset", dataset, Dataset, "give a Dataset, such as that of open_dataset or of a Loader")


def _parse_samples(path: str | Path, items: Any, split: Split) -> Samples:
    """Convert the rows of a file, each an object's key and the numbers of its views, to samples."""
    row_by_key = {key: row for row, key in enumerate(split.keys)}
    try:
        keys, views = [item[0] for item in items], [item[1:] for item in items]
        unknown_keys = [key for key in keys if key not in row_by_key]
        lengths = {len(numbers) for numbers in views}
        all_integers = all(type(number) is int for numbers in views for number in numbers)
    except (TypeError, LookupError) as error:
        raise IntegrityError(f"{path}: not a list of samples ({error!r}); {_REMEDY}") from None
    if unknown_keys:
        raise IntegrityError(f"{path}: {split.name} has no object {unknown_keys[0]!r}; {_REMEDY}")
    if len(lengths) != 1 or not all_integers:
        raise IntegrityError(f"{path}: not a list of samples with equal numbers of views; {_REMEDY}")
    wrong = [number for numbers in views for number in numbers if not 0 <= number < split.num_views]
    if wrong:
        raise IntegrityError(
            f"{path}: there is no view {wrong[0]}; objects have {split.num_views} views, counted from 0; "
            f"{_REMEDY}"
        )
    return Samples(
        np.array([row_by_key[key] for key in keys], dtype=np.int64),
        np.array(views, dtype=np.int64).reshape(len(keys), -1),
    )


def _are_within(numbers: NDArray[np.int64], count: int) -> bool:
    return bool(((numbers >= 0) & (numbers < count)).all())


def _read_table(path: Path) -> dict[str, Any]:
    """Read the JSON of a file of samples, and check its keys and its format."""
    try:
        table = cast("dict[str, Any]", dict(json.loads(path.read_bytes())))
    except FileNotFoundError:
        raise InvalidInputError(f"{path}: there is no such file; write one with write_pairs") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise IntegrityError(f"{path}: not a list of samples ({error}); {_REMEDY}") from None
    missing = {"format", "dataset", "fingerprint", "split", "digest", "samples"} - set(table)
    if missing:
        raise IntegrityError(f"{path}: not a list of samples (no {', '.join(sorted(missing))}); {_REMEDY}")
    if table["format"] != _FORMAT:
        raise IntegrityError(
            f"{path}: its format is {table['format']}, and this version of turntable reads format {_FORMAT}; "
            "install a later version"
        )
    return table
