"""Views by condition: a page of them for people, or a subset that loaders stream as a data set of its own.

A subset's address is its condition, so a service that was started again knows it still, and so does another
one that serves the same data set.
"""

import base64
import hashlib
import json
import threading
from typing import Any

import numpy as np

from turntable.datasets.manifest import Manifest
from turntable.datasets.query import subset_manifest
from turntable.errors import InvalidInputError
from turntable.renderer.recent import Recent
from turntable.service.catalogue import Entry
from turntable.service.contents import MOST_LISTED, object_summary

MOST_KEPT = 64
"""Answers that are kept for who asks again."""
_LONGEST = 2000
"""Characters of a condition; its address must fit in a request."""


class Queries:
    """Answers conditions over labels, and keeps the latest answers."""

    def __init__(self) -> None:
        self._kept = Recent[tuple[str, str, tuple[str, ...]], Manifest](MOST_KEPT)
        self._lock = threading.Lock()

    def manifest(self, entry: Entry, where: str, splits: tuple[str, ...]) -> Manifest:
        """The manifest of the views that fulfil a condition.

        Raises:
            InvalidInputError: It is no condition over these labels, or no view fulfils it.
            IntegrityError: The table of labels is damaged.
        """
        if len(where) > _LONGEST:
            raise InvalidInputError(f"where: {len(where)} characters; at most {_LONGEST} are read")
        key = entry.dataset.manifest.fingerprint, where, splits
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None:
            return kept
        made = subset_manifest(entry.dataset, where, splits)
        with self._lock:
            self._kept.put(key, made, 1)
        return made

    def views(
        self, entry: Entry, where: str, splits: tuple[str, ...], offset: int, limit: int
    ) -> dict[str, Any]:
        """Some of the views that fulfil a condition, with their labels."""
        manifest = self.manifest(entry, where, splits)
        subset, found, left = manifest.subset, list[dict[str, Any]](), min(limit, MOST_LISTED)
        assert subset is not None
        names = entry.dataset.schema.names
        for split in manifest.splits:
            opened = entry.splits[split]
            matching = subset.chosen(split, opened.num_objects, manifest.views)
            chosen = slice(offset, offset + left)
            rows, views = matching.rows[chosen], matching.views[chosen]
            labels = opened.labels_at(rows, views) if len(rows) else np.empty((0, len(names)))
            found += [
                {
                    **object_summary(entry, split, row),
                    "view": view,
                    "factors": dict(zip(names, label, strict=True)),
                }
                for row, view, label in zip(rows.tolist(), views.tolist(), labels.tolist(), strict=True)
            ]
            left -= len(rows)
            offset = max(0, offset - len(matching))
        return {"total": subset.images, "objects": subset.objects, "views": found}


def subset_name(where: str, splits: tuple[str, ...]) -> str:
    """The part of an address that stands for a condition."""
    told = json.dumps([where, *splits], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(told.encode()).decode("ascii").rstrip("=")


def condition_of(name: str) -> tuple[str, tuple[str, ...]]:
    """The condition and splits that a part of an address stands for. Raises InvalidInputError."""
    try:
        told = json.loads(base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)))
    except (ValueError, RecursionError):  # binascii.Error is a ValueError
        told = None
    if isinstance(told, list) and told and all(isinstance(item, str) for item in told):
        where, *splits = told
        if subset_name(where, tuple(splits)) == name:
            return where, tuple(splits)
    raise InvalidInputError("this is the address of no subset; POST /query gives them")


def etag_of(data: bytes) -> str:
    """Of an answer that is made when it is asked for."""
    return f'"{hashlib.sha256(data).hexdigest()}"'
