"""Verification of one shard: archive, index, images and labels, each read independently of the others."""

import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from turntable.datasets.digests import file_sha256
from turntable.datasets.draws import draw_factors
from turntable.datasets.keys import extra_member, image_member, labels_member, meta_member, points_member
from turntable.datasets.labels import LabelArray
from turntable.datasets.manifest import Manifest
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.outputs import EXTRAS, decode_extra
from turntable.datasets.pixels import decode_jpeg
from turntable.datasets.recipe import Recipe
from turntable.datasets.shard_index import INDEX_SUFFIX, ShardIndex, open_index, texts_of
from turntable.datasets.shard_writer import SHARD_SUFFIX, ShardRecord
from turntable.datasets.tar import REMEDY, TarMember, scan_tar
from turntable.errors import IntegrityError


@dataclass(slots=True)
class ShardCheck:
    """What one shard holds, as far as it could be read, and what is wrong with it."""

    labels: LabelArray
    """[N, V, L] as its index has them."""
    problems: list[str] = field(default_factory=list)
    objects: list[ObjectRecord] = field(default_factory=list)
    images: int = 0


def check_shard(folder: Path, manifest: Manifest, recipe: Recipe, shard: ShardRecord) -> ShardCheck:
    """Check one shard against the manifest, the recipe and itself.

    Args:
        folder: of the data set.
        manifest: of the data set.
        recipe: of the manifest.
        shard: its record there.
    """
    path = folder / shard.split / f"{shard.name}{SHARD_SUFFIX}"
    check = ShardCheck(labels=np.empty((0, manifest.views, len(manifest.factors)), dtype=np.float32))
    try:
        check.problems += _check_hashes(path, shard)
        index = open_index(path.with_suffix(INDEX_SUFFIX))
        _ShardScan(path, index, manifest, recipe, check).run()
    except (IntegrityError, FileNotFoundError) as error:
        text = f"{path}: missing; {REMEDY}" if isinstance(error, FileNotFoundError) else str(error)
        check.problems.append(text)
    check.problems[:] = dict.fromkeys(check.problems)
    return check


def _check_hashes(path: Path, shard: ShardRecord) -> Iterator[str]:
    for file, stated in ((path, shard.sha256), (path.with_suffix(INDEX_SUFFIX), shard.idx_sha256)):
        if not file.is_file():
            yield f"{file}: missing; {REMEDY}"
        elif file == path and path.stat().st_size != shard.bytes:
            length = path.stat().st_size
            yield f"{file}: {length} bytes, the manifest says {shard.bytes}: cut or edited; {REMEDY}"
        elif file_sha256(file) != stated:
            yield f"{file}: its sha256 is not the manifest's: edited; {REMEDY}"


