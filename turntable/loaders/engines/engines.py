"""How batches are made: in this process, by a ring of workers, or by torch's DataLoader; the same by all."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self

from numpy.typing import NDArray

from turntable.loaders.engines.batches import parts_of
from turntable.loaders.engines.filling import BatchPart, CorruptView, Filling, ViewFiller
from turntable.loaders.sampling import IntArray, Samples
from turntable.processes import STALL_S, Crew, Filler, Layout

EngineName = Literal["ring", "dataloader"]
AHEAD = 3
"""Batches that the ring has under way."""
PREFETCH = 2
"""Batches that each worker of a DataLoader makes ahead."""


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """The samples of a batch."""

    samples: Samples
    epoch: int
    positions: IntArray
    """[b] of the samples in the epoch."""

    @classmethod
    def at(cls, samples: Samples, epoch: int, positions: IntArray) -> Self:
        """The samples at positions of an epoch; those behind its end are taken from its beginning."""
        inside = positions % len(samples)
        return cls(samples[inside], epoch, inside)

    def part(self, rows: slice) -> BatchPart:
        """Some of them, to become those rows of a batch."""
        chosen = self.samples[rows]
        return BatchPart(rows, chosen.objects, chosen.views, self.epoch, self.positions[rows])


@dataclass(frozen=True, slots=True, eq=False)
class MadeBatch:
    """A batch's arrays, as the layout has them; only the first rows count, as many as were wanted."""

    arrays: Mapping[str, NDArray[Any]]
    corrupt: tuple[CorruptView, ...]


class BatchEngine(Protocol):
    """Makes batches."""

    def make(self, wanted: Iterable[Wanted]) -> Iterator[MadeBatch]:
        """Batches in their order, some of them ahead of who asks."""
        ...

    def close(self) -> None:
        """End all workers."""
        ...


class HereEngine:
    """Makes batches in the process that asks, when it asks."""

    def __init__(self, filling: Filling) -> None:
        self._filling = filling
        self._filler: tuple[int, Filler] | None = None
        self._layout: tuple[int, Layout] | None = None
        """Of the last batch, by its size: nearly all have the same."""

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_filler": None}

    def make(self, wanted: Iterable[Wanted]) -> Iterator[MadeBatch]:
        """One after the other, each in memory of its own."""
        for batch in wanted:
            size = len(batch.samples)
            if self._layout is None or self._layout[0] != size:
                self._layout = (size, self._filling.layout(size))
            arrays = {name: spec.empty() for name, spec in self._layout[1].items()}
            yield MadeBatch(arrays, self._open().fill(arrays, batch.part(slice(0, size))))

    def close(self) -> None:
        """Close the files."""
        self._filler = None

    def _open(self) -> Filler:
        """Opened by this very process: connections do not outlive a fork."""
        if self._filler is None or self._filler[0] != os.getpid():
            self._filler = (os.getpid(), ViewFiller(self._filling))
        return self._filler[1]


class RingEngine:
    """Has workers fill shared slots, which are given out as they are.

    Args:
        opener, arguments: of each worker's filler, see :class:`turntable.processes.crew.Crew`.
        layout: of a batch.
        workers: at least 1.
        pinned: whether the slots' memory is locked for a GPU.
        stall_s: a worker that is silent for longer, while it is waited for, is given up.
    """

    def __init__(
        self,
        opener: str,
        arguments: Mapping[str, Any],
        layout: Layout,
        workers: int,
        *,
        pinned: bool = False,
        stall_s: float = STALL_S,
    ) -> None:
        self._workers = workers
        fence = None
        if pinned:
            from turntable.loaders.engines.tensors import fence
        self._crew = Crew(
            opener, arguments, layout, workers=workers, ahead=AHEAD, fence=fence, stall_s=stall_s
        )
        if pinned:
            from turntable.loaders.engines.tensors import pin

            pin(self._crew.slots)

    @property
    def waited_s(self) -> float:
        """Time that the consumer has waited for batches, in all."""
        return self._crew.waited_s

    def make(self, wanted: Iterable[Wanted]) -> Iterator[MadeBatch]:
        """Each batch by all workers, its rows shared out among them."""
        jobs = (
            [batch.part(rows) for rows in parts_of(len(batch.samples), self._workers)] for batch in wanted
        )
        with closing(self._crew.run(jobs)) as filled:
            for job in filled:
                yield MadeBatch(job.arrays, tuple(view for report in job.reports for view in report))
                del job  # else its slot would be held until the next one is there

    def close(self) -> None:
        """End all workers."""
        self._crew.close()


class DataLoaderEngine:
    """Has the workers of a torch DataLoader make whole batches: it runs wherever torch does."""

    def __init__(self, filling: Filling, workers: int, *, spawn: bool) -> None:
        from torch import Generator
        from torch.utils.data import DataLoader

        self._schedule = _Schedule()
        self._loader = DataLoader(
            _BatchDataset(filling),  # pyright: ignore[reportArgumentType]
            batch_size=None,
            sampler=self._schedule,
            collate_fn=_unchanged,
            num_workers=workers,
            prefetch_factor=PREFETCH,
            persistent_workers=True,
            multiprocessing_context="spawn" if spawn else None,
            # Its own, else each epoch would draw a number from the generator that training uses.
            generator=Generator(),
        )

    def make(self, wanted: Iterable[Wanted]) -> Iterator[MadeBatch]:
        """Each batch by one worker."""
        self._schedule.wanted = wanted
        for tensors, corrupt in self._loader:
            yield MadeBatch({name: tensor.numpy() for name, tensor in tensors.items()}, corrupt)

    def close(self) -> None:
        """End all workers."""
        del self._loader


def _unchanged(batch: Any) -> Any:
    """Collate nothing: what workers make is a batch already."""
    return batch


class _BatchDataset:
    """Whole batches as items: what is wanted alone decides one, so workers need no state."""

    def __init__(self, filling: Filling) -> None:
        self._engine = HereEngine(filling)

    def __getitem__(self, wanted: Wanted) -> tuple[dict[str, Any], tuple[CorruptView, ...]]:
        from torch import from_numpy

        made = next(self._engine.make([wanted]))
        return {name: from_numpy(array) for name, array in made.arrays.items()}, made.corrupt


class _Schedule:
    """Which batches the DataLoader asks for next: a sampler that outlives its epochs."""

    wanted: Iterable[Wanted] = ()

    def __iter__(self) -> Iterator[Wanted]:
        return iter(self.wanted)
