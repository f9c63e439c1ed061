"""Queries of a data set's labels: the views that match a condition, found before any shard is opened."""

from turntable.datasets.query.matching import ConditionWorker, make_subset_manifest, select_matching_views

__all__ = [
    "ConditionWorker",
    "make_subset_manifest",
    "select_matching_views",
]
