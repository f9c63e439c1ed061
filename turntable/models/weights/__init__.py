"""Files of weights, read as numbers and nothing else: ours and the published ones."""

from turntable.models.weights.files import read_weight_file
from turntable.models.weights.published import read_published

__all__ = [
    "read_published",
    "read_weight_file",
]
