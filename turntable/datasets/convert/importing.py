"""Published folders of loose files into shards: the JPEGs byte for byte, the labels from their files.

Each picture is decoded once, strictly, and each label held against the ranges that were declared. An object
of which anything is missing or damaged is left out with its reason; the others lose nothing by it.
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
from turntable.datasets.convert.layout import image_name, label_names, latent_name, parse_latent, views_in
from turntable.datasets.dataset import confined
from turntable.datasets.files import (
    MOST_SIZE_PX,
    FolderFiles,
    JpegSubsampling,
    canonical_json,
    decode_jpeg,
    encode_jpeg,
    most_member_bytes,
)
from turntable.datasets.labels import LabelArray
from turntable.datasets.making import LocalFolder, Outcome, finish_dataset, standing
from turntable.datasets.manifest import Manifest
from turntable.datasets.objects import (
    ObjectRecord,
    QuarantineRecord,
    ShardPlan,
    objects_a_shard,
    plan_shards,
    read_split,
    split_objects,
)
from turntable.datasets.recipes import Recipe, load_recipe
from turntable.datasets.shards import ShardWriter
from turntable.errors import IntegrityError, InvalidInputError, TurntableError, shown

_MOST_LATENT_BYTES = 64 << 10
SAMPLE = 32
"""Objects that are looked at to learn how many views the data set has."""

FloatArray = NDArray[np.float64]
Progress = Callable[[int, int], None]
"""Called with objects done and objects in all."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What the files themselves do not say."""

    channel_order: ChannelOrder = "bgr"
    """Of the JPEGs: the published generators exchange red and blue."""
    like: str | None = None
    """Recipe whose ranges the labels keep; by default 3diebench or 3diebench-t, as they are long."""
    name: str | None = None
    """Of the data set; by default that of the recipe with "-imported"."""
    source: SourceName = "shapenet"
    """Of the meshes."""
    licence: str = "ShapeNet terms of use (non-commercial research); see shapenet.org/terms"
    """Of the meshes."""
    views: int | None = None
    """Of each object; by default as many as most of the first objects have."""


def import_folder(
    folder: str | Path,
    out: str | Path,
    *,
    origin: Origin | None = None,
    split: Sequence[Path] = (),
    camera: Callable[[int], Mapping[str, Any]] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    links_under: Sequence[str | Path] = (),
) -> Manifest:
    """Make a data set of shards from a published folder, or finish one that was begun.

    Args:
        folder: ``{synset}/{id}/image_{view}.jpg`` and ``latent_{view}.npy``.
        out: empty, or of the same import begun earlier.
        origin: what the files do not say.
        split: ``train_images.npy``, ``val_images.npy`` or both, as published. With one of them all others are
            of the other split; an object that neither of two names is left out. Without any the objects are
            divided by our own rule.
        camera: what the manifest is to say of the camera, for an image size in pixels.
        threads: that read and check; one a core by default.
        progress: called after each shard.
        links_under: folders into which links of the published folder may lead, beside itself and the hub's
            cache; an object with another link is left out.

    Raises:
        InvalidInputError: the folder is not of this layout, or a label leaves the declared range; the message
            names the file. Nothing is lost: the same call goes on once that is settled.
        TurntableError: the disk is full.
    """
    files, target, known = confined(folder, links_under), Path(out), origin or Origin()
    ids = _object_ids(files.root)
    recipe = _recipe(files, ids, known)
    records, left_out = _records(ids, recipe, split, known.source)
    destination = LocalFolder(target)
    with destination.claim(None):
        per_shard = objects_a_shard(recipe.objects_per_shard, len(records))
        plans = plan_shards(records, per_shard, recipe.split_seed)
        shards = [{"split": p.split, "name": p.name, "objects": [o.id for o in p.objects]} for p in plans]
        _claim(destination, {"recipe": recipe.to_dict(), "left_out": len(left_out), "shards": shards})
        done = _import_shards(files, destination, recipe, plans, threads, progress)
        return finish_dataset(
            target,
            recipe,
            [item.shard for item in done if item.shard is not None],
            [*left_out, *(entry for item in done for entry in item.quarantine)],
            camera={} if camera is None else camera(recipe.image_size_px),
            device={"backend": "imported"},
            source={"name": known.source, "licence": known.licence},
        )


def _claim(destination: LocalFolder, plan: Mapping[str, Any]) -> None:
    """Take a folder for an import, or find that it is this one's already.

    Raises:
        InvalidInputError: it holds something else.
    """
    text, earlier = canonical_json(plan) + "\n", destination.read_plan()
    if earlier is None:
        destination.write_plan(text)
    elif earlier != text:
        raise InvalidInputError(
            f"{destination.where} holds an import of other objects, or with other arguments; give those it "
            "was begun with, or choose another --out"
        )


