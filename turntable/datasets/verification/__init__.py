"""Verification of a data set against its manifest, every problem in one report."""

from turntable.datasets.verification.dataset import verify

__all__ = [
    "verify",
]
