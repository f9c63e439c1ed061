"""Loaders to compare, each as an endless iterator of batches of pairs of views.

A pair is two random views of an object, with the rotation between them. All give uint8 images of both views
("floats": normalized ones) and quaternions, in batches of torch tensors. Peers are set up as their own
documentation advises, and decode with simplejpeg, as ours does, so that the difference is the loading; the
folder loaders alone decode with Pillow, as the field's own code does.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
from loader_data import FOLDERS, LITDATA, MDS, TURNTABLE, streaming
from numpy.typing import NDArray

VISITS = 16
"""Number of visits of an object in an epoch, so that epochs of a small data set are long enough."""
MEAN, STD = 0.5, 0.1
"""Mean and deviation of pixels from 0 to 1, about those of 3DIEBench."""
SHUFFLE_OBJECTS = 100
"""In webdataset's buffer: whole objects wait in it, 0.4 MB each."""

Sample = dict[str, Any]
Batches = Iterator[Any]


@dataclass(frozen=True, slots=True)
class Contestant:
    """A loader by name."""

    name: str
    layout: str
    """Layout of the data that it reads."""
    batches: Callable[[Path, int, int], Batches]
    """From folder, pairs in a batch, workers: batches without an end."""
    what: str
    """It does, in a few words."""
    peer: bool = True


def turntable_ring(folder: Path, batch: int, workers: int) -> Batches:
    """Yield batches of turntable's ring, with shared slots."""
    return turntable_place(folder, batch, workers, "ring")


def turntable_dataloader(folder: Path, batch: int, workers: int) -> Batches:
    """Yield batches of turntable's loader with torch's workers."""
    return turntable_place(folder, batch, workers, "dataloader")


def turntable_place(place: Path | str, batch: int, workers: int, engine: Any, **further: Any) -> Batches:
    """Yield batches of turntable's loader from a path or URL."""
    from turntable.loaders import BatchConfig, Loader, Pairs

    config = BatchConfig(
        sampler=Pairs(VISITS), batch_size=batch, fields=("relative_quaternion",), num_workers=workers
    )
    loader = Loader(place, config, engine=engine, **further)
    while True:
        yield from loader


class _Folders:
    """A folder an object; two views at random, by Pillow and scipy, one sample at a time."""

    def __init__(self, place: Path, as_float: bool) -> None:
        self._as_float = as_float
        self._folders = sorted(place.iterdir())
        self._views = len(list(self._folders[0].glob("*.jpg")))

    def __len__(self) -> int:
        return VISITS * len(self._folders)

    def __getitem__(self, at: int) -> Sample:
        folder = self._folders[at % len(self._folders)]
        first, second = random.sample(range(self._views), 2)
        before, after = (self._rotation(folder, view) for view in (first, second))
        return {
            "view_1": self._image(folder, first),
            "view_2": self._image(folder, second),
            "relative_quaternion": (before.inv() * after).as_quat().astype(np.float32),
        }

    def _image(self, folder: Path, view: int) -> Any:
        import torch
        from PIL import Image

        with Image.open(folder / f"image_{view}.jpg") as image:
            pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)
        return ((pixels.float() / 255 - MEAN) / STD).contiguous() if self._as_float else pixels

    @staticmethod
    def _rotation(folder: Path, view: int) -> Any:
        from scipy.spatial.transform import Rotation

        return Rotation.from_euler("xyz", np.load(folder / f"latent_{view}.npy")[:3])


def folders(place: Path, batch: int, workers: int, as_float: bool = False) -> Batches:
    """Yield batches of a loader of loose files, like the field's own, written from its description."""
    from torch.utils.data import DataLoader

    loader = DataLoader(
        _Folders(place, as_float),  # pyright: ignore[reportArgumentType]
        batch,
        shuffle=True,
        num_workers=workers,
        drop_last=True,
        persistent_workers=True,
    )
    while True:
        yield from loader


def folders_float(place: Path, batch: int, workers: int) -> Batches:
    """Yield the same with normalized float pictures, as that loader gives them."""
    return folders(place, batch, workers, as_float=True)


def two_views(files: Callable[[int], bytes], quaternions: NDArray[np.float32], size: int) -> Sample:
    """Return a sample: two views of an object, decoded, and the rotation between them."""
    first, second = random.sample(range(len(quaternions)), 2)
    images = np.empty((2, size, size, 3), dtype=np.uint8)
    for out, view in zip(images, (first, second), strict=True):
        simplejpeg.decode_jpeg(files(view), buffer=out)
    return {
        "view_1": images[0],
        "view_2": images[1],
        "relative_quaternion": _relative(quaternions[first].tolist(), quaternions[second].tolist()),
    }


