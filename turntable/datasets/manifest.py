"""The manifest of a data set: its recipe, labels, shards and their digests. It is written last.

A folder with a manifest is a finished data set. Readers learn from it everything else they need.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

from turntable.choices import ChannelOrder
from turntable.datasets.files import (
    DATASET_NAME_PATTERN,
    MAX_CATEGORY_LENGTH,
    MAX_FACTORS,
    MAX_IMAGES,
    MAX_MANIFEST_BYTES,
    MAX_OBJECTS,
    MAX_POINTS,
    MAX_SEED,
    MAX_SIZE_PX,
    MAX_VIEWS,
    MIN_SIZE_PX,
    PLAIN_NAME_PATTERN,
    FieldError,
    FolderFiles,
    JpegSubsampling,
    JsonFields,
    parse_json,
    write_text,
)
from turntable.datasets.labels import FIRST_ARRAYS, OBJECT_ARRAYS, OUTPUTS, Factor, LabelSchema
from turntable.datasets.molecules import MoleculeStatistics
from turntable.datasets.objects import MAX_PARTS, read_sizes
from turntable.datasets.shards import IndexSizeLimit, ShardRecord, compute_max_table_bytes
from turntable.datasets.subset import Subset
from turntable.errors import IntegrityError

MANIFEST_NAME = "manifest.json"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the shards of a data set."""

    objects: int
    images: int
    bytes: int
    """Size of the shards in bytes, without indices and tables."""

    @classmethod
    def from_fields(cls, fields: JsonFields) -> "Totals":
        """Read the sums from JSON. Raises FieldError."""
        names = ("objects", "images", "bytes")
        totals = cls(*(fields.get_integer(name, 0, _MAX_BYTES) for name in names))
        fields.check_all_read()
        return totals


