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

from turntable.choices import ChannelOrder, SourceName
from turntable.datasets.convert.folder_layout import (
    find_views,
    get_label_names,
    make_image_name,
    make_latent_name,
    parse_latent,
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
from turntable.home import expand_home

_MAX_LATENT_BYTES = 64 << 10
NUM_SAMPLED_OBJECTS = 32
"""Number of objects that are examined to find the usual number of views."""

FloatArray = NDArray[np.float64]
ProgressCallback = Callable[[int, int], None]
"""A function called with the number of objects done and the number of all objects."""


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """Settings of an import: facts that the files themselves do not state."""

    channel_order: ChannelOrder = "bgr"
    """Channel order of the JPEGs. The published generators exchange red and blue."""
    like: str | None = None
    """Recipe whose ranges the labels keep; None: 3diebench or 3diebench-t, by the number of labels."""
    name: str | None = None
    """Name of the data set; None: the recipe's name with "-imported"."""
    source: SourceName = "shapenet"
    """Source of the meshes."""
    license: str = "ShapeNet terms of use (non-commercial research); see shapenet.org/terms"
    """License of the meshes."""
    num_views: int | None = None
    """Number of views of each object; None: as many as most of the first objects have."""


def import_folder(
    folder: str | Path,
    out: str | Path,
    *,
    settings: ImportSettings | None = None,
    split_lists: Sequence[Path] = (),
    describe_camera: Callable[[int], Mapping[str, Any]] | None = None,
    num_threads: int | None = None,
    progress: ProgressCallback | None = None,
    links_under: Sequence[str | Path] = (),
) -> Manifest:
    """Make a data set of shards from a published folder, or resume an unfinished import.

    Args:
        folder: Folder with ``{synset}/{id}/image_{view}.jpg`` and ``latent_{view}.npy``.
        out: Folder of the data set: empty, or holding the same import begun earlier.
        settings: Facts that the files do not state.
        split_lists: Paths of ``train_images.npy``, ``val_images.npy`` or both, as published. With one list,
            all other objects belong to the other split. With both, an object in neither is left out. Without
            lists, the objects are divided as in a rendered data set.
        describe_camera: Function from the image size in pixels to the manifest's entry on the camera.
        num_threads: Number of threads that read and check; by default one for each core.
        progress: Function called after each shard.
        links_under: Folders into which symbolic links of the published folder may lead, besides itself and
            the hub's cache. An object with any other link is left out.

    Raises:
        InvalidInputError: The folder does not have this layout, or a label is outside its range. The message
            names the file. Finished shards are kept: call again once the cause is removed.
        TurntableError: The disk is full.
    """
    files, target, known = (
        make_folder_files(folder, links_under),
        expand_home(out),
        settings or ImportSettings(),
    )
    ids = _list_object_ids(files.root)
    recipe = _make_recipe(files, ids, known)
    records, left_out = _make_records(ids, recipe, split_lists, known.source)
    destination = FolderDestination(target)
    with destination.claim(None):
        per_shard = compute_objects_per_shard(recipe.objects_per_shard, len(records))
        plans = plan_shards(records, per_shard, recipe.split_seed)
        shards = [{"split": p.split, "name": p.name, "objects": [o.id for o in p.objects]} for p in plans]
        _claim_folder(destination, {"recipe": recipe.to_dict(), "left_out": len(left_out), "shards": shards})
        done = _import_shards(files, destination, recipe, plans, num_threads, progress)
        return finish_dataset(
            target,
            recipe,
            [item.shard for item in done if item.shard is not None],
            [*left_out, *(entry for item in done for entry in item.quarantine)],
            camera={} if describe_camera is None else describe_camera(recipe.image_size_px),
            device={"backend": "imported"},
            source={"name": known.source, "licence": known.license},
        )


def _claim_folder(destination: FolderDestination, plan: Mapping[str, Any]) -> None:
    """Mark a folder as this import's, or check that an earlier call has marked it.

    Raises:
        InvalidInputError: The folder holds something else.
    """
    text, earlier_text = to_canonical_json(plan) + "\n", destination.read_plan()
    if earlier_text is None:
        destination.write_plan(text)
    elif earlier_text != text:
        raise InvalidInputError(
            f"{destination.path_or_url} holds an import of other objects, or one with other arguments; give "
            "the arguments it was begun with, or choose another --out"
        )


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


def _make_recipe(files: FolderFiles, ids: Sequence[str], settings: ImportSettings) -> Recipe:
    """Make a recipe that describes the files in the folder."""
    num_views = settings.num_views or _count_usual_views(files.root, ids)
    jpeg, latent, latent_path = _find_first_view(files, ids)
    names = get_label_names(len(latent), latent_path)
    like = load_recipe(settings.like or ("3diebench" if len(names) == 7 else "3diebench-t"))
    if like.schema.names != names:
        raise InvalidInputError(
            f"{latent_path}: the label has {len(names)} numbers, but recipe {like.name} has the factors "
            f"{', '.join(like.schema.names)}; give another recipe with --like"
        )
    quality, subsampling = _estimate_jpeg_settings(jpeg)
    return like.replace(
        name=settings.name or f"{like.name}-imported",
        draws="imported",
        chunks=1,  # chunks belong to the draws of a published stream, and these labels are not drawn
        source=settings.source,
        views=num_views,
        image_size_px=decode_jpeg(jpeg).shape[0],
        channel_order=settings.channel_order,
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
    ids: Sequence[str], recipe: Recipe, lists: Sequence[Path], source: str
) -> tuple[list[ObjectRecord], list[QuarantineRecord]]:
    """Return the records of the objects to import, and of those left out."""
    categories = {name: name.partition("/")[0] for name in ids}
    left_out: list[QuarantineRecord] = []
    if not lists and len(recipe.splits) == 1:
        splits = dict.fromkeys(ids, recipe.splits[0])
    elif not lists:
        splits = split_objects(categories, recipe.val_fraction, recipe.split_seed)
    else:
        splits = read_split(lists, ids)
        absent = sorted(splits.keys() - categories.keys())
        left_out += [QuarantineRecord(name, "folder missing", "in the lists, not there") for name in absent]
    unusable = {name for name in ids if not name.isprintable() or "\\" in name}
    left_out += [QuarantineRecord(name, "name not plain", ascii(name)) for name in sorted(unusable)]
    listed = [name for name in ids if splits.get(name) in recipe.splits and name not in unusable]
    unlisted = sorted(set(ids) - set(listed) - unusable)
    left_out += [QuarantineRecord(name, "in no split", "there, not in the lists") for name in unlisted]
    records = [ObjectRecord(name, categories[name], splits[name], source, "") for name in listed]
    return records, left_out


def _import_shards(
    files: FolderFiles,
    destination: FolderDestination,
    recipe: Recipe,
    plans: Sequence[ShardPlan],
    num_threads: int | None,
    progress: ProgressCallback | None,
) -> list[ShardOutcome]:
    done = {outcome.split_and_name: outcome for outcome in find_finished_outcomes(destination)}
    missing = [plan for plan in plans if plan.split_and_name not in done]
    total = sum(len(plan.objects) for plan in plans)
    num_done = total - sum(len(plan.objects) for plan in missing)
    with ThreadPoolExecutor(num_threads or os.cpu_count() or 1) as pool:
        import_shard = partial(_import_shard, files, destination.folder, recipe)
        running = {pool.submit(import_shard, plan): plan for plan in missing}
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
    return [done[plan.split_and_name] for plan in plans]


def _import_shard(files: FolderFiles, out: Path, recipe: Recipe, plan: ShardPlan) -> ShardOutcome:
    left_out: list[QuarantineRecord] = []
    with ShardWriter(out / plan.split, plan.name, recipe.schema, recipe.label_digest) as writer:
        for item in plan.objects:
            result = _read_object(files, item.id, recipe)
            if isinstance(result, QuarantineRecord):
                left_out.append(result)
            else:
                writer.add(item, *result)
        shard = writer.commit() if len(left_out) < len(plan.objects) else None
    return ShardOutcome(plan.split, plan.name, shard, tuple(left_out), ())


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