def _relative(before: list[float], after: list[float]) -> NDArray[np.float32]:
    """Return conj(q1) q2 (xyzw) in plain Python: for a single pair numpy takes ten times as long."""
    (a, b, c, d), (x, y, z, w) = before, after
    product = (
        d * x - a * w - b * z + c * y,
        d * y + a * z - b * w - c * x,
        d * z - a * y + b * x - c * w,
        d * w + a * x + b * y + c * z,
    )
    return np.array(product, dtype=np.float32)


def _views_of_record(record: Sample) -> Sample:
    data, ends = memoryview(record["jpegs"]), record["ends"]
    height, width, _, _ = simplejpeg.decode_jpeg_header(data[ends[0] : ends[1]])
    assert height == width
    return two_views(lambda view: data[ends[view] : ends[view + 1]], record["quaternions"], height)


def mosaicml(place: Path, batch: int, workers: int) -> Batches:
    """Yield batches of StreamingDataLoader over local shards, with longer epochs by epoch_size."""
    library = streaming()

    class Views(library.StreamingDataset):
        def __getitem__(self, at: Any) -> Any:
            return _views_of_record(super().__getitem__(at))

    # Left by a run that was killed, it would stop this one.
    library.base.util.clean_stale_shared_memory()
    index = json.loads((place / "index.json").read_text())
    epoch = VISITS * sum(shard["samples"] for shard in index["shards"])
    dataset = Views(local=str(place), shuffle=True, batch_size=batch, epoch_size=epoch)
    loader = library.StreamingDataLoader(
        dataset, batch_size=batch, num_workers=workers, drop_last=True, persistent_workers=True
    )
    while True:
        yield from loader


def litdata(place: Path, batch: int, workers: int) -> Batches:
    """Yield batches of StreamingDataLoader, with longer epochs by ParallelStreamingDataset."""
    from litdata import ParallelStreamingDataset, StreamingDataLoader, StreamingDataset

    class Views(StreamingDataset):
        def __getitem__(self, at: Any) -> Any:
            return _views_of_record(super().__getitem__(at))

    dataset = Views(str(place), shuffle=True, drop_last=True)
    longer = ParallelStreamingDataset([dataset], length=VISITS * len(dataset), transform=_only)
    loader = StreamingDataLoader(longer, batch_size=batch, num_workers=workers, persistent_workers=True)
    while True:
        yield from loader


def _only(samples: tuple[Sample]) -> Sample:
    return samples[0]


def webdataset(folder: Path, batch: int, workers: int) -> Batches:
    """Yield batches of WebDataset over turntable's shards: two views of an object are decoded."""
    import webdataset as wds

    shards = [str(path) for path in sorted((folder / "train").glob("*.tar"))]
    samples = (
        wds.WebDataset(shards, shardshuffle=len(shards), nodesplitter=wds.split_by_node, empty_check=False)
        .repeat()
        .shuffle(SHUFFLE_OBJECTS)
        .map(_views_of_members)
        .batched(batch, partial=False)
    )
    yield from wds.WebLoader(samples, batch_size=None, num_workers=workers)


def _views_of_members(sample: Sample) -> Sample:
    import io

    from turntable.geometry import euler_to_quaternion

    labels = np.load(io.BytesIO(sample["latents.npy"]))
    quaternions = euler_to_quaternion(labels[:, :3]).astype(np.float32)
    height, _, _, _ = simplejpeg.decode_jpeg_header(sample["000.jpg"])
    return two_views(lambda view: sample[f"{view:03d}.jpg"], quaternions, height)


CONTESTANTS = (
    Contestant("turntable ring", TURNTABLE, turntable_ring, "index, pread, decode into shared slots", False),
    Contestant(
        "turntable dataloader", TURNTABLE, turntable_dataloader, "the same by torch's DataLoader", False
    ),
    Contestant("folders", FOLDERS, folders, "a file a view, Pillow, scipy, DataLoader, default collate"),
    Contestant("folders, floats", FOLDERS, folders_float, "the same, each picture normalized by its worker"),
    Contestant("litdata", LITDATA, litdata, "a record an object, simplejpeg, its own loader"),
    Contestant("mosaicml-streaming", MDS, mosaicml, "a record an object, simplejpeg, its own loader"),
    Contestant("webdataset", TURNTABLE, webdataset, "our tars in sequence, simplejpeg, WebLoader"),
)


def images_of(batch: Any) -> int:
    """Return the number of images in a batch, and check what the batch must hold."""
    first, second, turn = (batch[name] for name in ("view_1", "view_2", "relative_quaternion"))
    assert first.shape == second.shape, (first.shape, second.shape)
    assert first.shape[0] == turn.shape[0], (first.shape, turn.shape)
    assert str(first.dtype) in ("torch.uint8", "torch.float32"), first.dtype
    assert turn.shape[1] == 4, turn.shape
    return 2 * len(turn)
