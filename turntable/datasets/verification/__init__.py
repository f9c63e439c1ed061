"""Verification of a data set against its manifest, every problem in one report."""

from turntable.datasets.verification.dataset import verify
from turntable.datasets.verification.report import CheckReport

__all__ = [
    "CheckReport",
    "verify",
]
