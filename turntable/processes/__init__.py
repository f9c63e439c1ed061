"""Processes that work for another: shared memory that leaves nothing behind, and workers that fill it."""
