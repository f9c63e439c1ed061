"""Import of a published folder of loose files: its JPEGs are stored byte for byte, its labels as float32.

Each picture is decoded once, strictly, and each label is compared with the factors' ranges. An object with
a missing or damaged file is left out, with its reason; the others are imported.
"""

import io
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.convert.export_record import EXPORT_NAME
from turntable.datasets.convert.folder_layout import (
    find_views,
    get_label_names,
    make_image_name,
    make_latent_name,
    parse_latent,
)
from turntable.datasets.convert.import_origin import (
    ImportOrigin,
    ImportSettings,
    describe_imported,
    find_origin,
)
from turntable.datasets.dataset import make_folder_files
from turntable.datasets.files import (
    MAX_SIZE_PX,
    FolderFiles,
    JpegSubsampling,
    compute_max_member_bytes,
    decode_jpeg,
    encode_jpeg,
    to_canonical_json,
)
from turntable.datasets.labels import LabelArray
from turntable.datasets.manifest import Manifest
from turntable.datasets.objects import (
    LISTS_TEXT,
    SPLIT_RULE_TEXTS,
    ObjectRecord,
    QuarantineRecord,
    ShardPlan,
    compute_objects_per_shard,
    plan_shards,
    read_split,
    split_objects,
)
from turntable.datasets.recipes import Recipe, load_recipe
from turntable.datasets.shards import ShardWriter
from turntable.datasets.writing import FolderDestination, ShardOutcome, find_finished_outcomes, finish_dataset
from turntable.errors import IntegrityError, InvalidInputError, TurntableError, format_text

_MAX_LATENT_BYTES = 64 << 10
NUM_SAMPLED_OBJECTS = 32
"""Number of objects that are examined to find the usual number of views."""

FloatArray = NDArray[np.float64]
ProgressCallback = Callable[[int, int], None]
"""A function called with the number of objects done and the number of all objects."""


def import_folder(
    folder: str | Path,
    out: str | Path,
    *,
    settings: ImportSettings | None = None,
    split_lists: Sequence[Path] = (),
    describe_camera: Callable[[int], Mapping[str, Any]] | None = None,
    warn: Callable[[str], None] | None = None,
    num_threads: int | None = None,
    progress: ProgressCallback | None = None,
    links_under: Sequence[str | Path] = (),
) -> Manifest:
    """Make a data set of shards from a published folder, or resume an unfinished import.

    Args:
        folder: Folder with ``{synset}/{id}/image_{view}.jpg`` and ``latent_{view}.npy``.
        out: Folder of the data set: empty, or holding the same import begun earlier.
        settings: Facts that the files do not state. Of a folder that ``export_folder`` wrote, its
            ``export.json`` states them.
        split_lists: Paths of ``train_images.npy``, ``val_images.npy`` or both, as published. With one list,
            all other objects belong to the other split. With both, an object in neither is left out. Without
            lists, the objects are divided as in a rendered data set, or by the lists of an export.
        describe_camera: Function from the image size in pixels to the manifest's entry on the camera.
        warn: Function called with a text about each setting and file that contradicts ``export.json``.
        num_threads: Number of threads that read and check; by default one for each core.
        progress: Function called after each shard.
        links_under: Folders into which symbolic links of the published folder may lead, besides itself and
            the hub's cache. An object with any other link is left out.

    Raises:
        InvalidInputError: The folder does not have this layout, or a label is outside its range. The message
            names the file. Finished shards are kept: call again once the cause is removed.
        IntegrityError: The folder's ``export.json`` is damaged.
        TurntableError: The disk is full.
    """
    files, target = make_folder_files(folder, links_under), Path(out)
    ids = _list_object_ids(files.root)
    origin = find_origin(files, settings or ImportSettings(), split_lists, warn or _ignore)
    recipe = _make_recipe(files, ids, origin, warn or _ignore)
    destination = FolderDestination(target)
    with destination.claim(None):
        plan = _begin_import(destination, ids, recipe, origin)
        done = _import_shards(files, destination, plan, num_threads, progress)
        return finish_dataset(
            target,
            plan.recipe,
            [item.shard for item in done if item.shard is not None],
            [*plan.left_out, *(entry for item in done for entry in item.quarantine)],
            camera={} if describe_camera is None else describe_camera(recipe.image_size_px),
            device={"backend": "imported"},
            source=origin.source,
            split_text=LISTS_TEXT if origin.split_lists else SPLIT_RULE_TEXTS[plan.recipe.split_rule],
        )