def _object_ids(root: Path) -> list[str]:
    if not root.is_dir():
        raise InvalidInputError(f"{root} is not a folder; give the one that holds the synsets' folders")
    ids = [
        f"{synset.name}/{item.name}"
        for synset in sorted(_folders(root), key=lambda entry: entry.name)
        for item in _folders(Path(synset.path))
    ]
    if not ids:
        raise InvalidInputError(
            f"{root} holds no {{synset}}/{{id}}/image_0.jpg; give the folder that holds the synsets' folders"
        )
    strange = [name for name in ids if name.encode("utf-8", "ignore").decode() != name]
    if strange:
        raise InvalidInputError(
            f"{root}: {len(strange):,} names of folders are not in UTF-8, such as {shown(strange[0])}; "
            "rename them"
        )
    return sorted(ids)


def _folders(path: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(path) as entries:
        yield from (entry for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def _recipe(files: FolderFiles, ids: Sequence[str], origin: Origin) -> Recipe:
    """A recipe that describes what is there."""
    views = origin.views or _usual_views(files.root, ids)
    jpeg, latent, where = _first_whole_view(files, ids)
    names = label_names(len(latent), where)
    like = load_recipe(origin.like or ("3diebench" if len(names) == 7 else "3diebench-t"))
    if like.schema.names != names:
        raise InvalidInputError(
            f"{where}: {len(names)} numbers, but recipe {like.name} has the factors "
            f"{', '.join(like.schema.names)}; give --like another"
        )
    quality, subsampling = _jpeg_settings(jpeg)
    return like.replace(
        name=origin.name or f"{like.name}-imported",
        draws="imported",
        chunks=1,  # of lists to draw along, which some recipes have
        source=origin.source,
        views=views,
        image_size_px=decode_jpeg(jpeg).shape[0],
        channel_order=origin.channel_order,
        jpeg_quality=quality,
        jpeg_subsampling=subsampling,
    )


def _usual_views(root: Path, ids: Sequence[str]) -> int:
    counts = Counter(len(views_in(root / name)[0]) for name in ids[:SAMPLE])
    del counts[0]
    if not counts:
        raise InvalidInputError(
            f"{root / ids[0]} and others hold no image_0.jpg; give the folder that holds the synsets' folders"
        )
    return max(counts, key=lambda views: (counts[views], views))


def _first_whole_view(files: FolderFiles, ids: Sequence[str]) -> tuple[bytes, np.ndarray, str]:
    """A picture and its label, and the label's path."""
    for name in ids:
        try:
            jpeg = _read(files, f"{name}/{image_name(0)}", most_member_bytes(MOST_SIZE_PX))
            decode_jpeg(jpeg)
            latent = parse_latent(_read(files, f"{name}/{latent_name(0)}", _MOST_LATENT_BYTES))
        except (ValueError, TurntableError):
            continue
        return jpeg, latent, files.name_of(f"{name}/{latent_name(0)}")
    raise InvalidInputError(f"{files.label}: no object has a whole image_0.jpg and latent_0.npy")


def _read(files: FolderFiles, name: str, most_bytes: int) -> bytes:
    data = files.read(name, most_bytes)
    if data is None:
        raise IntegrityError(f"{files.name_of(name)}: missing")
    return data


def _jpeg_settings(jpeg: bytes) -> tuple[int, JpegSubsampling]:
    """Quality and subsampling that encode like a file, as far as one can tell: 95 where no quality does."""
    from PIL import Image, JpegImagePlugin

    def opened(data: bytes) -> JpegImagePlugin.JpegImageFile:
        image = Image.open(io.BytesIO(data), formats=["JPEG"])
        assert isinstance(image, JpegImagePlugin.JpegImageFile)
        return image

    image = opened(jpeg)
    grey = np.zeros((8, 8, 3), dtype=np.uint8)
    qualities = (
        q for q in range(100, 0, -1) if opened(encode_jpeg(grey, q)).quantization == image.quantization
    )
    return next(qualities, 95), "420" if JpegImagePlugin.get_sampling(image) == 2 else "444"


def _records(
    ids: Sequence[str], recipe: Recipe, lists: Sequence[Path], source: str
) -> tuple[list[ObjectRecord], list[QuarantineRecord]]:
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
    strange = {name for name in ids if not name.isprintable() or "\\" in name}
    left_out += [QuarantineRecord(name, "name not plain", ascii(name)) for name in sorted(strange)]
    named = [name for name in ids if splits.get(name) in recipe.splits and name not in strange]
    unnamed = sorted(set(ids) - set(named) - strange)
    left_out += [QuarantineRecord(name, "in no split", "there, not in the lists") for name in unnamed]
    records = [ObjectRecord(name, categories[name], splits[name], source, "") for name in named]
    return records, left_out


def _import_shards(
    files: FolderFiles,
    destination: LocalFolder,
    recipe: Recipe,
    plans: Sequence[ShardPlan],
    threads: int | None,
    progress: Progress | None,
) -> list[Outcome]:
    done = {outcome.place: outcome for outcome in standing(destination)}
    missing = [plan for plan in plans if plan.place not in done]
    total = sum(len(plan.objects) for plan in plans)
    count = total - sum(len(plan.objects) for plan in missing)
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        make = partial(_import_shard, files, destination.folder, recipe)
        running = {pool.submit(make, plan): plan for plan in missing}
        try:
            for future in as_completed(running):
                outcome = future.result()
                destination.record(outcome, None)
                done[outcome.place] = outcome
                count += len(running[future].objects)
                if progress is not None:
                    progress(count, total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [done[plan.place] for plan in plans]


def _import_shard(files: FolderFiles, out: Path, recipe: Recipe, plan: ShardPlan) -> Outcome:
    left_out: list[QuarantineRecord] = []
    with ShardWriter(out / plan.split, plan.name, recipe.schema, recipe.label_digest) as writer:
        for item in plan.objects:
            read = _read_object(files, item.id, recipe)
            if isinstance(read, QuarantineRecord):
                left_out.append(read)
            else:
                writer.add(item, *read)
        shard = writer.commit() if len(left_out) < len(plan.objects) else None
    return Outcome(plan.split, plan.name, shard, tuple(left_out), ())


def _read_object(
    files: FolderFiles, name: str, recipe: Recipe
) -> tuple[LabelArray, list[bytes]] | QuarantineRecord:
    """The labels [V, L] and JPEGs of one object; or why it is left out."""
    path = files.root / name
    images, labelled = views_in(path)
    expected = set(range(recipe.views))
    lost = [image_name(v) for v in sorted(expected - images)] + [
        latent_name(v) for v in sorted(expected - labelled)
    ]
    if lost:
        return QuarantineRecord(name, "views missing", f"{path}: no {', '.join(lost[:5])}")
    if images | labelled != expected:
        return QuarantineRecord(
            name, "views too many", f"{path}: {len(images | labelled)}, where others have {recipe.views}"
        )
    try:
        jpegs = [_read_jpeg(files, f"{name}/{image_name(view)}", recipe) for view in range(recipe.views)]
        latents = [_read_latent(files, f"{name}/{latent_name(view)}", recipe) for view in range(recipe.views)]
    except _FileError as error:
        return QuarantineRecord(name, error.reason, str(error))
    return _labels(path, np.stack(latents), recipe), jpegs


class _FileError(Exception):
    """One file of an object cannot be used."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def _read_jpeg(files: FolderFiles, name: str, recipe: Recipe) -> bytes:
    size, where = recipe.image_size_px, files.name_of(name)
    try:
        data = _read(files, name, most_member_bytes(size))
        height, width = decode_jpeg(data).shape[:2]
    except TurntableError as error:
        raise _FileError("image damaged", f"{where}: {error}") from None
    if (height, width) != (size, size):
        raise _FileError("image of another size", f"{where}: {width} x {height}, not {size} x {size}")
    return data


def _read_latent(files: FolderFiles, name: str, recipe: Recipe) -> FloatArray:
    where = files.name_of(name)
    try:
        latent = parse_latent(_read(files, name, _MOST_LATENT_BYTES))
    except (ValueError, TurntableError) as error:
        raise _FileError("label damaged", f"{where}: {error}") from None
    if len(latent) != len(recipe.factors):
        raise _FileError("label damaged", f"{where}: {len(latent)} numbers, not {len(recipe.factors)}")
    return latent


def _labels(path: Path, latents: FloatArray, recipe: Recipe) -> LabelArray:
    """The labels [V, L] in float32. Raises InvalidInputError where one leaves its factor's range."""
    for values, factor in zip(latents.T, recipe.factors, strict=True):
        inside = np.any([(values >= low) & (values <= high) for low, high in factor.intervals()], axis=0)
        if not inside.all():
            view = int(np.argmin(inside))
            ranges = " or ".join(f"[{low:.6g}, {high:.6g}]" for low, high in factor.intervals())
            raise InvalidInputError(
                f"{path / latent_name(view)}: {factor.name} is {values[view]:.6g}, outside {ranges}, the "
                f"range of recipe {recipe.name}; give --like the recipe this data set was drawn from, "
                "if need be a TOML file of your own"
            )
    return recipe.schema.round(latents)
