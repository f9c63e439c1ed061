"""Which samples a run asks the loader for, and whether its data and its ranks can give them."""

import torch

from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, Fresh, Loader, OnlinePairs, Pairs, Sequences, Singles, Tuples
from turntable.loaders.engines import BatchLoader
from turntable.loaders.fields import field_names, missing_fields
from turntable.loaders.sampling import Sampler
from turntable.models import PAIR, ImageMethod, Method, SampleKind
from turntable.training.runs import TrainConfig, TrainingData


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


def check_data(config: TrainConfig, method: Method, data: TrainingData) -> None:
    """Make sure that the data have what a method reads, and enough of it.

    Raises:
        InvalidInputError: It has too few views, objects or categories, no sequences, or not a label.
    """
    faults = _faults(config, method, data)
    if faults:
        raise InvalidInputError(f"{config.method} cannot train on {data.name}: " + "; ".join(faults))


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


def make_loader(config: TrainConfig, method: Method, device: torch.device) -> BatchLoader:
    """Make the loader of this rank's share of one of ``accumulate`` parts of a batch."""
    kind = config.method_config.sample
    batches = BatchConfig(
        sampler=_fresh(kind, config) if config.dataset is None else sampler_of(kind, config.pairs_per_object),
        batch_size=config.batch_size // config.accumulate,
        fields=field_names(method.reads, kind.views),
        seed=config.seed,
        num_workers=config.num_workers,
        quaternion_sign=config.quaternion_sign,
        image_size=config.image_size,
        augmentation=config.augmentation,
        max_corrupt_views=config.max_corrupt_views,
        pin_memory=device.type == "cuda",
    )
    if config.dataset is not None:
        return Loader(config.dataset, batches)
    assert config.online is not None
    return OnlinePairs(config.online, config.meshes, batches, objects=config.objects)


def _fresh(kind: SampleKind, config: TrainConfig) -> Fresh:
    """All samples of an object in an epoch at one visit, so that its mesh is loaded once for them."""
    return Fresh(kind.views, samples_per_visit=config.pairs_per_object)


def _faults(config: TrainConfig, method: Method, data: TrainingData) -> list[str]:
    kind, fields = config.method_config.sample, data.fields
    if "train" not in data.splits:
        return [f"it has no split 'train' (it has {', '.join(data.splits)})"]
    faults = list(missing_fields(field_names(method.reads, kind.views), fields, kind.views))
    if "category" in method.reads and len(data.categories) < 2:
        faults.append("all its objects are of one category, so there is nothing to tell apart by it")
    length = fields.sequence_length
    if kind.consecutive and length < kind.views:
        has = f"sequences of {length}" if length else "no sequences"
        faults.append(
            f"the method takes {kind.views} views in a row of a true sequence, and it has {has}; render with"
            " the recipe 'sequences'"
        )
    elif 0 < fields.views < kind.views:
        faults.append(
            f"the method takes {kind.views} views of each object, and it has {fields.views}; render with"
            f" --views {kind.views} or more"
        )
    else:
        faults += _too_few(config, data)
    return faults


def _too_few(config: TrainConfig, data: TrainingData) -> list[str]:
    """Say where an epoch has not one whole batch."""
    fields = data.fields
    in_sequences = config.method_config.sample.consecutive and fields.views
    sources = data.objects * (fields.views // fields.sequence_length if in_sequences else 1)
    samples = sources * config.pairs_per_object
    if samples >= config.batch_size:
        return []
    return [
        f"an epoch has {samples} samples ({sources} x pairs_per_object {config.pairs_per_object}), fewer than"
        f" batch_size {config.batch_size}; take a smaller batch, or more pairs an object"
    ]