def _ignore(text: str) -> None:
    """Do nothing with a text; for those who do not listen."""


@dataclass(frozen=True, slots=True)
class _ImportPlan:
    """The objects of an import, and the shards that are to hold them."""

    recipe: Recipe
    shards: tuple[ShardPlan, ...]
    paths: Mapping[str, str]
    """The path of each object's folder, by its id."""
    left_out: tuple[QuarantineRecord, ...]

    def to_text(self) -> str:
        """Return the text that marks a folder as this import's."""
        # Which object is in which shard says all about the rule of splits; without the key, the text is as
        # earlier versions wrote it.
        recipe = {key: value for key, value in self.recipe.to_dict().items() if key != "split_rule"}
        shards = [
            {"split": item.split, "name": item.name, "objects": [record.id for record in item.objects]}
            for item in self.shards
        ]
        plan = {"recipe": recipe, "left_out": len(self.left_out), "shards": shards}
        return to_canonical_json(plan) + "\n"


def _begin_import(
    destination: FolderDestination, ids: Sequence[str], recipe: Recipe, origin: ImportOrigin
) -> _ImportPlan:
    """Mark a folder as this import's, or go on with what an earlier call, or an earlier version, has begun.

    Raises:
        InvalidInputError: The folder holds something else.
    """
    earlier_text = destination.read_plan()
    plan = _plan_import(ids, recipe, origin)
    if earlier_text is None:
        destination.write_plan(plan.to_text())
    elif earlier_text != plan.to_text():
        plan = _plan_import(ids, recipe.replace(split_rule="each-category"), origin)
        if earlier_text != plan.to_text():
            raise InvalidInputError(
                f"{destination.path_or_url} holds an import of other objects, or one with other arguments; "
                "give the arguments it was begun with, or choose another --out"
            )
    return plan


def _plan_import(ids: Sequence[str], recipe: Recipe, origin: ImportOrigin) -> _ImportPlan:
    records, left_out = _make_records(ids, recipe, origin)
    per_shard = compute_objects_per_shard(recipe.objects_per_shard, len(records))
    shards = plan_shards(records.values(), per_shard, recipe.split_seed)
    paths = {record.id: path for path, record in records.items()}
    return _ImportPlan(recipe, shards, paths, tuple(left_out))


def _list_object_ids(root: Path) -> list[str]:
    if not root.is_dir():
        raise InvalidInputError(f"{root} is not a folder; give the one that holds the synsets' folders")
    ids = [
        f"{synset.name}/{item.name}"
        for synset in sorted(_iter_folders(root), key=lambda entry: entry.name)
        for item in _iter_folders(Path(synset.path))
    ]
    if not ids:
        raise InvalidInputError(
            f"{root} has no {{synset}}/{{id}}/image_0.jpg; give the folder that holds the synsets' folders"
        )
    # Python decodes undecodable bytes of a file name to surrogates, which UTF-8 cannot encode.
    undecodable = [name for name in ids if name.encode("utf-8", "ignore").decode() != name]
    if undecodable:
        raise InvalidInputError(
            f"{root}: {len(undecodable):,} names of folders are not in UTF-8, such as "
            f"{format_text(undecodable[0])}; rename them"
        )
    return sorted(ids)


