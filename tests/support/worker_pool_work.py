"""Fillers for tests of worker pools, whose workers import this module by name."""

import os
import time


class Number:
    """A filler that writes the job's number into its rows, or fails as told: "raise", "die", "hang"."""

    def __init__(self, slow_s: float) -> None:
        self.slow_s = slow_s

    def fill(self, arrays, part):
        number, rows, what = part
        if what == "raise":
            raise ValueError(f"no {number}")
        if what == "die":
            os._exit(3)
        if what == "hang":
            time.sleep(1000)
        time.sleep(self.slow_s)
        arrays["value"][rows] = number
        return os.getpid()


def open_number(slow_s: float = 0.0) -> Number:
    return Number(slow_s)


def open_modules():
    """Return a filler that reports which of some heavy modules the worker has loaded."""
    import sys

    class Modules:
        def fill(self, arrays, part):
            return [name for name in part if name in sys.modules]

    return Modules()
