"""The loader of a run, and checks that its data and ranks fit the method and its settings."""

import torch

from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, Fresh, Loader, OnlineLoader, Pairs, Sequences, Singles, Tuples
from turntable.loaders.engines import BatchLoader
from turntable.loaders.fields import IMAGE_FIELDS, batch_to_field_names, explain_missing_fields
from turntable.loaders.sampling import Sampler
from turntable.models import PAIR, ImageMethod, Method, SampleSpec
from turntable.training.runs import (
    TrainConfig,
    TrainingData,
    count_epoch_samples,
    count_sources,
    format_setting,
)


def make_sampler(sample_spec: SampleSpec, num_visits: int) -> Sampler:
    """Make the sampler of a stored data set.

    Args:
        sample_spec: Kind of the samples.
        num_visits: Number of samples of each object (or sequence) in an epoch.
    """
    if sample_spec == PAIR:
        return Pairs(num_visits)
    if sample_spec.num_views == 1:
        return Singles(num_visits)
    return (
        Sequences(sample_spec.num_views, num_visits)
        if sample_spec.consecutive
        else Tuples(sample_spec.num_views, num_visits)
    )


def compute_micro_batch_size(config: TrainConfig, num_ranks: int) -> int:
    """Return the number of samples that a rank processes at once: one of ``accumulate`` parts of its batch.

    Raises:
        InvalidInputError: The batch cannot be divided evenly, or a part would have fewer than 2 samples.
    """
    parts = num_ranks * config.accumulate
    if config.batch_size % parts or config.batch_size < 2 * parts:
        nearest = max(2, round(config.batch_size / parts)) * parts
        raise InvalidInputError(
            f"batch_size {config.batch_size} cannot be divided among {num_ranks} ranks with"
            f" {config.accumulate} parts each ({format_setting('accumulate')}) of 2 samples or more; give"
            f" {format_setting('batch_size', nearest)}"
        )
    return config.batch_size // parts


def check_data(config: TrainConfig, method: Method, data: TrainingData) -> None:
    """Check that the data have the fields that a method reads, and enough samples.

    Raises:
        InvalidInputError: There are too few views, objects or categories, no sequences, or a field is
            missing.
    """
    faults = _find_faults(config, method, data)
    if faults:
        raise InvalidInputError(f"{config.method} cannot train on {data.name}: " + "; ".join(faults))


def check_image_size(config: TrainConfig, method: Method, image_size_px: int) -> None:
    """Check that the backbone of an image method accepts images of a size, by running it on one image.

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
            f"images of {image_size_px} px, cropped to {config.center_crop:.2f} of each side, do not fit the"
            f" backbone {config.backbone} ({error}); give another {format_setting('image_size')} or"
            f" {format_setting('center_crop')}"
        ) from error
    finally:
        method.train(was_training)


def make_loader(config: TrainConfig, method: Method, device: torch.device) -> BatchLoader:
    """Make the loader of this rank, whose batches are one of ``accumulate`` parts of a step's batch."""
    sample_spec = config.method_config.sample
    batches = BatchConfig(
        sampler=_make_fresh_sampler(sample_spec, config)
        if config.dataset is None
        else make_sampler(sample_spec, config.pairs_per_object),
        batch_size=config.batch_size // config.accumulate,
        fields=batch_to_field_names(method.reads, sample_spec.num_views),
        seed=config.seed,
        num_workers=config.num_workers,
        quaternion_sign=config.quaternion_sign,
        image_size=config.image_size,
        augmentation=config.augmentation,
        selection=config.selection,
        max_corrupt_views=config.max_corrupt_views,
        pin_memory=device.type == "cuda",
    )
    if config.dataset is not None:
        return Loader(config.dataset, batches)
    assert config.online is not None
    return OnlineLoader(
        config.online, config.meshes, batches, objects=config.objects, links_under=config.links_under
    )


def _make_fresh_sampler(sample_spec: SampleSpec, config: TrainConfig) -> Fresh:
    """Make the sampler of rendered views; all samples of an object are one visit, which loads its mesh."""
    return Fresh(sample_spec.num_views, samples_per_visit=config.pairs_per_object)


def _find_faults(config: TrainConfig, method: Method, data: TrainingData) -> list[str]:
    sample_spec, fields = config.method_config.sample, data.fields
    num_views = sample_spec.num_views
    if "train" not in data.splits:
        return [f"it has no split 'train' (it has {', '.join(data.splits)})"]
    faults = list(explain_missing_fields(batch_to_field_names(method.reads, num_views), fields, num_views))
    if not fields.has_pictures and set(method.reads) & set(IMAGE_FIELDS):
        faults.append("the method reads pictures, and it has none; render it with --outputs rgb")
    if "category" in method.reads and len(data.categories) < 2:
        faults.append("all its objects have the same category, so a classifier has nothing to learn")
    length = fields.sequence_length
    if sample_spec.consecutive and length < num_views:
        existing = f"sequences of {length}" if length else "no sequences"
        faults.append(
            f"the method takes {num_views} consecutive views of a sequence, and it has {existing}; render"
            " with the recipe 'sequences'"
        )
    elif 0 < fields.num_views < num_views:
        faults.append(
            f"the method takes {num_views} views of each object, and it has {fields.num_views}; render with"
            f" --views {num_views} or more"
        )
    else:
        faults += _find_shortage(config, data)
    return faults


def _find_shortage(config: TrainConfig, data: TrainingData) -> list[str]:
    """Return a message if an epoch has less than one batch."""
    sources, samples = count_sources(config, data), count_epoch_samples(config, data)
    if samples >= config.batch_size:
        return []
    fitting = max(2, samples)
    more = format_setting("pairs_per_object", -(-config.batch_size // max(1, sources)))
    return [
        f"an epoch has {samples} samples ({sources} x pairs_per_object {config.pairs_per_object}), fewer than"
        f" batch_size {config.batch_size}; give {format_setting('batch_size', fitting)} or less, or {more} or"
        " more"
    ]