def _iter_folders(path: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(path) as entries:
        yield from (entry for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def _make_recipe(
    files: FolderFiles, ids: Sequence[str], origin: ImportOrigin, warn: Callable[[str], None]
) -> Recipe:
    """Make a recipe that describes the files in the folder."""
    num_views = origin.num_views or _count_usual_views(files.root, ids)
    jpeg, latent, latent_path = _find_first_view(files, ids)
    names = get_label_names(len(latent), latent_path)
    like = origin.recipe or load_recipe("3diebench" if len(names) == 7 else "3diebench-t")
    if like.schema.names != names:
        raise InvalidInputError(
            f"{latent_path}: the label has {len(names)} numbers, but recipe {like.name} has the factors "
            f"{', '.join(like.schema.names)}; give another recipe with --like"
        )
    quality, subsampling = _estimate_jpeg_settings(jpeg)
    size = decode_jpeg(jpeg).shape[0]
    if origin.is_exported:
        for what, stated, found in (
            ("views of each object", like.views, num_views),
            ("pixels on a side", like.image_size_px, size),
        ):
            if stated != found:
                warn(f"{files.format_name(EXPORT_NAME)} says {stated} {what}, but the files have {found}")
    return describe_imported(like).replace(
        name=origin.name or f"{like.name}-imported",
        source=origin.source_name,
        views=num_views,
        image_size_px=size,
        channel_order=origin.channel_order,
        jpeg_quality=quality,
        jpeg_subsampling=subsampling,
    )


def _count_usual_views(root: Path, ids: Sequence[str]) -> int:
    """Return the most frequent number of views among the first objects."""
    counts = Counter(len(find_views(root / name)[0]) for name in ids[:NUM_SAMPLED_OBJECTS])
    del counts[0]
    if not counts:
        raise InvalidInputError(
            f"{root / ids[0]} and others have no image_0.jpg; give the folder that holds the synsets' folders"
        )
    return max(counts, key=lambda num_views: (counts[num_views], num_views))


def _find_first_view(files: FolderFiles, ids: Sequence[str]) -> tuple[bytes, np.ndarray, str]:
    """Return the first readable picture, its label, and the label's path."""
    for name in ids:
        try:
            jpeg = _read_file(files, f"{name}/{make_image_name(0)}", compute_max_member_bytes(MAX_SIZE_PX))
            decode_jpeg(jpeg)
            latent = parse_latent(_read_file(files, f"{name}/{make_latent_name(0)}", _MAX_LATENT_BYTES))
        except (ValueError, TurntableError):
            continue
        return jpeg, latent, files.format_name(f"{name}/{make_latent_name(0)}")
    raise InvalidInputError(
        f"{files.display_name}: no object has both a readable image_0.jpg and a readable latent_0.npy"
    )


def _read_file(files: FolderFiles, name: str, max_bytes: int) -> bytes:
    data = files.read(name, max_bytes)
    if data is None:
        raise IntegrityError(f"{files.format_name(name)}: missing")
    return data


def _estimate_jpeg_settings(jpeg: bytes) -> tuple[int, JpegSubsampling]:
    """Find the quality and subsampling with which a JPEG was encoded; the quality is 95 if none matches.

    Pillow derives the quantization tables from the quality, so encoding any image tells them.
    """
    from PIL import Image, JpegImagePlugin

    def open_jpeg(data: bytes) -> JpegImagePlugin.JpegImageFile:
        image = Image.open(io.BytesIO(data), formats=["JPEG"])
        assert isinstance(image, JpegImagePlugin.JpegImageFile)
        return image

    image = open_jpeg(jpeg)
    black = np.zeros((8, 8, 3), dtype=np.uint8)
    qualities = (
        q for q in range(100, 0, -1) if open_jpeg(encode_jpeg(black, q)).quantization == image.quantization
    )
    return next(qualities, 95), "420" if JpegImagePlugin.get_sampling(image) == 2 else "444"


def _make_records(
    ids: Sequence[str], recipe: Recipe, origin: ImportOrigin
) -> tuple[dict[str, ObjectRecord], list[QuarantineRecord]]:
    """Return the records of the objects to import, by path, and of those left out."""
    facts = {name: origin.describe_object(name) for name in ids}
    left_out: list[QuarantineRecord] = []
    if not origin.split_lists and len(recipe.splits) == 1:
        splits = dict.fromkeys(ids, recipe.splits[0])
    elif not origin.split_lists:
        categories = {name: item.category for name, item in facts.items()}
        splits = split_objects(categories, recipe.val_fraction, recipe.split_seed, rule=recipe.split_rule)
    else:
        splits = read_split(origin.split_lists, () if origin.is_exported else ids)
        absent = sorted(splits.keys() - facts.keys())
        left_out += [QuarantineRecord(name, "folder missing", "in the lists, not there") for name in absent]
    unusable = {name for name in ids if not name.isprintable() or "\\" in name}
    left_out += [QuarantineRecord(name, "name not plain", ascii(name)) for name in sorted(unusable)]
    listed = [name for name in ids if splits.get(name) in recipe.splits and name not in unusable]
    unlisted = sorted(set(ids) - set(listed) - unusable)
    left_out += [QuarantineRecord(name, "in no split", "there, not in the lists") for name in unlisted]
    records = {
        name: ObjectRecord(
            facts[name].id, facts[name].category, splits[name], origin.source_name, "", facts[name].licence
        )
        for name in listed
    }
    return records, left_out


def _import_shards(
    files: FolderFiles,
    destination: FolderDestination,
    plan: _ImportPlan,
    num_threads: int | None,
    progress: ProgressCallback | None,
) -> list[ShardOutcome]:
    done = {outcome.split_and_name: outcome for outcome in find_finished_outcomes(destination)}
    missing = [shard for shard in plan.shards if shard.split_and_name not in done]
    total = sum(len(shard.objects) for shard in plan.shards)
    num_done = total - sum(len(shard.objects) for shard in missing)
    with ThreadPoolExecutor(num_threads or os.cpu_count() or 1) as pool:
        import_shard = partial(_import_shard, files, destination.folder, plan)
        running = {pool.submit(import_shard, shard): shard for shard in missing}
        try:
            for future in as_completed(running):
                outcome = future.result()
                destination.record_outcome(outcome, None)
                done[outcome.split_and_name] = outcome
                num_done += len(running[future].objects)
                if progress is not None:
                    progress(num_done, total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [done[shard.split_and_name] for shard in plan.shards]


def _import_shard(files: FolderFiles, out: Path, plan: _ImportPlan, shard: ShardPlan) -> ShardOutcome:
    left_out: list[QuarantineRecord] = []
    recipe = plan.recipe
    with ShardWriter(out / shard.split, shard.name, recipe.schema, recipe.label_digest) as writer:
        for item in shard.objects:
            result = _read_object(files, plan.paths[item.id], recipe)
            if isinstance(result, QuarantineRecord):
                left_out.append(result)
            else:
                writer.add(item, *result)
        written = writer.commit() if len(left_out) < len(shard.objects) else None
    return ShardOutcome(shard.split, shard.name, written, tuple(left_out), ())


def _read_object(
    files: FolderFiles, name: str, recipe: Recipe
) -> tuple[LabelArray, list[bytes]] | QuarantineRecord:
    """Read the labels [V, L] and JPEGs of one object, or return the reason to leave it out."""
    path = files.root / name
    images, latents = find_views(path)
    expected = set(range(recipe.views))
    missing = [make_image_name(view) for view in sorted(expected - images)]
    missing += [make_latent_name(view) for view in sorted(expected - latents)]
    if missing:
        return QuarantineRecord(name, "views missing", f"{path}: no {', '.join(missing[:5])}")
    if images | latents != expected:
        return QuarantineRecord(
            name, "views too many", f"{path}: {len(images | latents)}, where others have {recipe.views}"
        )
    try:
        jpegs = [_read_jpeg(files, f"{name}/{make_image_name(view)}", recipe) for view in range(recipe.views)]
        values = [
            _read_latent(files, f"{name}/{make_latent_name(view)}", recipe) for view in range(recipe.views)
        ]
    except _FileError as error:
        return QuarantineRecord(name, error.reason, str(error))
    return _make_labels(path, np.stack(values), recipe), jpegs


class _FileError(Exception):
    """An error of one file, which makes its object unusable."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def _read_jpeg(files: FolderFiles, name: str, recipe: Recipe) -> bytes:
    size, path = recipe.image_size_px, files.format_name(name)
    try:
        data = _read_file(files, name, compute_max_member_bytes(size))
        height, width = decode_jpeg(data).shape[:2]
    except TurntableError as error:
        raise _FileError("image damaged", f"{path}: {error}") from None
    if (height, width) != (size, size):
        raise _FileError("image of another size", f"{path}: {width} x {height}, not {size} x {size}")
    return data


def _read_latent(files: FolderFiles, name: str, recipe: Recipe) -> FloatArray:
    path = files.format_name(name)
    try:
        latent = parse_latent(_read_file(files, name, _MAX_LATENT_BYTES))
    except (ValueError, TurntableError) as error:
        raise _FileError("label damaged", f"{path}: {error}") from None
    if len(latent) != len(recipe.factors):
        raise _FileError("label damaged", f"{path}: {len(latent)} numbers, not {len(recipe.factors)}")
    return latent


def _make_labels(path: Path, latents: FloatArray, recipe: Recipe) -> LabelArray:
    """Return the labels, float32 [V, L]. Raises InvalidInputError if one is outside its factor's range."""
    for values, factor in zip(latents.T, recipe.factors, strict=True):
        inside = np.any([(values >= low) & (values <= high) for low, high in factor.get_intervals()], axis=0)
        if not inside.all():
            view = int(np.argmin(inside))
            ranges = " or ".join(f"[{low:.6g}, {high:.6g}]" for low, high in factor.get_intervals())
            raise InvalidInputError(
                f"{path / make_latent_name(view)}: {factor.name} is {values[view]:.6g}, outside {ranges}, "
                f"the range of recipe {recipe.name}; give the recipe this data set was drawn from with "
                "--like, if need be a TOML file of your own"
            )
    return recipe.schema.round_values(latents)
