"""Slots of arrays in shared memory, which are filled again and again.

Slots are reused because new shared memory for every batch would cost nearly as much as decoding its images.

The memory has no name (``memfd_create``). So it is freed with the last process that holds it, even if that is
killed. It does not count against ``/dev/shm``, which is often limited to 64 MB in containers.
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
from turntable.sizes import format_bytes

_ALIGNMENT_BYTES = 64
_PAGE_BYTES = mmap.PAGESIZE
_MEMINFO = Path("/proc/meminfo")
_CGROUP_FILES = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """The shape and type of an array in a slot."""

    shape: tuple[int, ...]
    dtype: str
    """Type as numpy names it: "float32"."""

    @property
    def nbytes(self) -> int:
        """Size of the array in bytes."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    def make_array(self) -> NDArray[Any]:
        """Make such an array in the memory of this process, not filled."""
        return np.empty(self.shape, dtype=self.dtype)


Layout = Mapping[str, ArraySpec]
"""The arrays of a slot, by name."""


class SharedSlots:
    """Shared memory for slots of equal layout. It is freed when this object and all its arrays are deleted.

    Args:
        layout: Arrays of each slot by name.
        num_slots: Number of slots.
        descriptor: File descriptor of the memory, if another process has made it; None: new memory.

    Raises:
        InvalidInputError: This machine or container has too little free memory.
    """

    def __init__(self, layout: Layout, num_slots: int, descriptor: int | None = None) -> None:
        self.layout, self.num_slots = dict(layout), num_slots
        self._offsets, self._stride = _compute_offsets(self.layout)
        size = max(1, num_slots * self._stride)
        if descriptor is None:
            _check_free_memory(size)
            descriptor = create_anonymous_memory(size)
            weakref.finalize(self, os.close, descriptor)
        self.descriptor = descriptor
        """File descriptor of the memory, to be passed to other processes."""
        self._map = mmap.mmap(descriptor, size)

    def get_arrays(self, slot: int) -> tuple[NDArray[np.uint8], dict[str, NDArray[Any]]]:
        """Return a slot's memory as one array of bytes, and the slot's arrays by name.

        The named arrays are views of the first array and keep it alive. Each call makes a new first array. So
        when that is deleted, no array of this call is in use any more.
        """
        start = slot * self._stride
        memory = np.frombuffer(memoryview(self._map)[start : start + self._stride], dtype=np.uint8)
        arrays = {
            name: memory[self._offsets[name] : self._offsets[name] + spec.nbytes]
            .view(spec.dtype)
            .reshape(spec.shape)
            for name, spec in self.layout.items()
        }
        return memory, arrays


def _compute_offsets(layout: Layout) -> tuple[dict[str, int], int]:
    """Compute the offset of each array in a slot, and the size of a slot in bytes.

    Arrays start at cache lines, and slots at pages: only whole pages can be locked for a GPU.
    """
    offsets: dict[str, int] = {}
    offset = 0
    for name, spec in layout.items():
        offsets[name] = offset
        offset += spec.nbytes + -spec.nbytes % _ALIGNMENT_BYTES
    return offsets, offset + -offset % _PAGE_BYTES


def create_anonymous_memory(size: int) -> int:
    """Create memory without a name and return its file descriptor."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("turntable", os.MFD_CLOEXEC)
    else:  # not Linux: a file without a name
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size)
    return descriptor


def _check_free_memory(size: int) -> None:
    """Raise an error if there is too little free memory.

    Without this check a process that runs out of memory in a container would be killed later, without a
    message.
    """
    free = _read_free_bytes()
    if size > free:
        raise InvalidInputError(
            f"batches in shared memory need {format_bytes(size)}, but only {format_bytes(free)} are free: "
            "use a smaller batch_size, fewer batches ahead, or num_workers=0"
        )


def _read_free_bytes() -> float:
    """Read the free memory of the machine, or of the container if that has less."""
    free = math.inf
    try:
        table = dict(line.split(":", 1) for line in _MEMINFO.read_text("ascii").splitlines())
        free = int(table["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        pass
    for limit, used in _CGROUP_FILES:
        try:
            free = min(free, int(limit.read_text("ascii")) - int(used.read_text("ascii")))
        except (OSError, ValueError):  # not in a container, or in one without a limit ("max")
            continue
    return free
