"""Stores in buckets: Amazon S3, compatible object stores, and Google Cloud Storage."""

from turntable.datasets.stores.buckets.store import BucketStore

__all__ = [
    "BucketStore",
]
