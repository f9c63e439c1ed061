"""Conversion of batches to torch tensors without a copy, and locked memory for copies to a GPU."""

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from turntable.extras import explain_import_errors

with explain_import_errors("torch"):
    import torch
    from torch import Tensor

from turntable.loaders.fields import is_image_field
from turntable.processes import SharedSlots

Batch = dict[str, Tensor]


def as_tensors(arrays: Mapping[str, NDArray[Any]]) -> Batch:
    """Return tensors that share the memory of arrays.

    Images [..., H, W, 3] become [..., 3, H, W] in channels-last memory.
    """
    return {name: _to_tensor(name, array) for name, array in arrays.items()}


def _to_tensor(name: str, array: NDArray[Any]) -> Tensor:
    tensor = torch.from_numpy(array)
    return tensor.movedim(-1, -3) if is_image_field(name) else tensor


def pin_slots(slots: SharedSlots) -> None:
    """Lock the memory of slots, so that copies to a GPU can run in the background.

    Raises:
        RuntimeError: CUDA refuses, usually because too much memory is locked already.
    """
    runtime: Any = torch.cuda.cudart()
    for slot in range(slots.num_slots):
        memory, _ = slots.get_arrays(slot)
        torch.cuda.check_error(int(runtime.cudaHostRegister(memory.ctypes.data, memory.nbytes, 0)))


def record_fence() -> Callable[[], bool]:
    """Return a function that tells if all copies to the GPU started so far are done.

    It is called when the last tensor of a slot is deleted. A copy with ``non_blocking=True`` may still read
    the slot's memory then, so the slot must not be filled again before the copy is done. Only copies on the
    current stream are tracked.
    """
    if not torch.cuda.is_available():
        return lambda: True
    event = torch.cuda.Event()
    event.record()
    return event.query
