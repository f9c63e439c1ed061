"""The data of a run: a stored data set, or views that are rendered beside the training."""

from dataclasses import dataclass
from typing import Self

from turntable.datasets import Dataset, open_dataset
from turntable.loaders import BatchConfig, Fresh, OnlinePairs
from turntable.loaders.fields import FieldSource
from turntable.models import DataInfo
from turntable.training.runs.config import TrainConfig

Color = tuple[float, float, float]

_NO_STATISTICS: tuple[Color, Color] = ((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
"""Mean and deviation that scale pixels to [-2, 2]."""


@dataclass(frozen=True, slots=True)
class TrainingData:
    """A description of what a run is trained on."""

    name: str
    """Where it lies, or which recipe draws it."""
    fingerprint: str
    categories: tuple[str, ...]
    mean: Color
    """The mean of each color channel, with 1 for white."""
    std: Color
    splits: tuple[str, ...]
    objects: int
    """Objects of the train split."""
    fields: FieldSource
    """What its batches can have."""

    @classmethod
    def of_dataset(cls, dataset: Dataset) -> Self:
        """Describe a stored data set; pixels of one without statistics are scaled to [-2, 2]."""
        manifest = dataset.manifest
        mean, std = manifest.pixel_mean, manifest.pixel_std
        if mean is None or std is None:
            mean, std = _NO_STATISTICS
        has_train = "train" in manifest.splits
        return cls(
            dataset.place,
            manifest.fingerprint,
            tuple(manifest.categories),
            mean,
            std,
            tuple(manifest.splits),
            sum(shard.objects for shard in manifest.shards_of("train")) if has_train else 0,
            FieldSource.of_manifest(manifest),
        )

    @classmethod
    def of_online(cls, config: TrainConfig) -> Self:
        """Describe views that are rendered beside the training; a renderer looks at the meshes.

        Raises:
            InvalidInputError: There is no such recipe, or there are no objects.
            DeviceError: Nothing here can draw.
        """
        batches = BatchConfig(sampler=Fresh(1), batch_size=1, fields=(), image_size=config.image_size)
        assert config.online is not None
        loader = OnlinePairs(config.online, config.meshes, batches, objects=config.objects)
        return cls(
            loader.recipe.name,
            loader.fingerprint,
            loader.inventory.categories,
            *_NO_STATISTICS,
            ("train",),
            len(loader.inventory.ids),
            FieldSource.of_recipe(loader.recipe),
        )

    def info(self, image_size: int | None = None, center_crop: float = 1.0) -> DataInfo:
        """Return what a method must know, for images of a side in pixels; None: as stored."""
        size = image_size or self.fields.image_size_px
        return DataInfo(len(self.categories), self.mean, self.std, size, center_crop)


def training_data(config: TrainConfig) -> TrainingData:
    """Describe the data of a run.

    Raises:
        InvalidInputError: There is no such data set or recipe.
        IntegrityError: The data set is damaged.
    """
    if config.dataset is None:
        return TrainingData.of_online(config)
    return TrainingData.of_dataset(open_dataset(config.dataset))
