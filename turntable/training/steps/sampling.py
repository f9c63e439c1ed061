"""Which samples a run asks the loader for, and whether its data and its ranks can give them."""

import torch

from turntable.datasets import Dataset
from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, Loader, Pairs, Sequences, Singles, Tuples
from turntable.loaders.fields import FieldSource, field_names, missing_fields
from turntable.loaders.sampling import Sampler
from turntable.models import PAIR, ImageMethod, Method, SampleKind
from turntable.training.runs import TrainConfig


def sampler_of(kind: SampleKind, visits: int) -> Sampler:
    """What draws a method's samples, so many of each object an epoch."""
    if kind == PAIR:
        return Pairs(visits)
    if kind.views == 1:
        return Singles(visits)
    return Sequences(kind.views, visits) if kind.consecutive else Tuples(kind.views, visits)


def rows_of(config: TrainConfig, ranks: int) -> int:
    """Samples that a rank takes at once: of its share of a step, one of ``accumulate`` parts.

    Raises:
        InvalidInputError: The batch cannot be divided so, or leaves a part without 2 rows to compare.
    """
    parts = ranks * config.accumulate
    if config.batch_size % parts or config.batch_size < 2 * parts:
        near = max(2, round(config.batch_size / parts)) * parts
        raise InvalidInputError(
            f"batch_size {config.batch_size} cannot be shared by {ranks} ranks in {config.accumulate} parts"
            f" each (accumulate), of 2 samples or more; take {near}"
        )
    return config.batch_size // parts


def check_data(config: TrainConfig, method: Method, dataset: Dataset) -> None:
    """Make sure that a data set has what a method reads, and enough of it.

    Raises:
        InvalidInputError: It has too few views, objects or categories, no sequences, or not a label.
    """
    faults = _faults(config, method, dataset)
    if faults:
        raise InvalidInputError(f"{config.method} cannot train on {config.dataset}: " + "; ".join(faults))


def check_images(config: TrainConfig, method: Method, image_size_px: int) -> None:
    """Make sure, by one image, that the backbone of an image method takes images of a size.

    Raises:
        InvalidInputError: It does not.
    """
    if not isinstance(method, ImageMethod):
        return
    device = next(method.parameters()).device
    was_training = method.training
    try:
        with torch.no_grad():
            method.eval().represent(
                torch.zeros(1, 3, image_size_px, image_size_px, dtype=torch.uint8, device=device)
            )
    except InvalidInputError:
        raise
    except (RuntimeError, ValueError) as error:
        raise InvalidInputError(
            f"images of {image_size_px} px, of which {config.center_crop:.2f} of each side is looked at, do"
            f" not fit the backbone {config.backbone} ({error}); give another image_size or center_crop"
        ) from error
    finally:
        method.train(was_training)


def make_loader(config: TrainConfig, method: Method, device: torch.device) -> Loader:
    """The loader of this rank's share of one of ``accumulate`` parts of a batch."""
    kind = config.method_config.sample
    return Loader(
        config.dataset,
        BatchConfig(
            sampler=sampler_of(kind, config.pairs_per_object),
            batch_size=config.batch_size // config.accumulate,
            fields=field_names(method.reads, kind.views),
            seed=config.seed,
            num_workers=config.num_workers,
            quaternion_sign=config.quaternion_sign,
            image_size=config.image_size,
            augmentation=config.augmentation,
            pin_memory=device.type == "cuda",
        ),
    )


def _faults(config: TrainConfig, method: Method, dataset: Dataset) -> list[str]:
    kind, manifest = config.method_config.sample, dataset.manifest
    if "train" not in manifest.splits:
        return [f"it has no split 'train' (it has {', '.join(manifest.splits)})"]
    source = FieldSource.of_manifest(manifest)
    faults = list(missing_fields(field_names(method.reads, kind.views), source, kind.views))
    if "category" in method.reads and len(manifest.categories) < 2:
        faults.append("all its objects are of one category, so there is nothing to tell apart by it")
    length = source.sequence_length
    if kind.consecutive and length < kind.views:
        has = f"sequences of {length}" if length else "no sequences"
        faults.append(
            f"the method takes {kind.views} views in a row of a true sequence, and it has {has}; render with"
            " the recipe 'sequences'"
        )
    elif manifest.views < kind.views:
        faults.append(
            f"the method takes {kind.views} views of each object, and it has {manifest.views}; render with"
            f" --views {kind.views} or more"
        )
    else:
        faults += _too_few(config, dataset, length)
    return faults


def _too_few(config: TrainConfig, dataset: Dataset, length: int) -> list[str]:
    """Whether an epoch has not one whole batch."""
    objects = sum(shard.objects for shard in dataset.manifest.shards_of("train"))
    sources = objects * (dataset.manifest.views // length if config.method_config.sample.consecutive else 1)
    samples = sources * config.pairs_per_object
    if samples >= config.batch_size:
        return []
    return [
        f"an epoch has {samples} samples ({sources} x pairs_per_object {config.pairs_per_object}), fewer than"
        f" batch_size {config.batch_size}; take a smaller batch, or more pairs an object"
    ]