@dataclass(slots=True)
class _ShardScan:
    path: Path
    index: ShardIndex
    manifest: Manifest
    recipe: Recipe
    check: ShardCheck

    def run(self) -> None:
        """Read the archive by its own headers and hold every member against the index."""
        self.check.labels = self.index.latents
        shape = (self.manifest.views, len(self.manifest.factors))
        if self.index.latents.shape[1:] != shape:
            self._problem(f"its index has {self.index.latents.shape[1:]} views and factors, not {shape}")
            return
        kept = (texts_of(self.index.extras), len(self.index.points_offset) > 0)
        if kept != (self._extras(), self.manifest.points > 0):
            self._problem("its index and the manifest do not agree on outputs and point clouds")
            return
        members = list(scan_tar(self.path))
        expected = self._expected_names()
        if [member.name for member in members] != expected:
            self._problem("its members are not those of its index")
            return
        per_object = len(members) // max(self.index.num_objects, 1)
        with self.path.open("rb") as file:
            for row in range(self.index.num_objects):
                first = row * per_object
                self._object(row, members[first : first + per_object], file)

    def _problem(self, text: str) -> None:
        self.check.problems.append(f"{self.path}: {text}; {REMEDY}")

    def _expected_names(self) -> list[str]:
        return [
            name
            for key in texts_of(self.index.keys)
            for name in (
                labels_member(key),
                meta_member(key),
                *(image_member(key, view) for view in range(self.manifest.views)),
                *(
                    extra_member(key, view, output)
                    for output in self._extras()
                    for view in range(self.manifest.views)
                ),
                *([points_member(key)] if self.manifest.points else []),
            )
        ]

    def _extras(self) -> list[str]:
        return [output for output in self.manifest.outputs if output in EXTRAS]

    def _object(self, row: int, members: list[TarMember], file: io.BufferedReader) -> None:
        views = self.manifest.views
        labels, meta, images, others = members[0], members[1], members[2 : 2 + views], members[2 + views :]
        self._labels(row, labels, _read(file, labels))
        self._meta(row, meta, _read(file, meta))
        for view, member in enumerate(images):
            self._image(row, view, member, _read(file, member))
        for number, output in enumerate(self._extras()):
            for view, member in enumerate(others[number * views : (number + 1) * views]):
                self._extra((row, number, view), output, member, _read(file, member))
        if self.manifest.points:
            self._points(row, others[-1], _read(file, others[-1]))

    def _extra(self, at: tuple[int, int, int], output: str, member: TarMember, data: bytes) -> None:
        index = self.index
        self._located(member, data, index.extra_offset[at], index.extra_size[at], index.extra_crc32[at])
        try:
            decode_extra(output, data, self.manifest.image_size_px)
        except IntegrityError as error:
            self._problem(f"{member.name}: {error}")

    def _points(self, row: int, member: TarMember, data: bytes) -> None:
        index = self.index
        place = index.points_offset[row], index.points_size[row], index.points_crc32[row]
        self._located(member, data, *place)
        try:
            points = np.load(io.BytesIO(data), allow_pickle=False)
        except (ValueError, EOFError):
            self._problem(f"{member.name} is not an array")
            return
        if points.dtype != np.float32 or points.shape != (self.manifest.points, 6):
            self._problem(
                f"{member.name} is {points.dtype} {points.shape}, not {self.manifest.points} points"
            )
        elif not np.allclose(np.linalg.norm(points[:, 3:], axis=1), 1, atol=1e-3):
            self._problem(f"{member.name}: its normals are not of unit length")

    def _located(
        self, member: TarMember, data: bytes, offset: np.int64, size: np.int64, crc: np.uint32
    ) -> None:
        if (member.offset, member.size) != (int(offset), int(size)):
            self._problem(f"{member.name} is not where the index says")
        if zlib.crc32(data) != int(crc):
            self._problem(f"{member.name}: wrong checksum")

    def _labels(self, row: int, member: TarMember, data: bytes) -> None:
        try:
            labels = np.load(io.BytesIO(data), allow_pickle=False)
        except (ValueError, EOFError):
            self._problem(f"{member.name} is not an array")
            return
        indexed = self.index.latents[row]
        if (
            labels.dtype != np.float32
            or labels.shape != indexed.shape
            or labels.tobytes() != indexed.tobytes()
        ):
            self._problem(f"{member.name} and the index have different labels")
        for column, factor in enumerate(self.manifest.factors):
            if not factor.contains(indexed[:, column]).all():
                self._problem(f"{member.name}: {factor.name} leaves [{factor.low}, {factor.high}]")
        object_id = texts_of(self.index.ids[row : row + 1])[0]
        drawn = draw_factors(self.recipe, object_id, range(self.manifest.views))
        if drawn.tobytes() != indexed.tobytes():
            self._problem(f"{member.name}: not the labels the recipe draws for object {object_id}")

    def _meta(self, row: int, member: TarMember, data: bytes) -> None:
        try:
            table = json.loads(data)
            record = ObjectRecord.from_dict(table)
        except (ValueError, KeyError, TypeError):
            self._problem(f"{member.name} is not the description of an object")
            return
        self.check.objects.append(record)
        indexed = (*texts_of(self.index.ids[row : row + 1]), *texts_of(self.index.categories[row : row + 1]))
        if (record.id, record.category) != indexed or record.key != texts_of(self.index.keys[row : row + 1])[
            0
        ]:
            self._problem(f"{member.name} and the index describe different objects")
        if record.split != self.path.parent.name:
            self._problem(f"{member.name} says split {record.split}")
        if table.get("label_digest") != self.recipe.label_digest:
            self._problem(
                f"{member.name}: rendered from another recipe (label digest {table.get('label_digest')})"
            )

    def _image(self, row: int, view: int, member: TarMember, data: bytes) -> None:
        at, index = (row, view), self.index
        self._located(member, data, index.offset[at], index.size[at], index.crc32[at])
        try:
            image = decode_jpeg(data)
        except IntegrityError as error:
            self._problem(f"{member.name}: {error}")
            return
        size = self.manifest.image_size_px
        if image.shape != (size, size, 3):
            self._problem(f"{member.name} is {image.shape[1]} x {image.shape[0]}, not {size} x {size}")
        else:
            self.check.images += 1


def _read(file: io.BufferedReader, member: TarMember) -> bytes:
    file.seek(member.offset)
    return file.read(member.size)
