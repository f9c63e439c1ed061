"""Labels: the factors behind a view, the columns they make, and what is kept of a view beside its picture."""

from turntable.datasets.labels.columns import GREATEST_LEGACY_SEED, LEGACY_ORDER, POSE_NAMES, label_columns
from turntable.datasets.labels.factors import (
    DEFAULTS,
    REQUIRED,
    STANDARD,
    STANDARD_BY_NAME,
    Draws,
    Factor,
    StandardFactor,
)
from turntable.datasets.labels.outputs import (
    EXTRAS,
    OUTPUTS,
    POINTS_MEANING,
    OutputName,
    channels_first,
    decode_extra,
    encode_extra,
)
from turntable.datasets.labels.rotation_rule import MOST_MARGIN_DEG, RotationRule, TrainingRange
from turntable.datasets.labels.schema import (
    ROTATION_NAMES,
    TRANSLATION_NAMES,
    TWIST_NAMES,
    FloatArray,
    LabelArray,
    LabelSchema,
)
from turntable.datasets.labels.sequence_rule import (
    DEFAULT_OFFSET,
    DEFAULT_TRAVEL,
    MOST_TRANSLATION,
    NUM_UNITS,
    MotionName,
    SequenceRule,
    Span,
    poses_at,
)

__all__ = [
    "DEFAULTS",
    "DEFAULT_OFFSET",
    "DEFAULT_TRAVEL",
    "EXTRAS",
    "GREATEST_LEGACY_SEED",
    "LEGACY_ORDER",
    "MOST_MARGIN_DEG",
    "MOST_TRANSLATION",
    "NUM_UNITS",
    "OUTPUTS",
    "POINTS_MEANING",
    "POSE_NAMES",
    "REQUIRED",
    "ROTATION_NAMES",
    "STANDARD",
    "STANDARD_BY_NAME",
    "TRANSLATION_NAMES",
    "TWIST_NAMES",
    "Draws",
    "Factor",
    "FloatArray",
    "LabelArray",
    "LabelSchema",
    "MotionName",
    "OutputName",
    "RotationRule",
    "SequenceRule",
    "Span",
    "StandardFactor",
    "TrainingRange",
    "channels_first",
    "decode_extra",
    "encode_extra",
    "label_columns",
    "poses_at",
]
