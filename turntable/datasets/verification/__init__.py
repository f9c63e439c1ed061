"""Verification of a data set against its manifest, with all problems in one report."""

from turntable.datasets.verification.dataset import verify_dataset
from turntable.datasets.verification.report import CheckReport

__all__ = [
    "CheckReport",
    "verify_dataset",
]
