"""The number of CPU cores that this process may use."""

import os


def count_usable_cores() -> int:
    """Count the CPU cores that this process may use; more worker processes than that do not help."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
