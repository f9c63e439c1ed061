"""The data of a run: a stored data set, or views that are rendered during the training."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from turntable.datasets import Dataset, Selection, open_dataset
from turntable.loaders import BatchConfig, Fresh, OnlineLoader, select_split_views
from turntable.loaders.fields import DataDescription
from turntable.models import DataInfo
from turntable.training.runs.config import TrainConfig

Color = tuple[float, float, float]

_DEFAULT_STATISTICS: tuple[Color, Color] = ((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
"""Mean and standard deviation that scale pixels to [-2, 2]."""


@dataclass(frozen=True, slots=True)
class TrainingData:
    """A description of the data on which a run is trained."""

    name: str
    """Path or URL of the data set, or the name of the recipe that is rendered."""
    fingerprint: str
    categories: tuple[str, ...]
    mean: Color
    """Mean of each color channel, with 1 for white."""
    std: Color
    """Standard deviation of each color channel, in the same unit."""
    splits: tuple[str, ...]
    num_objects: int
    """Number of objects of the train split."""
    fields: DataDescription
    """Description of the fields that batches can have."""

    @classmethod
    def from_dataset(cls, dataset: Dataset, selection: Selection = Selection()) -> Self:
        """Describe a stored data set; without pixel statistics in it, pixels are scaled to [-2, 2].

        Args:
            dataset: The data set.
            selection: Part of the train split; objects and views are counted in it.
        """
        manifest = dataset.manifest
        mean, std = manifest.pixel_mean, manifest.pixel_std
        if mean is None or std is None:
            mean, std = _DEFAULT_STATISTICS
        return cls(
            dataset.path_or_url,
            manifest.fingerprint,
            tuple(manifest.categories),
            mean,
            std,
            tuple(manifest.splits),
            _count_train_objects(dataset, selection),
            replace(
                DataDescription.from_manifest(manifest), num_views=len(selection.list_views(manifest.views))
            ),
        )

    @classmethod
    def from_config(cls, config: TrainConfig) -> Self:
        """Describe views that are rendered during the training; the meshes are surveyed for it.

        Raises:
            InvalidInputError: There is no such recipe, or there are no objects.
            DeviceError: There is no device that can render.
        """
        batches = BatchConfig(sampler=Fresh(1), batch_size=1, fields=(), image_size=config.image_size)
        assert config.online is not None
        loader = OnlineLoader(
            config.online, config.meshes, batches, objects=config.objects, links_under=config.links_under
        )
        return cls(
            loader.recipe.name,
            loader.fingerprint,
            loader.inventory.categories,
            *_DEFAULT_STATISTICS,
            ("train",),
            len(loader.inventory.object_ids),
            DataDescription.from_recipe(loader.recipe),
        )

    def to_data_info(self, image_size: int | None = None, center_crop: float = 1.0) -> DataInfo:
        """Return the facts about the data that a method is built for.

        Args:
            image_size: Side in pixels to which images are resized; None for the stored size.
            center_crop: Fraction of each side that the backbone sees, in (0, 1].
        """
        size = image_size or self.fields.image_size_px
        return DataInfo(len(self.categories), self.mean, self.std, size, center_crop)


def _count_train_objects(dataset: Dataset, selection: Selection) -> int:
    """Count the selected objects of the train split; of a subset, those that have a view in it."""
    manifest = dataset.manifest
    if "train" not in manifest.splits:
        return 0
    if not selection.is_whole:
        return len(select_split_views(dataset, "train", selection, None, 0))
    num_objects = sum(shard.objects for shard in manifest.select_shards("train"))
    if manifest.subset is None:
        return num_objects
    return len(np.unique(manifest.subset.decode_views("train", num_objects, manifest.views).rows))


def describe_training_data(config: TrainConfig) -> TrainingData:
    """Describe the data of a run.

    Raises:
        InvalidInputError: There is no such data set or recipe.
        IntegrityError: The data set is damaged.
        DeviceError: Views are to be rendered, and there is no device that can render.
    """
    if config.dataset is None:
        return TrainingData.from_config(config)
    return TrainingData.from_dataset(open_dataset(config.dataset), config.selection)
