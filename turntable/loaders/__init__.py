"""Shards to batches: pairs of views to train on, and every view once for features."""

from turntable.loaders.order import ViewPairs, validation_pairs
from turntable.loaders.pairs import PairDataset, PairLoader
from turntable.loaders.source import Batch
from turntable.loaders.views import ViewLoader

__all__ = ["Batch", "PairDataset", "PairLoader", "ViewLoader", "ViewPairs", "validation_pairs"]
