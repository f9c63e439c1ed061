"""How many processes are worth starting."""

import os


def default_workers() -> int:
    """One process a core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
