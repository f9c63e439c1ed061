"""Stores in buckets: S3 and what speaks its language, and Google Cloud Storage."""

from turntable.datasets.stores.buckets.store import ObjectStore

__all__ = [
    "ObjectStore",
]
