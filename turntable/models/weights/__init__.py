"""Readers of weight files, turntable's and published ones, that never execute code from a file."""

from turntable.models.weights.files import read_weight_file
from turntable.models.weights.published import read_published_weights

__all__ = [
    "read_published_weights",
    "read_weight_file",
]
