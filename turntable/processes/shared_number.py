"""A whole number in memory that is shared with forks and with processes that multiprocessing starts."""

import mmap
import multiprocessing.context
import os
import weakref
from collections.abc import Callable
from multiprocessing.reduction import DupFd
from typing import Any

from turntable.processes.shared_memory import create_anonymous_memory

_NUM_BYTES = 8


class SharedNumber:
    """A whole number that one process sets and others read.

    A copy has the same memory in a fork, and where multiprocessing passes it to a process that it starts, by
    any start method. A copy that is pickled for anything else has the number of that moment, and is
    independent.

    Args:
        value: Number, of at most 64 bits.
    """

    def __init__(self, value: int) -> None:
        self._open(create_anonymous_memory(_NUM_BYTES))
        self.set(value)

    def __reduce__(self) -> tuple[Callable[..., "SharedNumber"], tuple[Any]]:
        # Set while multiprocessing pickles the arguments of a new process, which can inherit descriptors.
        if multiprocessing.context.get_spawning_popen() is None:
            return SharedNumber, (self.get(),)
        return _open_shared_number, (DupFd(self._descriptor),)

    def get(self) -> int:
        """Return the number."""
        return self._values[0]

    def set(self, value: int) -> None:
        """Set the number, for all processes that share it."""
        self._values[0] = value

    def _open(self, descriptor: int) -> None:
        self._descriptor = descriptor
        weakref.finalize(self, os.close, descriptor)
        self._values = memoryview(mmap.mmap(descriptor, _NUM_BYTES)).cast("q")


def _open_shared_number(shared: Any) -> SharedNumber:
    """Open the memory of another process's number."""
    number = SharedNumber.__new__(SharedNumber)
    number._open(shared.detach())  # pyright: ignore[reportPrivateUsage]
    return number
