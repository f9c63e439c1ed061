"""The manifest: everything a reader must know and trust about a data set; the last file to be written."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

from turntable.choices import ChannelOrder
from turntable.datasets.files import (
    DATASET_NAME,
    LEAST_SIZE_PX,
    LONGEST_CATEGORY,
    MOST_FACTORS,
    MOST_IMAGES,
    MOST_MANIFEST_BYTES,
    MOST_OBJECTS,
    MOST_POINTS,
    MOST_SEED,
    MOST_SIZE_PX,
    MOST_VIEWS,
    PLAIN_NAME,
    FieldError,
    Fields,
    FolderFiles,
    JpegSubsampling,
    parse_json,
    write_text,
)
from turntable.datasets.labels import OUTPUTS, Factor, LabelSchema
from turntable.datasets.shards import ShardRecord
from turntable.datasets.subset import Subset
from turntable.errors import IntegrityError

MANIFEST_NAME = "manifest.json"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a data set."""

    objects: int
    images: int
    bytes: int
    """Of the shards, without indices and tables."""

    @classmethod
    def from_fields(cls, fields: Fields) -> "Totals":
        """Read the sums from JSON. Raises FieldError."""
        names = ("objects", "images", "bytes")
        totals = cls(*(fields.integer(name, 0, _MOST_BYTES) for name in names))
        fields.finish()
        return totals


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
    jpeg_subsampling: JpegSubsampling
    channel_order: ChannelOrder
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
        """Read what ``to_json`` wrote, whoever wrote it: every field is of its type and within bounds.

        Args:
            text: JSON.
            where: what error messages call it.

        Raises:
            IntegrityError: it is not a manifest, or one of a later format.
        """
        try:
            fields = Fields(parse_json(text))
            version = fields.integer("format_version", 0, MOST_SEED)
            if version != FORMAT_VERSION:
                raise IntegrityError(
                    f"{where}: format {version}, but this turntable reads format {FORMAT_VERSION}; "
                    "install the version named in generator_version, or a later one"
                )
            manifest = _read_fields(fields)
            fields.finish()
            _check_shards(manifest, fields)
        except FieldError as error:
            raise IntegrityError(
                f"{where}: not a manifest ({error}); run `turntable render` with the same arguments to write "
                "it again, or fetch it again"
            ) from None
        return manifest


def read_manifest(files: FolderFiles) -> Manifest:
    """Read the manifest of a data set's folder.

    Args:
        files: of the folder.

    Raises:
        IntegrityError: there is none (generation did not finish), or it cannot be read.
    """
    data = files.read(MANIFEST_NAME, MOST_MANIFEST_BYTES)
    if data is None:
        raise IntegrityError(
            f"{files.name_of(MANIFEST_NAME)}: missing, so {files.label} is not a finished data set; "
            "run `turntable render` with the same arguments to finish it"
        )
    return decode_manifest(data, files.name_of(MANIFEST_NAME))


def decode_manifest(data: bytes, where: str) -> Manifest:
    """Read a manifest from the bytes of its file. Raises IntegrityError where it is none."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise IntegrityError(f"{where}: not a manifest ({error}); fetch it again") from None
    return Manifest.from_json(text, where)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a data set's manifest atomically: from here on it is finished."""
    write_text(folder / MANIFEST_NAME, manifest.to_json())


_MOST_BYTES = 2**60
"""The size of a shard, or of all of them, at most: no store holds more."""
_LONGEST_WORD = 200


