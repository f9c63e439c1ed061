"""The engines that make batches: in this process, in a pool of workers, or in torch's DataLoader.

All engines give the same batches. An engine makes the batches of one iteration at a time.
"""

import multiprocessing.process
import os
import weakref
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self

from numpy.typing import NDArray

from turntable.extras import explain_import_errors
from turntable.loaders.engines.batch_plan import split_rows
from turntable.loaders.engines.view_filler import BatchPart, BatchSpec, CorruptView, ViewFiller
from turntable.loaders.sampling import IntArray, Samples
from turntable.processes import STALL_S, Layout, SlotFiller, WorkerPool

EngineName = Literal["ring", "dataloader"]
NUM_AHEAD = 3
"""Number of batches that a ``SharedMemoryEngine`` fills at a time."""
PREFETCH_FACTOR = 2
"""Number of batches that each worker of a DataLoader makes ahead."""


@dataclass(frozen=True, slots=True, eq=False)
class BatchRequest:
    """A request for the batch of some samples."""

    samples: Samples
    epoch: int
    positions: IntArray
    """[b] positions of the samples in the epoch."""

    @classmethod
    def from_positions(cls, samples: Samples, epoch: int, positions: IntArray) -> Self:
        """Request the samples at some positions of an epoch.

        Args:
            samples: All samples of the epoch.
            epoch: Number of the epoch, from 0.
            positions: [b] positions. Those past the end of the epoch, which pad the last batch, start again
                at its beginning.
        """
        wrapped = positions % len(samples)
        return cls(samples[wrapped], epoch, wrapped)

    def select_rows(self, rows: slice) -> BatchPart:
        """Return the part of the request that fills some rows of the batch."""
        samples = self.samples[rows]
        return BatchPart(rows, samples.objects, samples.views, self.epoch, self.positions[rows])


@dataclass(frozen=True, slots=True, eq=False)
class RawBatch:
    """The arrays of a batch, in the layout of the engine, and the views that had to be replaced.

    The arrays may have more rows than were requested. The first rows are the batch.
    """

    arrays: Mapping[str, NDArray[Any]]
    corrupt: tuple[CorruptView, ...]
    pinned: bool = False
    """True if the arrays lie in memory that is locked for copies to a GPU."""


class BatchEngine(Protocol):
    """The interface of engines, which make batches."""

    @property
    def waited_s(self) -> float:
        """Total time in seconds that the consumer has waited for batches; 0 if it is not measured."""
        ...

    def make_batches(self, requests: Iterable[BatchRequest]) -> Generator[RawBatch, None, None]:
        """Yield a batch for each request, in order. Some batches may be made ahead."""
        ...

    def close(self) -> None:
        """End all workers."""
        ...


class InProcessEngine:
    """The engine without workers: it makes each batch in this process when it is asked for.

    Args:
        spec: Description of the batches.
    """

    waited_s = 0.0
    """Time in seconds that the consumer has waited: not measured."""

    def __init__(self, spec: BatchSpec) -> None:
        self._spec = spec
        self._filler: tuple[int, SlotFiller] | None = None
        """The filler, and the id of the process that opened it."""
        self._layout: tuple[int, Layout] | None = None
        """Batch size and layout of the last batch, kept because nearly all batches have the same size."""

    def __getstate__(self) -> dict[str, Any]:
        # Open files stay in this process.
        return {**self.__dict__, "_filler": None}

    def make_batches(self, requests: Iterable[BatchRequest]) -> Generator[RawBatch, None, None]:
        """Yield the batches one by one, each in new memory."""
        for batch in requests:
            size = len(batch.samples)
            if self._layout is None or self._layout[0] != size:
                self._layout = (size, self._spec.make_layout(size))
            arrays = {name: spec.make_array() for name, spec in self._layout[1].items()}
            yield RawBatch(arrays, self._get_filler().fill(arrays, batch.select_rows(slice(0, size))))

    def close(self) -> None:
        """Close the files."""
        self._filler = None

    def _get_filler(self) -> SlotFiller:
        """Return the filler of this process. A fork opens its own, because connections cannot be shared."""
        if self._filler is None or self._filler[0] != os.getpid():
            self._filler = (os.getpid(), ViewFiller(self._spec))
        return self._filler[1]


