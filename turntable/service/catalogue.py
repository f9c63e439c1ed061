"""Which data sets a service offers, and which of their files: those the manifest answers for, no others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from turntable.datasets.card import CARD_NAME
from turntable.datasets.contact_sheet import SHEET_NAME
from turntable.datasets.croissant import CROISSANT_NAME
from turntable.datasets.dataset import Dataset, open_dataset
from turntable.datasets.manifest import MANIFEST_NAME
from turntable.datasets.quarantine import QUARANTINE_NAME, WARNINGS_NAME
from turntable.datasets.shard_index import INDEX_SUFFIX
from turntable.datasets.shard_writer import SHARD_SUFFIX
from turntable.datasets.table import TABLE_NAME
from turntable.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Entry:
    """One data set on offer."""

    name: str
    """Of its folder; the last part of its address."""
    folder: Path
    dataset: Dataset
    files: Mapping[str, str]
    """Path below the folder, as requests give it, to the sha256 the manifest knows; "" for the others."""

    def summary(self) -> dict[str, object]:
        """What the catalogue says of it."""
        manifest = self.dataset.manifest
        return {
            "name": self.name,
            "title": manifest.name,
            "objects": manifest.totals.objects,
            "images": manifest.totals.images,
            "bytes": manifest.totals.bytes,
            "image_size_px": manifest.image_size_px,
            "categories": list(manifest.categories),
            "factors": [factor.name for factor in manifest.factors],
            "fingerprint": manifest.fingerprint,
        }


Catalogue = Mapping[str, Entry]


def find_datasets(folders: Iterable[Path]) -> Catalogue:
    """The data sets in these folders: each is one, or holds some.

    Raises:
        InvalidInputError: A folder holds none, or two have the same name.
        IntegrityError: A manifest is damaged.
    """
    found: dict[str, Entry] = {}
    for folder in folders:
        inside = sorted(path.parent for path in folder.glob(f"*/{MANIFEST_NAME}"))
        candidates = [folder] if (folder / MANIFEST_NAME).exists() else inside
        if not candidates:
            raise InvalidInputError(
                f"{folder} holds no data set (no {MANIFEST_NAME}); make one with turntable render"
            )
        for candidate in candidates:
            entry = _entry(candidate)
            if entry.name in found:
                other = found[entry.name].folder
                raise InvalidInputError(f"{candidate} and {other} have the same name; rename one")
            found[entry.name] = entry
    return found


def _entry(folder: Path) -> Entry:
    dataset = open_dataset(folder)
    files: dict[str, str] = dict.fromkeys(
        (MANIFEST_NAME, TABLE_NAME, CARD_NAME, SHEET_NAME, CROISSANT_NAME, QUARANTINE_NAME, WARNINGS_NAME), ""
    )
    for shard in dataset.manifest.shards:
        files[f"{shard.split}/{shard.name}{SHARD_SUFFIX}"] = shard.sha256
        files[f"{shard.split}/{shard.name}{INDEX_SUFFIX}"] = shard.idx_sha256
    return Entry(folder.resolve().name, folder, dataset, files)