def _read_fields(fields: Fields) -> Manifest:
    """The manifest that the fields of its JSON make; what they say of one another is not looked at yet."""
    seed = MOST_SEED
    return Manifest(
        name=fields.text("name", pattern=DATASET_NAME),
        recipe=fields.plain("recipe"),
        recipe_digest=fields.digest("recipe_digest"),
        label_digest=fields.digest("label_digest"),
        fingerprint=fields.digest("fingerprint"),
        splits=fields.distinct("splits", 16, _LONGEST_WORD, PLAIN_NAME),
        shards=tuple(map(ShardRecord.from_fields, fields.tables("shards", MOST_OBJECTS))),
        totals=Totals.from_fields(fields.table("totals")),
        quarantined=fields.integer("quarantined", 0, seed),
        categories=fields.distinct("categories", MOST_OBJECTS, LONGEST_CATEGORY),
        views=fields.integer("views", 1, MOST_VIEWS),
        image_size_px=fields.integer("image_size_px", LEAST_SIZE_PX, MOST_SIZE_PX),
        jpeg_quality=fields.integer("jpeg_quality", 1, 100),
        jpeg_subsampling=fields.choice("jpeg_subsampling", get_args(JpegSubsampling)),
        channel_order=fields.choice("channel_order", get_args(ChannelOrder)),
        factors=tuple(map(Factor.from_fields, fields.tables("factors", MOST_FACTORS))),
        shuffle_seed=fields.integer("shuffle_seed", 0, seed),
        conventions=fields.texts("conventions"),
        camera=fields.plain("camera"),
        device=fields.plain("device"),
        source=fields.plain("source"),
        generator_version=fields.text("generator_version", _LONGEST_WORD),
        pixel_mean=_channels(fields, "pixel_mean"),
        pixel_std=_channels(fields, "pixel_std"),
        outputs=_outputs(fields),
        points=fields.integer("points", 0, MOST_POINTS, default=0),
        subset=Subset.from_fields(fields.table("subset")) if fields.has("subset") else None,
        format_version=FORMAT_VERSION,
    )


def _channels(fields: Fields, name: str) -> tuple[float, float, float] | None:
    """A number for each channel, in [0, 1]; None where the field is null or left out."""
    if not fields.has(name):
        return None
    red, green, blue = fields.numbers(name, 3, 0, 1)
    return red, green, blue


def _outputs(fields: Fields) -> tuple[str, ...]:
    outputs = fields.distinct("outputs", len(OUTPUTS), _LONGEST_WORD, default=["rgb"])
    if [name for name in OUTPUTS if name in outputs] != list(outputs) or "rgb" not in outputs:
        fields.refuse("outputs", f"some of {', '.join(OUTPUTS)}, in this order and rgb among them")
    return outputs


def _check_shards(manifest: Manifest, fields: Fields) -> None:
    """Make sure that shards, splits and factors agree with one another."""
    shards, names = manifest.shards, [factor.name for factor in manifest.factors]
    if not shards or not manifest.splits:
        fields.refuse("shards", "a list of at least one shard, each of a split that is named")
    if len(set(names)) < len(names) or not names:
        fields.refuse("factors", "at least one, each with a name of its own")
    if any(shard.views != manifest.views for shard in shards):
        fields.refuse("shards", f"a list of shards of {manifest.views} views, as the manifest has them")
    if len({(shard.split, shard.name) for shard in shards}) < len(shards):
        fields.refuse("shards", "a list of shards with different names")
    together = [split for split, _ in groupby(shards, key=lambda shard: shard.split)]
    if len(set(together)) < len(together) or not _matches(manifest, together):
        fields.refuse("splits", f"those of the shards, which stand together: {', '.join(together[:4])}")
    if manifest.subset is not None and not set(manifest.splits) <= set(manifest.subset.views) <= set(
        together
    ):
        fields.refuse("subset", f"a choice among the views of {', '.join(together[:4])}")
    objects = sum(shard.objects for shard in shards)
    if objects > MOST_OBJECTS or objects * manifest.views > MOST_IMAGES:
        fields.refuse(
            "shards",
            f"a list of at most {MOST_OBJECTS:,} objects and {MOST_IMAGES:,} views in all",
        )
    if not isinstance(manifest.source.get("licence", ""), str):
        fields.refuse("source", "an object whose licence is a text")


def _matches(manifest: Manifest, splits: Sequence[str]) -> bool:
    """Tell whether the splits named are those of the shards; a subset may have views of some alone."""
    named = set(manifest.splits)
    return named <= set(splits) if manifest.subset is not None else named == set(splits)
