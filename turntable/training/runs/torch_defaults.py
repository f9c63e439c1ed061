"""The defaults of torch that training relies on, whatever the user's program has set."""

from collections.abc import Generator
from contextlib import contextmanager, nullcontext

import torch


@contextmanager
def use_torch_defaults() -> Generator[None, None, None]:
    """Make new tensors float32 and on the CPU in a block, and restore the user's defaults afterwards.

    A default device of CUDA or "meta" would hold what belongs to the CPU, such as positions and random
    states, and a default type of float64 would not fit the images.
    """
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    torch.set_default_dtype(torch.float32)
    try:
        with nullcontext() if device.type == "cpu" else torch.device("cpu"):
            yield
    finally:
        torch.set_default_dtype(dtype)