class SharedMemoryEngine:
    """The engine whose workers fill slots of shared memory. A batch is a slot itself, not a copy.

    Args:
        factory: Function that makes each worker's filler, as ``WorkerPool`` takes it.
        arguments: Arguments of that function by name.
        layout: Arrays of a batch.
        num_workers: Number of workers, at least 1.
        pinned: True to lock the slots' memory for copies to a GPU.
        stall_s: Seconds of silence after which a worker that is waited for counts as hung.
    """

    def __init__(
        self,
        factory: str,
        arguments: Mapping[str, Any],
        layout: Layout,
        num_workers: int,
        *,
        pinned: bool = False,
        stall_s: float = STALL_S,
    ) -> None:
        self._num_workers, self._pinned = num_workers, pinned
        fence = None
        if pinned:
            from turntable.loaders.engines.tensors import record_fence as fence
        self._pool = WorkerPool(
            factory,
            arguments,
            layout,
            num_workers=num_workers,
            num_ahead=NUM_AHEAD,
            fence=fence,
            stall_s=stall_s,
        )
        if pinned:
            from turntable.loaders.engines.tensors import pin_slots

            pin_slots(self._pool.slots)

    @property
    def waited_s(self) -> float:
        """Total time in seconds that the consumer has waited for batches."""
        return self._pool.waited_s

    def make_batches(self, requests: Iterable[BatchRequest]) -> Generator[RawBatch, None, None]:
        """Yield the batches in order. All workers fill rows of each batch."""
        jobs = (
            [batch.select_rows(rows) for rows in split_rows(len(batch.samples), self._num_workers)]
            for batch in requests
        )
        with closing(self._pool.run(jobs)) as filled:
            for job in filled:
                corrupt = tuple(view for report in job.reports for view in report)
                yield RawBatch(job.arrays, corrupt, self._pinned)
                del job  # or its slot would be held until the next job is done

    def close(self) -> None:
        """End all workers."""
        self._pool.close()


class DataLoaderEngine:
    """The engine of torch's DataLoader. It runs wherever torch does; each worker makes whole batches.

    Args:
        spec: Description of the batches.
        num_workers: Number of workers, at least 1.
        spawn: True if workers are started anew and not forked.

    Raises:
        MissingExtraError: torch is not installed.
    """

    waited_s = 0.0
    """Time in seconds that the consumer has waited: not measured."""

    def __init__(self, spec: BatchSpec, num_workers: int, *, spawn: bool) -> None:
        with explain_import_errors("torch"):
            from torch import Generator as RandomGenerator
            from torch.utils.data import DataLoader

        self._request_sampler = _RequestSampler()
        self._loader = DataLoader(
            _BatchDataset(spec),  # pyright: ignore[reportArgumentType]
            batch_size=None,
            sampler=self._request_sampler,
            collate_fn=_return_unchanged,
            num_workers=num_workers,
            prefetch_factor=PREFETCH_FACTOR,
            persistent_workers=True,
            multiprocessing_context="spawn" if spawn else None,
            # A DataLoader draws a number at the start of each epoch. Without a generator here it would come
            # from torch's global one, and change the random numbers of training.
            generator=RandomGenerator(device="cpu"),
        )
        _LIVE_ENGINES.add(self)

    def make_batches(self, requests: Iterable[BatchRequest]) -> Generator[RawBatch, None, None]:
        """Yield the batches in order. One worker makes each batch."""
        self._request_sampler.requests = requests
        for tensors, corrupt in self._start_epoch():
            yield RawBatch({name: tensor.numpy() for name, tensor in tensors.items()}, corrupt)

    def close(self) -> None:
        """End all workers."""
        del self._loader

    def abandon_workers(self) -> None:
        """Forget the workers, in a fork of the process that has started them and that they belong to.

        A DataLoader that is deleted ends its workers, in a fork those of the parent. So it is kept for ever.
        """
        loader = getattr(self, "_loader", None)
        workers: list[Any] = getattr(getattr(loader, "_iterator", None), "_workers", [])
        _ABANDONED.append(loader)
        # A process that exits ends the children that multiprocessing has on its list.
        children: set[Any] = multiprocessing.process._children  # type: ignore[attr-defined]
        children.difference_update(workers)

    def _start_epoch(self) -> Iterator[Any]:
        """Start an iteration of the DataLoader, whose own numbers lie on the CPU like its generator."""
        from torch import device

        # Users may have set another default device or type, for their models.
        with device("cpu"):
            return iter(self._loader)


_LIVE_ENGINES: "weakref.WeakSet[DataLoaderEngine]" = weakref.WeakSet()
_ABANDONED: list[Any] = []
"""DataLoaders of the process that this one is a fork of."""


def _abandon_all() -> None:
    for engine in list(_LIVE_ENGINES):
        engine.abandon_workers()
    _LIVE_ENGINES.clear()


os.register_at_fork(after_in_child=_abandon_all)


def _return_unchanged(batch: Any) -> Any:
    """Return a batch as it is. The items of ``_BatchDataset`` are batches already, so nothing is collated."""
    return batch


class _BatchDataset:
    """A data set whose items are whole batches, and whose indices are requests.

    A request decides the batch completely, so the workers need no state.
    """

    def __init__(self, spec: BatchSpec) -> None:
        self._engine = InProcessEngine(spec)

    def __getitem__(self, request: BatchRequest) -> tuple[dict[str, Any], tuple[CorruptView, ...]]:
        from torch import from_numpy

        (raw,) = self._engine.make_batches([request])
        return {name: from_numpy(array) for name, array in raw.arrays.items()}, raw.corrupt


class _RequestSampler:
    """A sampler for the DataLoader whose requests can be replaced for each epoch.

    A DataLoader keeps its sampler for life, and its workers should live through all epochs.
    """

    requests: Iterable[BatchRequest] = ()

    def __iter__(self) -> Iterator[BatchRequest]:
        return iter(self.requests)
