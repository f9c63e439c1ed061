"""Iterating over the batches of epochs, the position there, and its state: common to all loaders."""

import hashlib
import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from turntable.errors import IntegrityError, InvalidInputError
from turntable.loaders.engines.batches import BatchPlan
from turntable.loaders.engines.engines import BatchEngine, MadeBatch, RingEngine, Wanted
from turntable.loaders.engines.filling import CorruptView
from turntable.loaders.fields import Named
from turntable.loaders.sampling import IntArray, Sampler, Samples, Selection

Output = Literal["torch", "numpy"]

_LOG = logging.getLogger("turntable.loaders")
_STATE_FORMAT = 1
_MUST_AGREE = {
    "format": "another version of turntable",
    "fingerprint": "other data",
    "seed": "another seed",
    "order": "another split, sampler, filter or window_shards",
}


@dataclass(slots=True)
class _Position:
    """Where the consumer is."""

    epoch: int = 0
    samples: int = 0
    """That all ranks together have consumed of the epoch."""


@dataclass(frozen=True, slots=True)
class Order:
    """What decides which samples come when."""

    selection: Selection
    sampler: Sampler
    seed: int
    window: int | None
    """Shards that are open at once; None: all of them."""
    split: str
    where: str | None = None

    @property
    def digest(self) -> str:
        """Changes with all of it but the seed, which has a place of its own in a state."""
        decided = f"{self.split}\0{self.sampler!r}\0{self.window}\0{self.where or ''}"
        return hashlib.sha256(decided.encode()).hexdigest()[:16]


