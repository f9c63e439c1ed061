"""Samplers: the rules that pick the views of a sample and the order of samples in an epoch."""

from turntable.loaders.sampling.anchors import draw_anchors, match_anchors, pick_spread_anchors
from turntable.loaders.sampling.pair_files import read_pairs, write_pairs
from turntable.loaders.sampling.random_order import IntArray, draw_partner_distance
from turntable.loaders.sampling.relation_samplers import (
    Edges,
    Quads,
    RelationSampler,
    has_several_objects,
)
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
    "Edges",
    "Fixed",
    "Fresh",
    "IntArray",
    "Pairs",
    "Quads",
    "RelationSampler",
    "Sampler",
    "Samples",
    "Sequences",
    "Singles",
    "Tuples",
    "ViewNaming",
    "ViewSelection",
    "Views",
    "draw_anchors",
    "draw_partner_distance",
    "draw_random_pairs",
    "draw_validation_pairs",
    "has_several_objects",
    "match_anchors",
    "pick_spread_anchors",
    "read_pairs",
    "select_all_views",
    "select_views",
    "write_pairs",
]
