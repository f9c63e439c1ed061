"""Errors of torch, translated once into those that users can act on."""

from collections.abc import Generator
from contextlib import contextmanager

import torch

from turntable.errors import TurntableError, format_text
from turntable.training.runs import Run, format_setting, format_sizes, is_out_of_memory
from turntable.training.steps.distributed import is_communication_error

_GPU_WORDS = ("CUDA error", "CUDA driver", "cuDNN error", "CUBLAS", "NVML")
"""Words in the RuntimeErrors of torch that come from a GPU or its libraries."""


@contextmanager
def convert_torch_errors(run: Run) -> Generator[None, None, None]:
    """Turn errors of memory and of the GPU in the block into a TurntableError that says what to do.

    Errors of the communication between ranks are left to ``process_group``, and those of a method's own code
    stay as they are, with their traceback.

    Raises:
        TurntableError: There is not enough memory, or the GPU failed.
    """
    try:
        yield
    except TurntableError:
        raise
    except (MemoryError, RuntimeError) as error:
        if is_communication_error(error):
            raise
        if is_out_of_memory(error):
            raise TurntableError(_format_memory_error(run)) from error
        if _is_gpu_error(error):
            raise TurntableError(
                f"{run.folder}: the GPU failed ({format_text(str(error).splitlines()[0])}). The same command"
                f" continues from the last checkpoint; {format_setting('device', 'cuda:1')} takes another GPU"
            ) from error
        raise


def _format_memory_error(run: Run) -> str:
    config = run.config
    smaller, parts = max(2, config.batch_size // 2), 2 * config.accumulate
    return (
        f"{run.folder}: there is not enough memory for a step of batch_size={config.batch_size} in"
        f" accumulate={config.accumulate} parts, with {format_sizes(run)}. Give"
        f" {format_setting('accumulate', parts)}, {format_setting('batch_size', smaller)}, or a smaller"
        f" {format_setting('image_size')} or {format_setting('backbone')}"
    )


def _is_gpu_error(error: Exception) -> bool:
    accelerator_error = getattr(torch, "AcceleratorError", ())  # since torch 2.8
    return isinstance(error, accelerator_error) or any(word in str(error) for word in _GPU_WORDS)
