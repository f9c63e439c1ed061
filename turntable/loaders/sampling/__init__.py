"""Sampling: which views make a sample, and which samples come when."""

from turntable.loaders.sampling.order import IntArray
from turntable.loaders.sampling.pair_list import read_pairs, write_pairs
from turntable.loaders.sampling.samplers import (
    Fixed,
    Fresh,
    Naming,
    Pairs,
    Sampler,
    Samples,
    Sequences,
    Singles,
    Tuples,
    Views,
    random_pairs,
    validation_pairs,
)
from turntable.loaders.sampling.selection import Selection, chosen_views, whole_split

__all__ = [
    "Fixed",
    "Fresh",
    "IntArray",
    "Naming",
    "Pairs",
    "Sampler",
    "Samples",
    "Selection",
    "Sequences",
    "Singles",
    "Tuples",
    "Views",
    "chosen_views",
    "random_pairs",
    "read_pairs",
    "validation_pairs",
    "whole_split",
    "write_pairs",
]
