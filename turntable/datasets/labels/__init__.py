"""Labels: the factors behind a view, the label columns, and the outputs of a view besides its picture."""

from turntable.datasets.labels.factors import (
    FACTOR_DEFAULTS,
    REQUIRED_FACTORS,
    STANDARD_FACTORS,
    STANDARD_FACTORS_BY_NAME,
    Draws,
    Factor,
    StandardFactor,
)
from turntable.datasets.labels.joint_rule import DEFAULT_SEEN_FRACTION, JointMotion, JointRange, JointRule
from turntable.datasets.labels.label_columns import (
    LEGACY_ORDER,
    MAX_LEGACY_SEED,
    POSE_NAMES,
    build_label_columns,
)
from turntable.datasets.labels.label_schema import (
    ROTATION_NAMES,
    TRANSLATION_NAMES,
    TWIST_NAMES,
    FloatArray,
    LabelArray,
    LabelSchema,
)
from turntable.datasets.labels.outputs import (
    EXTRA_OUTPUTS,
    OUTPUTS,
    POINTS_MEANING,
    OutputName,
    decode_output,
    encode_output,
    to_channels_first,
)
from turntable.datasets.labels.rotation_rule import MAX_MARGIN_DEG, RotationRule, TrainingRange
from turntable.datasets.labels.sequence_rule import (
    DEFAULT_OFFSET,
    DEFAULT_TRAVEL,
    MAX_SCREW_TRANSLATION,
    NUM_MOTION_UNITS,
    MotionName,
    SequenceRule,
    Span,
    compute_poses,
)

__all__ = [
    "DEFAULT_OFFSET",
    "DEFAULT_SEEN_FRACTION",
    "DEFAULT_TRAVEL",
    "EXTRA_OUTPUTS",
    "FACTOR_DEFAULTS",
    "LEGACY_ORDER",
    "MAX_LEGACY_SEED",
    "MAX_MARGIN_DEG",
    "MAX_SCREW_TRANSLATION",
    "NUM_MOTION_UNITS",
    "OUTPUTS",
    "POINTS_MEANING",
    "POSE_NAMES",
    "REQUIRED_FACTORS",
    "ROTATION_NAMES",
    "STANDARD_FACTORS",
    "STANDARD_FACTORS_BY_NAME",
    "TRANSLATION_NAMES",
    "TWIST_NAMES",
    "Draws",
    "Factor",
    "FloatArray",
    "JointMotion",
    "JointRange",
    "JointRule",
    "LabelArray",
    "LabelSchema",
    "MotionName",
    "OutputName",
    "RotationRule",
    "SequenceRule",
    "Span",
    "StandardFactor",
    "TrainingRange",
    "build_label_columns",
    "compute_poses",
    "decode_output",
    "encode_output",
    "to_channels_first",
]
