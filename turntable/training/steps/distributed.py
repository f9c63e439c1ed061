"""Ranks: the processes of one training, which share every batch. One process alone is the only rank.

A launcher (torchrun, or srun with the same variables) starts the processes and tells each its RANK,
LOCAL_RANK, WORLD_SIZE, and where they meet (MASTER_ADDR, MASTER_PORT).
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

from turntable.errors import InvalidInputError, StoppedError, TurntableError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among those that train together."""

    device: torch.device
    """This one's."""
    index: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.index == 0

    def agree(self, terms: Mapping[str, Tensor], asked: bool) -> tuple[dict[str, float], bool]:
        """Every rank's scalars averaged over ranks, and whether any rank was asked to stop.

        One small collective and one wait for the device, for all of it.
        """
        flag = torch.tensor(float(asked), dtype=torch.float64, device=self.device)
        told = torch.stack([*(term.detach().double() for term in terms.values()), flag])
        if self.count > 1:
            dist.all_reduce(told)
        *values, stop = told.tolist()
        return {name: value / self.count for name, value in zip(terms, values, strict=True)}, stop > 0

    def from_first(self, work: Callable[[], T]) -> T:
        """What the first rank makes of some work, on all ranks; they may see other files than it does.

        Raises:
            TurntableError: The first rank's, on all ranks.
        """
        if self.count == 1:
            return work()
        told: list[Any] = [None, None]
        if self.is_first:
            try:
                told[0] = work()
            except TurntableError as error:
                told[1] = error
        dist.broadcast_object_list(told, src=0, device=self._of_collectives)
        if told[1] is not None:
            raise told[1]
        return cast("T", told[0])

    def from_all(self, value: T) -> list[T]:
        """Every rank's value, rank after rank."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        dist.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        """Until all ranks are here."""
        if self.count > 1:
            dist.barrier()

    @property
    def _of_collectives(self) -> torch.device | None:
        return self.device if self.device.type == "cuda" else None


def is_first_rank() -> bool:
    """Whether this process is the only one, or the one that speaks, by what a launcher has told it."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def joined(device_name: str) -> Generator[Ranks, None, None]:
    """Meet the other ranks, if a launcher has started any; nccl carries what CUDA devices say, gloo the rest.

    Args:
        device_name: "auto", "cpu", "cuda" or, of one rank alone, "cuda:1".

    Raises:
        InvalidInputError: There is no such device, or the launcher's variables are not complete.
    """
    if dist.is_available() and dist.is_initialized():
        yield Ranks(chosen_device(device_name), dist.get_rank(), dist.get_world_size())
        return
    device = chosen_device(device_name)
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Ranks(device)
        return
    _meet(device)
    ranks = Ranks(device, dist.get_rank(), dist.get_world_size())
    try:
        yield ranks
    except StoppedError as error:
        traceback.clear_frames(error.__traceback__)  # what is shared among ranks would keep their group
        _part()  # all ranks stop together
        raise
    except RuntimeError as error:
        if not _is_lost(error):
            raise
        raise TurntableError(
            f"rank {ranks.index} of {ranks.count} lost the others; one of them says why it ended"
            f" ({str(error).splitlines()[0]}). The same command goes on from the last checkpoint"
        ) from error
    _part()


def _is_lost(error: RuntimeError) -> bool:
    """Whether an error is of the talk between ranks."""
    return isinstance(error, dist.DistError) or "gloo" in str(error)


def _part() -> None:
    # Not after an error of one rank: it would wait for the others, and they for it.
    dist.destroy_process_group()


def _meet(device: torch.device) -> None:
    # Imported later (the optimisers do), its functions' defaults keep the group, and gloo's threads, alive
    # beyond `_part`. A thread that lets go of a tensor only as Python ends aborts the process.
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


def chosen_device(name: str) -> torch.device:
    """The device that a name means to this process.

    Raises:
        InvalidInputError: There is none.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InvalidInputError(f"device {name!r} is unknown; use auto, cpu, cuda or cuda:N") from error
    if device.type == "cpu":
        return device
    if device.type != "cuda":
        raise InvalidInputError(f"device {name!r} cannot train; use auto, cpu, cuda or cuda:N")
    return _cuda(device.index if ":" in name else int(os.environ.get("LOCAL_RANK", "0")))


def _cuda(index: int) -> torch.device:
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not found:
        raise InvalidInputError("device 'cuda': torch finds no GPU here; use device 'cpu', or 'auto'")
    if index >= found:
        raise InvalidInputError(
            f"device 'cuda:{index}': there are {found} GPUs here; start at most {found} ranks a machine"
        )
    chosen = torch.device("cuda", index)
    torch.cuda.set_device(chosen)
    return chosen
