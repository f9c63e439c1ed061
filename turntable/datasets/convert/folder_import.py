"""Import of a published folder of loose files: its JPEGs are stored byte for byte, its labels as float32.

Each picture is decoded once, strictly, and each label is compared with the factors' ranges. An object with
a missing or damaged file is left out, with its reason; the others are imported.
"""

import io
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

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
from turntable.datasets.convert.import_plan import ImportPlan, begin_import
from turntable.datasets.convert.published_objects import MAX_LATENT_BYTES, read_file, read_object
from turntable.datasets.dataset import make_folder_files
from turntable.datasets.files import (
    MAX_SIZE_PX,
    FolderFiles,
    JpegSubsampling,
    compute_max_member_bytes,
    decode_jpeg,
    encode_jpeg,
)
from turntable.datasets.manifest import Manifest
from turntable.datasets.objects import (
    LISTS_TEXT,
    SPLIT_RULE_TEXTS,
    QuarantineRecord,
    ShardPlan,
)
from turntable.datasets.recipes import Recipe, load_recipe
from turntable.datasets.shards import ShardWriter
from turntable.datasets.writing import FolderDestination, ShardOutcome, find_finished_outcomes, finish_dataset
from turntable.errors import InvalidInputError, TurntableError, format_text
from turntable.home import expand_home

NUM_SAMPLED_OBJECTS = 32
"""Number of objects that are examined to find the usual number of views."""

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
    files, target = make_folder_files(folder, links_under), expand_home(out)
    ids = _list_object_ids(files.root)
    origin = find_origin(files, settings or ImportSettings(), split_lists, warn or _ignore)
    recipe = _make_recipe(files, ids, origin, warn or _ignore)
    destination = FolderDestination(target)
    with destination.claim(None):
        plan = begin_import(destination, ids, recipe, origin)
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
            jpeg = read_file(files, f"{name}/{make_image_name(0)}", compute_max_member_bytes(MAX_SIZE_PX))
            decode_jpeg(jpeg)
            latent = parse_latent(read_file(files, f"{name}/{make_latent_name(0)}", MAX_LATENT_BYTES))
        except (ValueError, TurntableError):
            continue
        return jpeg, latent, files.format_name(f"{name}/{make_latent_name(0)}")
    raise InvalidInputError(
        f"{files.display_name}: no object has both a readable image_0.jpg and a readable latent_0.npy"
    )


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


def _import_shards(
    files: FolderFiles,
    destination: FolderDestination,
    plan: ImportPlan,
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


def _import_shard(files: FolderFiles, out: Path, plan: ImportPlan, shard: ShardPlan) -> ShardOutcome:
    left_out: list[QuarantineRecord] = []
    recipe = plan.recipe
    with ShardWriter(out / shard.split, shard.name, recipe.schema, recipe.label_digest) as writer:
        for item in shard.objects:
            result = read_object(files, plan.paths[item.id], recipe)
            if isinstance(result, QuarantineRecord):
                left_out.append(result)
            else:
                writer.add(item, *result)
        written = writer.commit() if len(left_out) < len(shard.objects) else None
    return ShardOutcome(shard.split, shard.name, written, tuple(left_out), ())
