"""The number of steps of a run, from its settings and its data."""

from dataclasses import replace

from turntable.training.runs.config import TrainConfig
from turntable.training.runs.data import TrainingData


def count_sources(config: TrainConfig, data: TrainingData) -> int:
    """Count the objects, or sequences, of which an epoch has ``pairs_per_object`` samples each."""
    fields = data.fields
    in_sequences = config.method_config.sample.consecutive and fields.num_views and fields.sequence_length
    return data.num_objects * (fields.num_views // fields.sequence_length if in_sequences else 1)


def count_epoch_samples(config: TrainConfig, data: TrainingData) -> int:
    """Count the samples of an epoch."""
    return count_sources(config, data) * config.pairs_per_object


def set_epochs(config: TrainConfig, data: TrainingData) -> TrainConfig:
    """Return the settings with as many epochs as come closest to ``target_steps``, and at least one.

    Without ``target_steps``, and with data that do not fill one batch, they stay as they are.
    """
    steps_per_epoch = count_epoch_samples(config, data) // config.batch_size
    if config.target_steps is None or not steps_per_epoch:
        return config
    return replace(config, epochs=max(1, round(config.target_steps / steps_per_epoch)))
