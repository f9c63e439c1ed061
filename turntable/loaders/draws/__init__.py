"""Fields drawn anew for each sample of an epoch: parameters of augmentations, boxes of crops, motions."""

from turntable.loaders.draws.augmentation import Augmentation
from turntable.loaders.draws.crops import CropRule, GridCrops, RandomCrops
from turntable.loaders.draws.flow_motion import FlowMotion, list_velocities
from turntable.loaders.draws.parameters import PARAMETER_NAMES, PARAMETERS, format_parameter_table
from turntable.loaders.draws.presets import AUGMENTATIONS, get_augmentation
from turntable.loaders.draws.sample_draws import SampleDraws

__all__ = [
    "AUGMENTATIONS",
    "PARAMETERS",
    "PARAMETER_NAMES",
    "Augmentation",
    "CropRule",
    "FlowMotion",
    "GridCrops",
    "RandomCrops",
    "SampleDraws",
    "format_parameter_table",
    "get_augmentation",
    "list_velocities",
]
