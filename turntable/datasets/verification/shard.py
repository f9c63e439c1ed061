"""Verification of one shard: its archive, index, images and labels, each read independently of the others.

The fast part reads every byte once, for the hash, and decodes no image. The archive's own headers must agree
with the index, and its labels and descriptions with those of the index. The deep part also decodes
everything.
"""

import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws import draw_factors, is_same_draw
from turntable.datasets.files import (
    FieldError,
    FolderFiles,
    JsonFields,
    encode_npy,
    make_array_member_name,
    make_image_member_name,
    make_labels_member_name,
    make_meta_member_name,
    make_output_member_name,
    parse_json,
)
from turntable.datasets.labels import OBJECT_ARRAYS, LabelArray, get_output_suffix
from turntable.datasets.manifest import Manifest
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.recipes import Recipe
from turntable.datasets.shards import (
    SHARD_REMEDY,
    ShardIndex,
    ShardRecord,
    TarMember,
    decode_texts,
    iter_tar_members,
    make_index_name,
    make_shard_name,
    open_folder_index,
)
from turntable.datasets.verification.array_faults import find_array_faults
from turntable.datasets.verification.members import decode_member
from turntable.datasets.verification.part_arrays import find_index_fault, find_record_faults
from turntable.datasets.verification.scan_arrays import find_scan_fault
from turntable.errors import IntegrityError, InvalidInputError, TurntableError


@dataclass(slots=True)
class ShardFindings:
    """The contents of one shard, as far as they could be read, and its problems."""

    labels: LabelArray
    """Labels [N, V, L] as the index has them."""
    problems: list[str] = field(default_factory=list)
    objects: list[ObjectRecord] = field(default_factory=list)
    num_images: int = 0


def verify_shard(
    files: FolderFiles, manifest: Manifest, recipe: Recipe, shard: ShardRecord, *, deep: bool
) -> ShardFindings:
    """Check one shard against the manifest, the recipe and itself.

    Args:
        files: Files of the data set.
        manifest: Manifest of the data set.
        recipe: Recipe of the manifest.
        shard: The shard's record in the manifest.
        deep: True to decode every image and draw every label again.
    """
    findings = ShardFindings(labels=np.empty((0, manifest.views, len(manifest.factors)), dtype=np.float32))
    name = make_shard_name(shard)
    try:
        findings.problems += _find_hash_problems(files, shard)
        index = open_folder_index(files, make_index_name(name))
        file = files.open(name)
        if file is not None:
            with file:
                is_edited = bool(findings.problems)
                scanned = manifest, recipe, shard, findings, deep, is_edited
                _ShardScan(files.format_name(name), file, index, *scanned).run()
    except TurntableError as error:
        findings.problems.append(str(error))
    findings.problems[:] = dict.fromkeys(findings.problems)
    return findings


def _find_hash_problems(files: FolderFiles, shard: ShardRecord) -> Iterator[str]:
    """Yield the problems of a shard's two files as wholes. Each file is read once."""
    tar = make_shard_name(shard)
    for name, expected in ((tar, shard.sha256), (make_index_name(tar), shard.idx_sha256)):
        file, display_name = files.open(name), files.format_name(name)
        if file is None:
            yield f"{display_name}: missing; {SHARD_REMEDY}"
            continue
        with file:
            length = os.fstat(file.fileno()).st_size
            if name == tar and length != shard.bytes:
                yield (
                    f"{display_name}: {length} bytes, the manifest says {shard.bytes}: cut or edited; "
                    f"{SHARD_REMEDY}"
                )
            elif hashlib.file_digest(file, "sha256").hexdigest() != expected:
                yield f"{display_name}: its sha256 is not the manifest's: edited; {SHARD_REMEDY}"


