"""Verification of one shard: archive, index, images and labels, each read independently of the others.

The fast part reads every byte once, for its hash, and decodes nothing: the archive's own headers must be as
the index tells, its labels and descriptions those of the index. The deep part decodes everything too.
"""

import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

import numpy as np

from turntable.datasets.draws import draw_factors, same_draws
from turntable.datasets.files import (
    FieldError,
    Fields,
    FolderFiles,
    decode_jpeg,
    extra_member,
    image_member,
    labels_member,
    meta_member,
    npy_bytes,
    parse_json,
    parse_points,
    points_member,
)
from turntable.datasets.labels import EXTRAS, LabelArray, decode_extra
from turntable.datasets.manifest import Manifest
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.recipes import Recipe
from turntable.datasets.shards import (
    REMEDY,
    ShardIndex,
    ShardRecord,
    TarMember,
    find_index,
    index_name,
    scan_tar,
    shard_name,
    texts_of,
)
from turntable.errors import IntegrityError, InvalidInputError, TurntableError


@dataclass(slots=True)
class ShardCheck:
    """What one shard holds, as far as it could be read, and what is wrong with it."""

    labels: LabelArray
    """[N, V, L] as its index has them."""
    problems: list[str] = field(default_factory=list)
    objects: list[ObjectRecord] = field(default_factory=list)
    images: int = 0


def check_shard(
    files: FolderFiles, manifest: Manifest, recipe: Recipe, shard: ShardRecord, *, deep: bool
) -> ShardCheck:
    """Check one shard against the manifest, the recipe and itself.

    Args:
        files: of the data set.
        manifest: of the data set.
        recipe: of the manifest.
        shard: its record there.
        deep: decode every image, and draw every label again.
    """
    check = ShardCheck(labels=np.empty((0, manifest.views, len(manifest.factors)), dtype=np.float32))
    name = shard_name(shard)
    try:
        check.problems += _check_hashes(files, shard)
        index = find_index(files, index_name(name))
        file = files.open(name)
        if file is not None:
            with file:
                edited = bool(check.problems)
                scanned = manifest, recipe, shard, check, deep, edited
                _ShardScan(files.name_of(name), file, index, *scanned).run()
    except TurntableError as error:
        check.problems.append(str(error))
    check.problems[:] = dict.fromkeys(check.problems)
    return check


def _check_hashes(files: FolderFiles, shard: ShardRecord) -> Iterator[str]:
    """Find what is wrong with a shard's two files as wholes; each is read once."""
    tar = shard_name(shard)
    for name, stated in ((tar, shard.sha256), (index_name(tar), shard.idx_sha256)):
        file, where = files.open(name), files.name_of(name)
        if file is None:
            yield f"{where}: missing; {REMEDY}"
            continue
        with file:
            length = os.fstat(file.fileno()).st_size
            if name == tar and length != shard.bytes:
                yield f"{where}: {length} bytes, the manifest says {shard.bytes}: cut or edited; {REMEDY}"
            elif hashlib.file_digest(file, "sha256").hexdigest() != stated:
                yield f"{where}: its sha256 is not the manifest's: edited; {REMEDY}"


