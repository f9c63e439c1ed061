"""The edge to torch: arrays as tensors without a copy, and memory that a GPU reads."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from turntable.loaders.fields import PICTURES
from turntable.processes import SharedSlots

Batch = dict[str, Tensor]


def as_tensors(arrays: Mapping[str, NDArray[Any]]) -> Batch:
    """Arrays as tensors over the same memory; images become [..., 3, H, W] in channels-last memory."""
    return {name: _tensor(name, array) for name, array in arrays.items()}


def _tensor(name: str, array: NDArray[Any]) -> Tensor:
    tensor = torch.from_numpy(array)
    return tensor.movedim(-1, -3) if name in PICTURES else tensor


def pin(slots: SharedSlots) -> None:
    """Lock the slots' memory, so that copies to a GPU run beside everything else.

    Raises:
        RuntimeError: CUDA refuses, as a rule because too much memory is locked already.
    """
    runtime: Any = torch.cuda.cudart()
    for slot in range(slots.count):
        whole, _ = slots.arrays(slot)
        torch.cuda.check_error(int(runtime.cudaHostRegister(whole.ctypes.data, whole.nbytes, 0)))


def fence() -> Callable[[], bool]:
    """Called when a slot is let go: whether the copies that were begun until then are done.

    Their tensors may be gone long before a copy with ``non_blocking=True`` ends; the slot must wait for it.
    Copies count that were begun on the current stream.
    """
    if not torch.cuda.is_available():
        return lambda: True
    event = torch.cuda.Event()
    event.record()
    return event.query
