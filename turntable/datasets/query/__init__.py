"""Conditions over labels: which views fulfil one, found before any shard is opened."""

from turntable.datasets.query.views import ConditionWorker, matching_views, subset_manifest

__all__ = [
    "ConditionWorker",
    "matching_views",
    "subset_manifest",
]