class BatchLoader(ABC):
    """Batches of samples: iterable, epoch by epoch, from any position on.

    Args:
        name: of what is loaded, for messages.
        fingerprint: of what is loaded: a state of another one is refused.
        order: what decides the samples.
        plan: how they make batches.
        output: "torch" for tensors, "numpy" for arrays.
        pin_memory: for faster copies to a GPU; without one it does nothing.
        max_corrupt_views: so many views may have to be replaced.

    Raises:
        InvalidInputError: an argument cannot be right, or an epoch has not one batch.
    """

    def __init__(
        self,
        name: str,
        fingerprint: str,
        order: Order,
        plan: BatchPlan,
        *,
        output: Output,
        pin_memory: bool,
        max_corrupt_views: int,
    ) -> None:
        self._name, self._fingerprint = name, fingerprint
        self._order, self._plan = order, plan
        self._output: Output = output
        self._pinned, self._most_corrupt = pin_memory and _has_gpu(), max_corrupt_views
        self.corrupt_views: dict[tuple[int, int], CorruptView] = {}
        """Those met so far, by row of the object and number of the view."""
        self._position, self._resume = _Position(), False
        self._latest: tuple[int, Samples] | None = None
        self._started: BatchEngine | None = None
        plan.check(self.num_samples)

    @abstractmethod
    def _make_engine(self) -> BatchEngine:
        """What makes batches."""

    @abstractmethod
    def _named(self, made: MadeBatch, rows: int) -> Named:
        """The first rows of a batch's arrays under the names that users know."""

    @contextmanager
    def _ahead_of(self, samples: Samples) -> Generator[Callable[[int], None], None, None]:
        """While samples are made: is told the position of the next ones, to make ready for them."""
        del samples
        yield _nothing

    def __len__(self) -> int:
        """Batches in a whole epoch, of each rank."""
        return self._plan.count(self.num_samples)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of what is loaded: it changes with objects, labels and pictures."""
        return self._fingerprint

    @property
    def sampler(self) -> Sampler:
        """Which views make a sample."""
        return self._order.sampler

    @property
    def num_samples(self) -> int:
        """In an epoch, of all ranks together."""
        return self.sampler.count(self._order.selection)

    @property
    def num_objects(self) -> int:
        """That are drawn from."""
        return len(self._order.selection)

    @property
    def batch_size(self) -> int:
        """Samples in a batch of all ranks together."""
        return self._plan.batch_size

    @property
    def rows(self) -> int:
        """Samples of a batch that this rank gets."""
        return self._plan.rows

    @property
    def waited_s(self) -> float:
        """Seconds that the ring's consumer has waited for batches, in all; 0 for other engines."""
        return self._started.waited_s if isinstance(self._started, RingEngine) else 0.0

    def samples(self, epoch: int) -> Samples:
        """All samples of an epoch in their order; the latest is kept."""
        if self._latest is None or self._latest[0] != epoch:
            order = self._order
            self._latest = (epoch, self.sampler.samples(order.selection, order.window, order.seed, epoch))
        return self._latest[1]

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that iteration gives next; choosing the one that it is at changes nothing."""
        if epoch != self._position.epoch:
            self._position, self._resume = _Position(epoch), False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        # Only when its first batch is asked for does an iteration begin: some ask for iterators in vain.
        yield from self._from(self._position.epoch, self._position.samples if self._resume else 0)

    def batches(self, epoch: int, start_batch: int = 0) -> Iterator[dict[str, Any]]:
        """The batches of an epoch from one on: a run resumes where it stopped, without reading what was.

        Args:
            epoch: counted from 0.
            start_batch: batches of each rank already consumed, 0 to ``len``.
        """
        if not 0 <= start_batch <= len(self):
            raise InvalidInputError(f"start_batch {start_batch}: an epoch has {len(self)} batches")
        return self._from(epoch, start_batch * self._plan.batch_size)

    def state_dict(self) -> dict[str, Any]:
        """Where the consumer is: all that is needed to go on, on any number of ranks and workers.

        Take it between batches; batches made ahead are not counted. All ranks have the same state.
        """
        return {
            "format": _STATE_FORMAT,
            "fingerprint": self._fingerprint,
            "order": self._order.digest,
            "seed": self._order.seed,
            "epoch": self._position.epoch,
            "samples": self._position.samples,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a state was taken: the next iteration gives the rest of its epoch.

        Raises:
            InvalidInputError: it is of other data, another seed, or another order.
        """
        try:
            epoch, samples = int(state["epoch"]), int(state["samples"])
            theirs = {name: state[name] for name in _MUST_AGREE}
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(f"this is not the state of a loader ({error!r})") from None
        ours = self.state_dict()
        for name, what in _MUST_AGREE.items():
            if theirs[name] != ours[name]:
                raise InvalidInputError(
                    f"the state is of {what}: its {name} is {theirs[name]!r}, this loader's {ours[name]!r}; "
                    "make the loader as it was"
                )
        if epoch < 0 or not 0 <= samples < self.num_samples + self._plan.batch_size:
            raise InvalidInputError(f"epoch {epoch}, {samples} samples: an epoch has {self.num_samples}")
        self._position, self._resume = _Position(epoch, samples), True

    def __getstate__(self) -> dict[str, Any]:
        # Neither workers nor open files go to another process.
        return {**self.__dict__, "_started": None}

    def close(self) -> None:
        """End all workers; iterating again starts them anew."""
        if self._started is not None:
            self._started.close()
            self._started = None

    def _from(self, epoch: int, start: int) -> Iterator[dict[str, Any]]:
        self._position, self._resume = _Position(epoch, start), False
        return self._iterate(self._position)

    def _iterate(self, position: _Position) -> Iterator[dict[str, Any]]:
        samples = self.samples(position.epoch)
        taken = list(self._plan.positions(len(samples), position.samples))
        made = self._engine.make(self._wanted(samples, position.epoch, taken))
        for positions, batch in zip(taken, made, strict=True):
            self._count(batch.corrupt)
            named = self._named(batch, len(positions))
            del batch  # else its slot would be held until the next one is there
            if self._plan.last == "pad":
                named["padding"] = positions >= len(samples)
            position.samples += self._plan.batch_size
            if positions is taken[-1]:
                # Now, not when one more is asked for: who counts batches does not ask.
                position.epoch, position.samples = position.epoch + 1, 0
            yield self._delivered(named)
            del named
        if not taken:
            position.epoch, position.samples = position.epoch + 1, 0

    def _wanted(self, samples: Samples, epoch: int, taken: Iterable[IntArray]) -> Iterator[Wanted]:
        with self._ahead_of(samples) as make_ready:
            for positions in taken:
                wanted = Wanted.at(samples, epoch, positions)
                make_ready(int(wanted.positions[-1]))
                yield wanted

    def _delivered(self, named: Named) -> dict[str, Any]:
        if self._output == "numpy":
            return named
        from turntable.loaders.engines.tensors import as_tensors

        tensors = as_tensors(named)
        if self._pinned and not isinstance(self._engine, RingEngine):
            return {name: tensor.pin_memory() for name, tensor in tensors.items()}
        return tensors

    def _count(self, corrupt: Iterable[CorruptView]) -> None:
        for view in corrupt:
            if (view.object, view.view) not in self.corrupt_views:
                self.corrupt_views[view.object, view.view] = view
                _LOG.warning("replaced by another view: %s", view.reason)
        if len(self.corrupt_views) > self._most_corrupt:
            first = next(iter(self.corrupt_views.values()))
            raise IntegrityError(
                f"{self._name}: {len(self.corrupt_views)} views cannot be had, at most "
                f"{self._most_corrupt} may be missing (max_corrupt_views); the first: {first.reason}"
            )

    @property
    def _engine(self) -> BatchEngine:
        if self._started is None:
            self._started = self._make_engine()
        return self._started


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _nothing(position: int) -> None:
    del position


def ranks(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """As given; where neither is, as torch.distributed says, if somebody has loaded and started it."""
    if rank is not None and world_size is not None:
        return rank, world_size
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1
