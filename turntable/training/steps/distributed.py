"""The group of processes (ranks) that train together and share every batch, and the device of each.

A launcher (torchrun, or srun with the same variables) starts the processes. It sets RANK, LOCAL_RANK,
WORLD_SIZE and the address at which they meet (MASTER_ADDR, MASTER_PORT). A process that is started alone is
the only rank.
"""

import importlib
import os
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor

from turntable.errors import InvalidInputError, StoppedError, TurntableError, format_text

T = TypeVar("T")

_DEVICES = "--device auto, cpu, cuda or cuda:N (in Python device=)"


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The group of processes that train together, as seen from this process."""

    device: torch.device
    """Device of this process."""
    rank: int = 0
    """Index of this process."""
    num_ranks: int = 1
    """Number of processes."""

    @property
    def is_first(self) -> bool:
        """True for the rank that writes files and reports to the user."""
        return self.rank == 0

    def reduce_terms(self, terms: Mapping[str, Tensor], stop_asked: bool) -> tuple[dict[str, float], bool]:
        """Average scalars over ranks, and combine the ranks' wishes to stop.

        All values travel in one tensor, so that a step has a single collective and a single wait for the
        device.

        Args:
            terms: Scalar tensors of this rank, by name.
            stop_asked: True if this rank was asked to stop.

        Returns:
            The means over ranks, by name, and True if any rank was asked to stop.
        """
        flag = torch.tensor(float(stop_asked), dtype=torch.float64, device=self.device)
        packed = torch.stack([*(term.detach().double() for term in terms.values()), flag])
        if self.num_ranks > 1:
            dist.all_reduce(packed)
        *values, stop = packed.tolist()
        return {name: value / self.num_ranks for name, value in zip(terms, values, strict=True)}, stop > 0

    def run_on_first_rank(self, work: Callable[[], T]) -> T:
        """Call a function on the first rank, and return its result on all ranks.

        Other machines may not see the files of the first one, so only the first rank reads and writes.

        Raises:
            TurntableError: ``work`` raised it on the first rank; all ranks raise it.
        """
        if self.num_ranks == 1:
            return work()
        outcome: list[Any] = [None, None]  # result and error
        if self.is_first:
            try:
                outcome[0] = work()
            except TurntableError as error:
                outcome[1] = error
        dist.broadcast_object_list(outcome, src=0, device=self._collective_device)
        if outcome[1] is not None:
            raise outcome[1]
        return cast("T", outcome[0])

    def gather_values(self, value: T) -> list[T]:
        """Return the values of all ranks, in the order of ranks, on every rank."""
        if self.num_ranks == 1:
            return [value]
        values: list[Any] = [None] * self.num_ranks
        dist.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        """Wait until all ranks have reached this point."""
        if self.num_ranks > 1:
            dist.barrier()

    @property
    def _collective_device(self) -> torch.device | None:
        return self.device if self.device.type == "cuda" else None


def is_first_rank() -> bool:
    """Return True if this process is the first rank, or the only one, by the launcher's variables."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def process_group(device_name: str) -> Generator[ProcessGroup, None, None]:
    """Join the group of ranks for the time of a block; nccl connects CUDA devices, gloo CPUs.

    Args:
        device_name: "auto", "cpu", "cuda" or, for a single process, "cuda:1".

    Raises:
        InvalidInputError: There is no such device, or the launcher's variables are incomplete or wrong.
        TurntableError: The other ranks cannot be reached, or the connection to one was lost in the block.
    """
    if dist.is_available() and dist.is_initialized():
        yield ProcessGroup(resolve_device(device_name), dist.get_rank(), dist.get_world_size())
        return
    device = resolve_device(device_name)
    if _read_launcher_number("WORLD_SIZE", 1) == 1:
        yield ProcessGroup(device)
        return
    _join_group(device)
    group = ProcessGroup(device, dist.get_rank(), dist.get_world_size())
    try:
        yield group
    except StoppedError as error:
        # The frames hold a DistributedDataParallel, which would keep the group alive after it is destroyed.
        traceback.clear_frames(error.__traceback__)
        _leave_group()  # safe here, since all ranks stop together
        raise
    except RuntimeError as error:
        if not is_communication_error(error):
            raise
        raise TurntableError(
            f"rank {group.rank} of {group.num_ranks} lost the connection to the others; see the message of"
            f" the rank that ended ({str(error).splitlines()[0]}). The same command continues from the last"
            " checkpoint"
        ) from error
    _leave_group()


def is_communication_error(error: Exception) -> bool:
    """Return True if an error comes from the communication between ranks."""
    return isinstance(error, dist.DistError) or "gloo" in str(error)


def _leave_group() -> None:
    # Not called after an error of one rank: it would wait for the others, and they for this rank.
    dist.destroy_process_group()


def _join_group(device: torch.device) -> None:
    # The optimizers import this module. If that happened while the group exists, default arguments of its
    # functions would keep the group, and the threads of gloo, alive beyond `_leave_group`. A thread that
    # frees a tensor only while Python exits aborts the process.
    importlib.import_module("torch.distributed.nn.functional")
    try:
        if device.type == "cuda":
            dist.init_process_group("nccl", device_id=device)
        else:
            dist.init_process_group("gloo")
    except ValueError as error:
        raise InvalidInputError(
            f"WORLD_SIZE is {os.environ['WORLD_SIZE']}, but the ranks cannot meet ({error}): start them with"
            " torchrun, or unset WORLD_SIZE"
        ) from error
    except RuntimeError as error:  # torch's DistError, or a plain one, by the cause
        raise TurntableError(
            f"rank {os.environ.get('RANK', '?')} of {os.environ['WORLD_SIZE']} cannot reach the others at"
            f" MASTER_ADDR {os.environ.get('MASTER_ADDR', 'unset')}, MASTER_PORT"
            f" {os.environ.get('MASTER_PORT', 'unset')} ({format_text(str(error).splitlines()[0])}): give all"
            " ranks the address of the first one and a port that is free there and passes firewalls"
        ) from error


def _read_launcher_number(name: str, default: int) -> int:
    """Return a number that a launcher sets in the environment.

    Raises:
        InvalidInputError: The variable is not a whole number.
    """
    text = os.environ.get(name, str(default))
    if not text.isdecimal():
        raise InvalidInputError(
            f"{name} is {format_text(text, 40)!r}, not a whole number: start the ranks with torchrun, or"
            f" unset {name}"
        )
    return int(text)


def resolve_device(name: str) -> torch.device:
    """Return the device of a name for this process.

    Args:
        name: "auto", "cpu", "cuda" (the GPU of the local rank) or "cuda:N".

    Raises:
        InvalidInputError: There is no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InvalidInputError(f"device {name!r} is unknown; give {_DEVICES}") from error
    if device.type == "cpu":
        return device
    if device.type != "cuda":
        raise InvalidInputError(f"device {name!r} cannot train; give {_DEVICES}")
    return _resolve_cuda(device.index if ":" in name else _read_launcher_number("LOCAL_RANK", 0))


def _resolve_cuda(index: int) -> torch.device:
    num_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not num_gpus:
        raise InvalidInputError(
            "device 'cuda': torch finds no GPU here; give --device cpu (in Python device='cpu') or auto"
        )
    if index >= num_gpus:
        raise InvalidInputError(
            f"device 'cuda:{index}': there are {num_gpus} GPUs here; start at most {num_gpus} ranks per"
            " machine"
        )
    device = torch.device("cuda", index)
    torch.cuda.set_device(device)
    return device