@dataclass(frozen=True, slots=True)
class Manifest:
    """The description of a data set, as ``manifest.json`` holds it."""

    name: str
    recipe: dict[str, Any]
    """The whole recipe, as ``Recipe.to_dict`` returns it."""
    recipe_digest: str
    label_digest: str
    fingerprint: str
    """Hex sha256 of the recipe, the ordered objects and the labels, but not of the pixels. It must be equal
    on every machine."""
    splits: tuple[str, ...]
    """The splits that hold objects, "train" before "val"."""
    shards: tuple[ShardRecord, ...]
    """The shards in the order of the objects. Those of one split are adjacent."""
    totals: Totals
    quarantined: int
    """Number of objects left out."""
    categories: tuple[str, ...]
    """The names of the categories, sorted. A category's position is its index."""
    views: int
    """Number of views of each object."""
    image_size_px: int
    jpeg_quality: int
    jpeg_subsampling: JpegSubsampling
    channel_order: ChannelOrder
    factors: tuple[Factor, ...]
    """The label columns."""
    shuffle_seed: int
    conventions: dict[str, str]
    """Texts on frames, units, the drawing of labels and the encoding of outputs."""
    camera: dict[str, Any]
    """Numbers of the renderer's camera: K, world_to_camera and whatever else the renderer records."""
    device: dict[str, Any]
    """The backend, GL vendor, renderer and driver that made the pixels."""
    source: dict[str, Any]
    """The source of the meshes: its name and license."""
    generator_version: str
    pixel_mean: tuple[float, float, float] | None = None
    """Mean of each channel as the files decode, in [0, 1], over a fixed sample of the training views."""
    pixel_std: tuple[float, float, float] | None = None
    """Standard deviation of each channel, over the same views."""
    outputs: tuple[str, ...] = ("rgb",)
    """The outputs stored of each view. ``conventions`` describes their encodings."""
    points: int = 0
    """Number of points of each object's point cloud; 0 if there are none."""
    part_categories: tuple[str, ...] = ()
    """The names of the parts' categories, sorted; none if no object has parts. Among others that have parts,
    an object of one piece is one part of its own category."""
    max_parts: int = 0
    """Largest number of parts of an object; 0 if none has parts."""
    max_joints: int = 0
    """Largest number of joints of an object."""
    arrays: tuple[str, ...] = ()
    """Names of the arrays that objects have besides points and the poses of parts, sorted. ``conventions``
    describes them."""
    array_sizes: Mapping[str, int] = field(default_factory=dict[str, int])
    """Largest size of each named axis of these arrays and of the views' arrays, over all objects."""
    symmetry_degrees: Mapping[str, float] = field(default_factory=dict[str, float])
    """Degree in [0, 1] of each symmetry of the recipe's law of rotations, by group; empty if the law is not
    known, and in sets of earlier versions."""
    molecule_statistics: MoleculeStatistics | None = None
    """Histograms of the molecules of the training split; None if it has none."""
    subset: Subset | None = None
    """The views that belong to a subset; None if all do. Shards, totals and recipe remain those of the whole
    data set."""
    format_version: int = FORMAT_VERSION

    @property
    def schema(self) -> LabelSchema:
        """The label columns."""
        return LabelSchema(self.factors)

    @property
    def has_pictures(self) -> bool:
        """True if views have pictures."""
        return "rgb" in self.outputs

    @property
    def mesh_source_text(self) -> str:
        """The source of the meshes as a short text: name, version, license. ``source`` has the details."""
        name = " ".join(str(self.source[key]) for key in ("name", "version") if key in self.source)
        license_text = f"license: {self.source['licence']}" if "licence" in self.source else ""
        return "; ".join(filter(None, (name, license_text))) or "not recorded"

    @property
    def index_size_limit(self) -> IndexSizeLimit:
        """The largest sizes of the shards' indices."""
        return IndexSizeLimit(self.views, len(self.factors), len(self.outputs))

    @property
    def max_table_bytes(self) -> int:
        """Largest size of the table of labels in bytes."""
        return compute_max_table_bytes(self.views * sum(shard.objects for shard in self.shards))

    def select_shards(self, split: str) -> tuple[ShardRecord, ...]:
        """Return the shards of one split, in order."""
        return tuple(shard for shard in self.shards if shard.split == split)

    def to_json(self) -> str:
        """Return the text of the file: indented JSON with its keys in a fixed order."""
        table = asdict(self)
        for name in ("subset", "molecule_statistics"):
            if table[name] is None:
                del table[name]
        if not self.max_parts:
            for name in ("part_categories", "max_parts", "max_joints"):
                del table[name]
        for name in ("arrays", "array_sizes", "symmetry_degrees"):
            if not table[name]:
                del table[name]
        return json.dumps(table, indent=2, ensure_ascii=True, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, display_name: str = MANIFEST_NAME) -> "Manifest":
        """Parse the text of a manifest and check the type and range of every field.

        The text may come from anyone, so nothing in it is trusted.

        Args:
            text: JSON.
            display_name: Name of the file in error messages.

        Raises:
            IntegrityError: The text is not a manifest, or it has another format version.
        """
        try:
            fields = JsonFields(parse_json(text))
            version = fields.get_integer("format_version", 0, MAX_SEED)
            if version != FORMAT_VERSION:
                raise IntegrityError(
                    f"{display_name}: the format is {version}, but this version of turntable reads format "
                    f"{FORMAT_VERSION}; install the version named in generator_version, or a later one"
                )
            manifest = _read_fields(fields)
            fields.check_all_read()
            _check_shards(manifest, fields)
        except FieldError as error:
            raise IntegrityError(
                f"{display_name}: not a manifest ({error}); run `turntable render` with the same arguments "
                "to write it again, or fetch it again"
            ) from None
        return manifest


