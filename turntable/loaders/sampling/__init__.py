"""Samplers: the rules that pick the views of a sample and the order of samples in an epoch."""

from turntable.loaders.sampling.pair_files import read_pairs, write_pairs
from turntable.loaders.sampling.random_order import IntArray, draw_partner_distance
from turntable.loaders.sampling.samplers import (
    Fixed,
    Fresh,
    Pairs,
    Sampler,
    Samples,
    Sequences,
    Singles,
    Tuples,
    ViewNaming,
    Views,
    draw_random_pairs,
    draw_validation_pairs,
)
from turntable.loaders.sampling.view_selection import ViewSelection, select_all_views, select_views

__all__ = [
    "Fixed",
    "Fresh",
    "IntArray",
    "Pairs",
    "Sampler",
    "Samples",
    "Sequences",
    "Singles",
    "Tuples",
    "ViewNaming",
    "ViewSelection",
    "Views",
    "draw_partner_distance",
    "draw_random_pairs",
    "draw_validation_pairs",
    "read_pairs",
    "select_all_views",
    "select_views",
    "write_pairs",
]
