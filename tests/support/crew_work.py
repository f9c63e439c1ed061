"""Fillers for tests of the crew: its workers import this module by name."""

import os
import time


class Number:
    """Writes the job's number into its rows; "raise", "die", "hang" do what they say."""

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
    """Reports which of some heavy modules the worker has loaded."""
    import sys

    class Modules:
        def fill(self, arrays, part):
            return [name for name in part if name in sys.modules]

    return Modules()