def read_manifest(files: FolderFiles) -> Manifest:
    """Read the manifest of a data set's folder.

    Args:
        files: Files of the folder.

    Raises:
        IntegrityError: There is no manifest (generation did not finish), or it cannot be read.
    """
    data = files.read(MANIFEST_NAME, MAX_MANIFEST_BYTES)
    if data is None:
        remedy = (
            "run `turntable render` with the same arguments to finish it"
            if files.root.is_dir()
            else "there is no such folder: check the path, or give the data set's URL (https://, s3://, gs://)"
        )
        raise IntegrityError(
            f"{files.format_name(MANIFEST_NAME)}: missing, so {files.display_name} is not a finished data "
            f"set; {remedy}"
        )
    return decode_manifest(data, files.format_name(MANIFEST_NAME))


def decode_manifest(data: bytes, display_name: str) -> Manifest:
    """Decode a manifest from the bytes of its file. Raises IntegrityError if they are not a manifest."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise IntegrityError(f"{display_name}: not a manifest ({error}); fetch it again") from None
    return Manifest.from_json(text, display_name)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a data set atomically. From then on the data set is finished."""
    write_text(folder / MANIFEST_NAME, manifest.to_json())


_MAX_BYTES = 2**60
"""Maximum size in bytes of one shard and of all together. No store holds more."""
_MAX_TEXT_LENGTH = 200


def _read_fields(fields: JsonFields) -> Manifest:
    """Read a manifest from the fields of its JSON. ``_check_shards`` checks afterwards that they agree."""
    seed = MAX_SEED
    return Manifest(
        name=fields.get_text("name", pattern=DATASET_NAME_PATTERN),
        recipe=fields.get_dict("recipe"),
        recipe_digest=fields.get_digest("recipe_digest"),
        label_digest=fields.get_digest("label_digest"),
        fingerprint=fields.get_digest("fingerprint"),
        splits=fields.get_unique_texts("splits", 16, _MAX_TEXT_LENGTH, PLAIN_NAME_PATTERN),
        shards=tuple(map(ShardRecord.from_fields, fields.iter_fields("shards", MAX_OBJECTS))),
        totals=Totals.from_fields(fields.get_fields("totals")),
        quarantined=fields.get_integer("quarantined", 0, seed),
        categories=fields.get_unique_texts("categories", MAX_OBJECTS, MAX_CATEGORY_LENGTH),
        views=fields.get_integer("views", 1, MAX_VIEWS),
        image_size_px=fields.get_integer("image_size_px", MIN_SIZE_PX, MAX_SIZE_PX),
        jpeg_quality=fields.get_integer("jpeg_quality", 1, 100),
        jpeg_subsampling=fields.get_choice("jpeg_subsampling", get_args(JpegSubsampling)),
        channel_order=fields.get_choice("channel_order", get_args(ChannelOrder)),
        factors=tuple(map(Factor.from_fields, fields.iter_fields("factors", MAX_FACTORS))),
        shuffle_seed=fields.get_integer("shuffle_seed", 0, seed),
        conventions=fields.get_text_dict("conventions"),
        camera=fields.get_dict("camera"),
        device=fields.get_dict("device"),
        source=fields.get_dict("source"),
        generator_version=fields.get_text("generator_version", _MAX_TEXT_LENGTH),
        pixel_mean=_read_channels(fields, "pixel_mean"),
        pixel_std=_read_channels(fields, "pixel_std"),
        outputs=_read_outputs(fields),
        points=fields.get_integer("points", 0, MAX_POINTS, default=0),
        part_categories=fields.get_unique_texts(
            "part_categories", MAX_OBJECTS, MAX_CATEGORY_LENGTH, default=[]
        ),
        max_parts=fields.get_integer("max_parts", 0, MAX_PARTS, default=0),
        max_joints=fields.get_integer("max_joints", 0, MAX_PARTS, default=0),
        arrays=_read_arrays(fields),
        array_sizes=read_sizes(fields),
        symmetry_degrees=_read_degrees(fields),
        molecule_statistics=_read_molecule_statistics(fields),
        subset=Subset.from_fields(fields.get_fields("subset")) if fields.has("subset") else None,
        format_version=FORMAT_VERSION,
    )