@dataclass(slots=True)
class _ShardScan:
    path: str
    """For messages."""
    file: BinaryIO
    index: ShardIndex
    manifest: Manifest
    recipe: Recipe
    shard: ShardRecord
    check: ShardCheck
    deep: bool
    edited: bool
    """Its hash was wrong: say at least which members are."""

    def run(self) -> None:
        """Read the archive by its own headers and hold every member against the index."""
        self.check.labels = self.index.latents
        shape = (self.shard.objects, self.manifest.views, len(self.manifest.factors))
        if self.index.latents.shape != shape:
            self._problem(f"its index has {self.index.latents.shape} objects, views and factors, not {shape}")
            return
        kept = (texts_of(self.index.extras), len(self.index.points_offset) > 0)
        if kept != (self._extras(), self.manifest.points > 0):
            self._problem("its index and the manifest do not agree on outputs and point clouds")
            return
        members = scan_tar(self.file, self.path)
        for row, key in enumerate(texts_of(self.index.keys)):
            expected = self._expected_names(key)
            found = list(islice(members, len(expected)))
            if [member.name for member in found] != expected:
                self._problem("its members are not those of its index")
                return
            self._object(row, found)
        if next(members, None) is not None:
            self._problem("its members are not those of its index")

    def _problem(self, text: str) -> None:
        self.check.problems.append(f"{self.path}: {text}; {REMEDY}")

    def _expected_names(self, key: str) -> list[str]:
        """The names of an object's members, in order."""
        views = range(self.manifest.views)
        return [
            labels_member(key),
            meta_member(key),
            *(image_member(key, view) for view in views),
            *(extra_member(key, view, output) for output in self._extras() for view in views),
            *([points_member(key)] if self.manifest.points else []),
        ]

    def _extras(self) -> list[str]:
        return [output for output in self.manifest.outputs if output in EXTRAS]

    def _object(self, row: int, members: list[TarMember]) -> None:
        labels, meta, *others = members
        self._labels(row, labels, self._read(labels))
        record = self._meta(row, meta, self._read(meta))
        for output, place, member in zip(self._contents(), self._places(row), others, strict=True):
            if (member.offset, member.size) != place[:2]:
                self._problem(f"{member.name} is not where the index says")
            if self.deep or self.edited:
                data = self._read(member)
                if zlib.crc32(data) != place[2]:
                    self._problem(f"{member.name}: wrong checksum")
                if self.deep:
                    self._decode(output, member, data)
        if not self.deep:
            self.check.images += self.manifest.views
        elif record is not None:
            self._values(row, labels, record)

    def _contents(self) -> Iterator[str]:
        """What the members behind an object's labels and description are, in order."""
        for output in ("rgb", *self._extras()):
            yield from [output] * self.manifest.views
        if self.manifest.points:
            yield "points"

    def _places(self, row: int) -> Iterator[tuple[int, int, int]]:
        """Offset, size and checksum of each of them, as the index says."""
        index = self.index
        places = [(index.offset[row], index.size[row], index.crc32[row])]
        places += [
            (index.extra_offset[row, number], index.extra_size[row, number], index.extra_crc32[row, number])
            for number in range(len(self._extras()))
        ]
        if self.manifest.points:
            at = slice(row, row + 1)
            places.append((index.points_offset[at], index.points_size[at], index.points_crc32[at]))
        for offsets, sizes, checksums in places:
            yield from zip(offsets.tolist(), sizes.tolist(), checksums.tolist(), strict=True)

    def _labels(self, row: int, member: TarMember, data: bytes) -> None:
        """The archive's labels against the index's: they were written from one array."""
        if data != npy_bytes(self.index.latents[row]):
            self._problem(f"{member.name} and the index have different labels")

    def _meta(self, row: int, member: TarMember, data: bytes) -> ObjectRecord | None:
        try:
            table = Fields(parse_json(data))
            record, digest = ObjectRecord.from_fields(table), table.text("label_digest")
        except FieldError as error:
            self._problem(f"{member.name} is not the description of an object ({error})")
            return None
        self.check.objects.append(record)
        index, at = self.index, slice(row, row + 1)
        indexed = tuple(texts_of(texts[at])[0] for texts in (index.ids, index.categories, index.keys))
        if (record.id, record.category, record.key) != indexed:
            self._problem(f"{member.name} and the index describe different objects")
        if record.split != self.shard.split:
            self._problem(f"{member.name} says split {record.split}")
        if digest != self.recipe.label_digest:
            self._problem(f"{member.name}: rendered from another recipe (label digest {digest[:64]})")
        return record

    def _values(self, row: int, member: TarMember, record: ObjectRecord) -> None:
        """An object's labels against the recipe."""
        indexed = self.index.latents[row]
        for column, factor in enumerate(self.manifest.factors):
            if not factor.contains(indexed[:, column]).all():
                self._problem(f"{member.name}: {factor.name} leaves [{factor.low}, {factor.high}]")
        if not are_drawn(self.recipe):
            return
        try:
            drawn = draw_factors(self.recipe, record.id, range(self.manifest.views), record.stream)
        except InvalidInputError as error:
            self._problem(f"{member.name}: {error}")
            return
        if not same_draws(self.recipe, drawn, indexed):
            self._problem(f"{member.name}: not the labels the recipe draws for object {record.id}")

    def _decode(self, output: str, member: TarMember, data: bytes) -> None:
        try:
            if output == "rgb":
                decode_jpeg(data, size_px=self.manifest.image_size_px)
                self.check.images += 1
            elif output == "points":
                self._points(member, data)
            else:
                decode_extra(output, data, self.manifest.image_size_px)
        except IntegrityError as error:
            self._problem(f"{member.name}: {error}")

    def _points(self, member: TarMember, data: bytes) -> None:
        try:
            points = parse_points(data)
        except ValueError as error:
            self._problem(f"{member.name}: {error}")
            return
        if len(points) != self.manifest.points:
            self._problem(f"{member.name}: {len(points)} points, not {self.manifest.points}")
        elif not np.allclose(np.linalg.norm(points[:, 3:], axis=1), 1, atol=1e-3):
            self._problem(f"{member.name}: its normals are not of unit length")

    def _read(self, member: TarMember) -> bytes:
        self.file.seek(member.offset)
        return self.file.read(member.size)


def are_drawn(recipe: Recipe) -> bool:
    """Whether the recipe tells how to draw its labels again; those of an imported data set came with it."""
    return recipe.draws != "imported"
