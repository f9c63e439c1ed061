"""The manifest: everything a reader must know and trust about a data set; the last file to be written."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from turntable.datasets.factors import Factor
from turntable.datasets.labels import LabelSchema
from turntable.datasets.shard_writer import ShardRecord
from turntable.datasets.storage import write_text
from turntable.datasets.subset import Subset
from turntable.errors import IntegrityError

MANIFEST_NAME = "manifest.json"
MOST_MANIFEST_BYTES = 32 << 20
"""That are read of one: about 80,000 shards."""
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a data set."""

    objects: int
    images: int
    bytes: int
    """Of the shards, without indices and tables."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A data set in one value."""

    name: str
    recipe: dict[str, Any]
    """The whole recipe, as ``Recipe.to_dict`` gives it."""
    recipe_digest: str
    label_digest: str
    fingerprint: str
    """Hex sha256 of what must be equal on every machine: recipe, ordered objects, labels. Not of pixels."""
    splits: tuple[str, ...]
    """Those that hold objects, "train" before "val"."""
    shards: tuple[ShardRecord, ...]
    """In the order of the objects; those of a split stand together."""
    totals: Totals
    quarantined: int
    categories: tuple[str, ...]
    """Sorted; a category's place is its class number."""
    views: int
    image_size_px: int
    jpeg_quality: int
    jpeg_subsampling: str
    channel_order: str
    factors: tuple[Factor, ...]
    """The label columns."""
    shuffle_seed: int
    conventions: dict[str, str]
    camera: dict[str, Any]
    """Numbers of the renderer: K, world_to_camera and what else it states."""
    device: dict[str, Any]
    """Backend, GL vendor, renderer and driver that made the pixels."""
    source: dict[str, Any]
    """Of the meshes: name, licence."""
    generator_version: str
    pixel_mean: tuple[float, float, float] | None = None
    """Per channel as the files decode, in [0, 1], over a fixed sample of the training views."""
    pixel_std: tuple[float, float, float] | None = None
    outputs: tuple[str, ...] = ("rgb",)
    """What is kept of each view; ``conventions`` says how each is encoded."""
    points: int = 0
    """Of the point cloud of each object; 0: none."""
    subset: Subset | None = None
    """The views that belong to it, where those are not all; shards, totals and recipe are the whole's."""
    format_version: int = FORMAT_VERSION

    @property
    def schema(self) -> LabelSchema:
        """The label columns."""
        return LabelSchema(self.factors)

    @property
    def meshes(self) -> str:
        """The source of the meshes in a few words: name, version, licence; ``source`` has all else."""
        named = " ".join(str(self.source[key]) for key in ("name", "version") if key in self.source)
        licence = f"licence: {self.source['licence']}" if "licence" in self.source else ""
        return "; ".join(filter(None, (named, licence))) or "not recorded"

    def shards_of(self, split: str) -> tuple[ShardRecord, ...]:
        """The shards of one split, in order."""
        return tuple(shard for shard in self.shards if shard.split == split)

    def to_json(self) -> str:
        """The file, for people too: indented, keys in a fixed order."""
        table = asdict(self)
        if self.subset is None:
            del table["subset"]
        return json.dumps(table, indent=2, ensure_ascii=True, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = MANIFEST_NAME) -> "Manifest":
        """Read what ``to_json`` wrote.

        Args:
            text: JSON.
            where: what error messages call it.

        Raises:
            IntegrityError: it is not a manifest, or one of a later format.
        """
        try:
            table = cast("dict[str, Any]", json.loads(text))
            version = int(table["format_version"])
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(_not_a_manifest(where, error)) from None
        if version != FORMAT_VERSION:
            raise IntegrityError(
                f"{where}: format {version}, but this turntable reads format {FORMAT_VERSION}; "
                "install the version named in generator_version, or a later one"
            )
        try:
            return cls(**_typed(table))
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError(_not_a_manifest(where, error)) from None


def read_manifest(folder: Path) -> Manifest:
    """Read a data set's manifest.

    Args:
        folder: of the data set.

    Raises:
        IntegrityError: there is none (generation did not finish), or it cannot be read.
    """
    path = folder / MANIFEST_NAME
    try:
        return Manifest.from_json(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise IntegrityError(
            f"{path}: missing, so {folder} is not a finished data set; "
            "run `turntable render` with the same arguments to finish it"
        ) from None
    except UnicodeDecodeError as error:
        raise IntegrityError(_not_a_manifest(str(path), error)) from None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a data set's manifest atomically: from here on it is finished."""
    write_text(folder / MANIFEST_NAME, manifest.to_json())


def _not_a_manifest(where: str, error: Exception) -> str:
    return (
        f"{where}: not a manifest ({type(error).__name__}: {error}); "
        "run `turntable render` with the same arguments to write it again, or fetch it again"
    )


def _typed(table: Mapping[str, Any]) -> dict[str, Any]:
    """Turn JSON's lists and tables into the values they stood for."""
    typed = dict(table)
    typed["splits"] = tuple(table["splits"])
    typed["outputs"] = tuple(table.get("outputs", ("rgb",)))
    typed["categories"] = tuple(table["categories"])
    typed["shards"] = tuple(ShardRecord(**shard) for shard in table["shards"])
    typed["factors"] = tuple(Factor(**factor) for factor in table["factors"])
    typed["totals"] = Totals(**table["totals"])
    if table.get("subset") is not None:
        typed["subset"] = Subset(**table["subset"])
    for name in ("pixel_mean", "pixel_std"):
        typed[name] = None if table[name] is None else tuple(table[name])
    return typed