@dataclass(slots=True)
class _ShardScan:
    """A scan of one shard's archive, member by member."""

    path: str
    """Name of the shard in messages."""
    file: BinaryIO
    index: ShardIndex
    manifest: Manifest
    recipe: Recipe
    shard: ShardRecord
    findings: ShardFindings
    deep: bool
    is_edited: bool
    """True if a hash was wrong: every member is then checked, so that the report names the damaged ones."""

    def run(self) -> None:
        """Read the archive by its own headers and compare every member with the index."""
        self.findings.labels = self.index.latents
        shape = (self.shard.objects, self.manifest.views, len(self.manifest.factors))
        if self.index.latents.shape != shape:
            self._add_problem(
                f"its index has {self.index.latents.shape} objects, views and factors, not {shape}"
            )
            return
        index = self.index
        outputs = (index.has_pictures, decode_texts(index.extras), len(index.points_offset) > 0)
        if outputs != (self.manifest.has_pictures, self._list_extras(), self.manifest.points > 0):
            self._add_problem("its index and the manifest do not agree on outputs and point clouds")
            return
        if unknown := sorted(set(decode_texts(index.arrays)) - set(OBJECT_ARRAYS)):
            self._add_problem(f"its index names arrays that there are not: {', '.join(unknown)[:200]}")
            return
        members = iter_tar_members(self.file, self.path)
        for row, key in enumerate(decode_texts(self.index.keys)):
            expected = self._list_expected_names(row, key)
            members_found = list(islice(members, len(expected)))
            if [member.name for member in members_found] != expected:
                self._add_problem("its members are not those of its index")
                return
            self._scan_object(row, members_found)
        if next(members, None) is not None:
            self._add_problem("its members are not those of its index")

    def _add_problem(self, text: str) -> None:
        self.findings.problems.append(f"{self.path}: {text}; {SHARD_REMEDY}")

    def _list_expected_names(self, row: int, key: str) -> list[str]:
        """Return the names of an object's members, in order."""
        views = range(self.manifest.views)
        return [
            make_labels_member_name(key),
            make_meta_member_name(key),
            *(make_image_member_name(key, view) for view in views if self.manifest.has_pictures),
            *(
                make_output_member_name(key, view, output, get_output_suffix(output))
                for output in self._list_extras()
                for view in views
            ),
            *(make_array_member_name(key, name) for name in self.index.list_arrays(row)),
        ]

    def _list_extras(self) -> list[str]:
        return [output for output in self.manifest.outputs if output != "rgb"]

    def _scan_object(self, row: int, members: list[TarMember]) -> None:
        labels, meta, *others = members
        self._compare_labels(row, labels, self._read_member(labels))
        record = self._read_record(row, meta, self._read_member(meta))
        if record is not None:
            for fault in find_record_faults(self.manifest, record, self.index.list_arrays(row)):
                self._add_problem(f"{meta.name}: {fault}")
        decoded: dict[str, NDArray[Any] | None] = {}
        for content, location, member in zip(
            self._iter_contents(row), self._iter_locations(row), others, strict=True
        ):
            if (member.offset, member.size) != location[:2]:
                self._add_problem(f"{member.name} is not where the index says")
            if self.deep or self.is_edited:
                data = self._read_member(member)
                if zlib.crc32(data) != location[2]:
                    self._add_problem(f"{member.name}: wrong checksum")
                if self.deep:
                    decoded[content] = self._decode_member(content, member, data, record)
        if not self.deep:
            self.findings.num_images += self.manifest.views * self.manifest.has_pictures
        elif record is not None:
            self._compare_to_recipe(row, labels, record)
            for fault in find_array_faults(self.manifest, record, self.index.latents[row], decoded):
                self._add_problem(f"{meta.name}: {fault}")

    def _iter_contents(self, row: int) -> Iterator[str]:
        """Yield the output of each member after an object's labels and description, in order."""
        for output in self.manifest.outputs:
            yield from [output] * self.manifest.views
        yield from self.index.list_arrays(row)

    def _iter_locations(self, row: int) -> Iterator[tuple[int, int, int]]:
        """Yield offset, size and checksum of each of these members, as the index gives them."""
        index = self.index
        locations = [(index.offset[row], index.size[row], index.crc32[row])][: self.manifest.has_pictures]
        locations += [
            (index.extra_offset[row, number], index.extra_size[row, number], index.extra_crc32[row, number])
            for number in range(len(self._list_extras()))
        ]
        for offsets, sizes, checksums in locations:
            yield from zip(offsets.tolist(), sizes.tolist(), checksums.tolist(), strict=True)
        arrays = (index.locate_array(name, row) for name in index.list_arrays(row))
        yield from (location for location in arrays if location is not None)

    def _compare_labels(self, row: int, member: TarMember, data: bytes) -> None:
        """Compare the labels in the archive with those in the index: both were written from one array."""
        if data != encode_npy(self.index.latents[row]):
            self._add_problem(f"{member.name} and the index have different labels")

    def _read_record(self, row: int, member: TarMember, data: bytes) -> ObjectRecord | None:
        try:
            table = JsonFields(parse_json(data))
            record, digest = ObjectRecord.from_fields(table), table.get_text("label_digest")
        except FieldError as error:
            self._add_problem(f"{member.name} is not the description of an object ({error})")
            return None
        self.findings.objects.append(record)
        index, rows = self.index, slice(row, row + 1)
        indexed = tuple(decode_texts(texts[rows])[0] for texts in (index.ids, index.categories, index.keys))
        if (record.id, record.category, record.key) != indexed:
            self._add_problem(f"{member.name} and the index describe different objects")
        if record.split != self.shard.split:
            self._add_problem(f"{member.name} says split {record.split}")
        if digest != self.recipe.label_digest:
            self._add_problem(f"{member.name}: rendered from another recipe (label digest {digest[:64]})")
        return record

    def _compare_to_recipe(self, row: int, member: TarMember, record: ObjectRecord) -> None:
        """Compare an object's labels with the ranges and draws of the recipe."""
        indexed = self.index.latents[row]
        for column, factor in enumerate(self.manifest.factors):
            if not factor.contains(indexed[:, column]).all():
                self._add_problem(f"{member.name}: {factor.name} leaves [{factor.low}, {factor.high}]")
        if not has_drawn_labels(self.recipe):
            return
        try:
            drawn = draw_factors(
                self.recipe, record.id, range(self.manifest.views), record.stream, record.category
            )
        except InvalidInputError as error:
            self._add_problem(f"{member.name}: {error}")
            return
        if not is_same_draw(self.recipe, drawn, indexed):
            self._add_problem(f"{member.name}: not the labels the recipe draws for object {record.id}")

    def _decode_member(
        self, content: str, member: TarMember, data: bytes, record: ObjectRecord | None
    ) -> NDArray[Any] | None:
        """Decode a member, and note what is wrong with it; return None if it cannot be decoded."""
        try:
            decoded = decode_member(self.manifest, content, data)
        except IntegrityError as error:
            self._add_problem(f"{member.name}: {error}")
            return None
        self.findings.num_images += content == "rgb"
        check = _CONTENT_CHECKS.get(content)
        if check is not None and record is not None and (fault := check(record, decoded)):
            self._add_problem(f"{member.name}: {fault}")
        return decoded

    def _read_member(self, member: TarMember) -> bytes:
        self.file.seek(member.offset)
        return self.file.read(member.size)


def has_drawn_labels(recipe: Recipe) -> bool:
    """Return True if the recipe can draw its labels again; an imported data set came with its labels."""
    return recipe.draws != "imported"


_CONTENT_CHECKS: dict[str, Callable[[ObjectRecord, NDArray[Any]], str]] = {
    "parts": find_index_fault,
    "scan": find_scan_fault,
}
"""Functions that return what is wrong with an output of a view; "" if nothing is."""
