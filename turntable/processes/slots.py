"""Slots of arrays in memory that processes share, used again and again.

A new segment of shared memory for every batch would cost nearly as much as decoding what goes into it. The
memory has no name (``memfd_create``): it goes with the last process that holds it, however that ends, and it
is not counted against ``/dev/shm``, of which containers often have 64 MB.
"""

import math
import mmap
import os
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError

_ALIGNMENT = 64
_PAGE = mmap.PAGESIZE
_MEMORY = Path("/proc/meminfo")
_CONTAINER = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """One array of a slot."""

    shape: tuple[int, ...]
    dtype: str
    """As numpy names it: "float32"."""

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    def empty(self) -> NDArray[Any]:
        """Such an array, of this process alone."""
        return np.empty(self.shape, dtype=self.dtype)


Layout = Mapping[str, ArraySpec]
"""The arrays of a slot, by name."""


class SharedSlots:
    """Memory for ``count`` slots of one layout; it goes when these and their last array do.

    Args:
        layout: of each.
        count: of them.
        descriptor: of the memory, where another process made it; without it, it is made here.

    Raises:
        InvalidInputError: this machine or container has not so much memory left.
    """

    def __init__(self, layout: Layout, count: int, descriptor: int | None = None) -> None:
        self.layout, self.count = dict(layout), count
        self._offsets, self._stride = _offsets(self.layout)
        size = max(1, count * self._stride)
        if descriptor is None:
            _check_room(size)
            descriptor = _nameless_memory(size)
            weakref.finalize(self, os.close, descriptor)
        self.descriptor = descriptor
        """To be passed to another process."""
        self._map = mmap.mmap(descriptor, size)

    def arrays(self, slot: int) -> tuple[NDArray[np.uint8], dict[str, NDArray[Any]]]:
        """A slot's memory as one array, and its arrays by name, which all keep the first one alive.

        The first array is a new one at every call: when it goes, nobody looks at what this call gave.
        """
        start = slot * self._stride
        whole = np.frombuffer(memoryview(self._map)[start : start + self._stride], dtype=np.uint8)
        named = {
            name: whole[self._offsets[name] : self._offsets[name] + spec.nbytes]
            .view(spec.dtype)
            .reshape(spec.shape)
            for name, spec in self.layout.items()
        }
        return whole, named


def _offsets(layout: Layout) -> tuple[dict[str, int], int]:
    """Where each array begins in its slot, and the bytes of a slot."""
    offsets: dict[str, int] = {}
    at = 0
    for name, spec in layout.items():
        offsets[name] = at
        at += spec.nbytes + -spec.nbytes % _ALIGNMENT
    return offsets, at + -at % _PAGE


def _nameless_memory(size: int) -> int:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("turntable", os.MFD_CLOEXEC)
    else:  # not Linux: a file without a name
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size)
    return descriptor


def _check_room(size: int) -> None:
    """Complain now: a process that runs out of memory in a container dies without a word."""
    free = _free_bytes()
    if size > free:
        raise InvalidInputError(
            f"batches under way need {size / 1e6:,.0f} MB of memory, {free / 1e6:,.0f} MB are free: use a "
            "smaller batch_size, fewer batches ahead, or num_workers=0"
        )


def _free_bytes() -> float:
    """Of the machine, or of the container where that has less."""
    free = math.inf
    try:
        table = dict(line.split(":", 1) for line in _MEMORY.read_text("ascii").splitlines())
        free = int(table["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        pass
    for limit, used in _CONTAINER:
        try:
            free = min(free, int(limit.read_text("ascii")) - int(used.read_text("ascii")))
        except (OSError, ValueError):  # no container, or one without a limit ("max")
            continue
    return free