def _read_arrays(fields: JsonFields) -> tuple[str, ...]:
    arrays = fields.get_unique_texts("arrays", len(OBJECT_ARRAYS), _MAX_TEXT_LENGTH, default=[])
    if not set(arrays) <= set(OBJECT_ARRAYS) - set(FIRST_ARRAYS) or list(arrays) != sorted(arrays):
        known = ", ".join(sorted(set(OBJECT_ARRAYS) - set(FIRST_ARRAYS)))
        fields.raise_error("arrays", f"some of {known or 'none'}, sorted; a later version may know more")
    return arrays


def _read_degrees(fields: JsonFields) -> dict[str, float]:
    if not fields.has("symmetry_degrees"):
        return {}
    degrees = fields.get_fields("symmetry_degrees")
    return {name: degrees.get_number(name, 0, 1) for name in degrees.list_names()}


def _read_molecule_statistics(fields: JsonFields) -> MoleculeStatistics | None:
    if not fields.has("molecule_statistics"):
        return None
    return MoleculeStatistics.from_fields(fields.get_fields("molecule_statistics"))


def _read_channels(fields: JsonFields, name: str) -> tuple[float, float, float] | None:
    """Read one number in [0, 1] for each channel; return None if the field is null or missing."""
    if not fields.has(name):
        return None
    red, green, blue = fields.get_numbers(name, 3, 0, 1)
    return red, green, blue


def _read_outputs(fields: JsonFields) -> tuple[str, ...]:
    outputs = fields.get_unique_texts("outputs", len(OUTPUTS), _MAX_TEXT_LENGTH, default=["rgb"])
    if [name for name in OUTPUTS if name in outputs] != list(outputs):
        fields.raise_error("outputs", f"some of {', '.join(OUTPUTS)}, in this order")
    return outputs


def _check_shards(manifest: Manifest, fields: JsonFields) -> None:
    """Check that shards, splits and factors agree with one another."""
    shards, names = manifest.shards, [factor.name for factor in manifest.factors]
    if not shards or not manifest.splits:
        fields.raise_error("shards", "a list of at least one shard, each of a split that is named")
    if len(set(names)) < len(names) or not names:
        fields.raise_error("factors", "a list of at least one, with different names")
    if any(shard.views != manifest.views for shard in shards):
        fields.raise_error("shards", f"a list of shards of {manifest.views} views, as the manifest has them")
    if len({(shard.split, shard.name) for shard in shards}) < len(shards):
        fields.raise_error("shards", "a list of shards with different names")
    # groupby yields a split twice if the shards of another split lie between its own.
    shard_splits = [split for split, _ in groupby(shards, key=lambda shard: shard.split)]
    if len(set(shard_splits)) < len(shard_splits) or not _has_matching_splits(manifest, shard_splits):
        listed = ", ".join(shard_splits[:4])
        fields.raise_error("splits", f"the splits of the shards, which must be adjacent: {listed}")
    if manifest.subset is not None:
        subset_splits = set(manifest.subset.views)
        if not set(manifest.splits) <= subset_splits <= set(shard_splits):
            fields.raise_error("subset", f"a choice among the views of {', '.join(shard_splits[:4])}")
    objects = sum(shard.objects for shard in shards)
    if objects > MAX_OBJECTS or objects * manifest.views > MAX_IMAGES:
        fields.raise_error(
            "shards",
            f"a list of at most {MAX_OBJECTS:,} objects and {MAX_IMAGES:,} views in all",
        )
    if bool(manifest.max_parts) != bool(manifest.part_categories) or manifest.max_joints > manifest.max_parts:
        fields.raise_error("max_parts", "at least max_joints, and 0 exactly where part_categories is empty")
    if not isinstance(manifest.source.get("licence", ""), str):
        fields.raise_error("source", 'an object whose "licence" is a text')


def _has_matching_splits(manifest: Manifest, splits: Sequence[str]) -> bool:
    """Return True if the splits named are those of the shards. A subset may name fewer."""
    named = set(manifest.splits)
    return named <= set(splits) if manifest.subset is not None else named == set(splits)
