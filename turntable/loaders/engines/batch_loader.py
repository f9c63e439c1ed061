"""The base class of loaders: iterating over the batches of epochs, and saving and resuming the position."""

import hashlib
import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from turntable.errors import IntegrityError, InvalidInputError
from turntable.extras import check_installed, explain_import_errors, is_installed
from turntable.loaders.engines.batch_engines import BatchEngine, BatchRequest, RawBatch, SharedMemoryEngine
from turntable.loaders.engines.batch_plan import BatchPlan
from turntable.loaders.engines.view_filler import CorruptView
from turntable.loaders.fields import NamedArrays
from turntable.loaders.sampling import IntArray, Sampler, Samples, ViewSelection

Output = Literal["torch", "numpy"]

_LOG = logging.getLogger("turntable.loaders")
_STATE_FORMAT = 1
_MUST_MATCH = {
    "format": "another version of turntable",
    "fingerprint": "other data",
    "seed": "another seed",
    "order": "another split, sampler, filter or window_shards",
}
"""Keys of a state whose values must equal the loader's, each with words for a state that differs."""


@dataclass(slots=True)
class _Position:
    """The position of the consumer."""

    epoch: int = 0
    num_samples: int = 0
    """Number of samples of the epoch that all ranks together have consumed."""


@dataclass(frozen=True, slots=True)
class SampleOrder:
    """All that decides which samples come in which order."""

    selection: ViewSelection
    sampler: Sampler
    seed: int
    window_shards: int | None
    """Number of shards that samples are drawn from at a time; None: all of them."""
    split: str
    condition: str | None = None
    """Condition on the labels of views, as text; None: all views."""

    @property
    def digest(self) -> str:
        """Hash of the order, without the seed, which a state stores by itself."""
        text = f"{self.split}\0{self.sampler!r}\0{self.window_shards}\0{self.condition or ''}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class BatchLoader(ABC):
    """An iterable of batches, epoch by epoch, that can start at any position.

    Args:
        name: Name of the data, for messages.
        fingerprint: Fingerprint of the data; a state of other data is refused.
        order: Order of the samples.
        plan: Division of the samples into batches.
        output: "torch" for tensors, "numpy" for arrays.
        pin_memory: True to lock the memory of batches, for faster copies to a GPU; without a GPU it has no
            effect.
        max_corrupt_views: Number of unreadable views that are tolerated.

    Raises:
        InvalidInputError: An argument is wrong, or an epoch has less than one batch.
        MissingExtraError: ``output`` is "torch", and torch is not installed.
    """

    def __init__(
        self,
        name: str,
        fingerprint: str,
        order: SampleOrder,
        plan: BatchPlan,
        *,
        output: Output,
        pin_memory: bool,
        max_corrupt_views: int,
    ) -> None:
        if output == "torch":
            check_installed("torch", 'or take arrays, with BatchConfig(output="numpy")')
        self._name, self._fingerprint = name, fingerprint
        self._order, self._plan = order, plan
        self._output: Output = output
        self._pin_memory, self._max_corrupt_views = pin_memory and _has_gpu(), max_corrupt_views
        self.corrupt_views: dict[tuple[int, int], CorruptView] = {}
        """Unreadable views met so far, by (row of the object, number of the view)."""
        self._position, self._is_resuming = _Position(), False
        self._latest_samples: tuple[int, Samples] | None = None
        self._running_engine: BatchEngine | None = None
        plan.check_num_samples(self.num_samples)

    @abstractmethod
    def _make_engine(self) -> BatchEngine:
        """Make the engine that makes the batches."""

    @abstractmethod
    def _name_arrays(self, raw: RawBatch, num_rows: int) -> NamedArrays:
        """Return the first rows of a batch's arrays under the names that users know."""

    @contextmanager
    def _prefetch_samples(self, samples: Samples) -> Generator[Callable[[int], None], None, None]:
        """Prepare samples ahead of their use. The base class does nothing.

        Args:
            samples: All samples of the epoch.

        Yields:
            A function to call with the position of the sample that is requested next.
        """
        del samples
        yield _ignore_position

    def __len__(self) -> int:
        """Return the number of batches of an epoch, for each rank."""
        return self._plan.count_batches(self.num_samples)

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the data; it changes with objects, labels and images."""
        return self._fingerprint

    @property
    def sampler(self) -> Sampler:
        """Sampler that picks the views of a sample."""
        return self._order.sampler

    @property
    def num_samples(self) -> int:
        """Number of samples in an epoch, for all ranks together."""
        return self.sampler.count_samples(self._order.selection)

    @property
    def num_objects(self) -> int:
        """Number of objects that samples are drawn from."""
        return len(self._order.selection)

    @property
    def batch_size(self) -> int:
        """Number of samples in a batch of all ranks together."""
        return self._plan.batch_size

    @property
    def rank_batch_size(self) -> int:
        """Number of samples of a batch that this rank gets."""
        return self._plan.rank_batch_size

    @property
    def waited_s(self) -> float:
        """Total time in seconds that the consumer has waited for batches; 0 without a pool of workers."""
        return self._running_engine.waited_s if isinstance(self._running_engine, SharedMemoryEngine) else 0.0

    def get_samples(self, epoch: int) -> Samples:
        """Return all samples of an epoch, in order. Those of the latest epoch are cached."""
        if self._latest_samples is None or self._latest_samples[0] != epoch:
            order = self._order
            self._latest_samples = (
                epoch,
                self.sampler.draw_samples(order.selection, order.window_shards, order.seed, epoch),
            )
        return self._latest_samples[1]

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration. Setting the current epoch again changes nothing."""
        if epoch != self._position.epoch:
            self._position, self._is_resuming = _Position(epoch), False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        # A generator, so that an iteration begins with its first batch. Some callers make iterators that they
        # never use; those must not reset the position.
        yield from self._start_iteration(
            self._position.epoch, self._position.num_samples if self._is_resuming else 0
        )

    def iter_batches(self, epoch: int, start_batch: int = 0) -> Iterator[dict[str, Any]]:
        """Iterate over the batches of an epoch from a given one on. Earlier batches are not read.

        Args:
            epoch: Number of the epoch, from 0.
            start_batch: Number of batches that each rank has consumed already, from 0 to ``len``.

        Raises:
            InvalidInputError: ``start_batch`` is out of range.
        """
        if not 0 <= start_batch <= len(self):
            raise InvalidInputError(f"start_batch {start_batch}: an epoch has {len(self)} batches")
        return self._start_iteration(epoch, start_batch * self._plan.batch_size)

    def state_dict(self) -> dict[str, Any]:
        """Return the position of the consumer, as plain values.

        Take it between batches; batches made ahead do not count. The state is the same on all ranks, and
        loads with any number of ranks and workers.
        """
        return {
            "format": _STATE_FORMAT,
            "fingerprint": self._fingerprint,
            "order": self._order.digest,
            "seed": self._order.seed,
            "epoch": self._position.epoch,
            "samples": self._position.num_samples,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume where a state was taken. The next iteration gives the rest of its epoch.

        Args:
            state: A value of ``state_dict``.

        Raises:
            InvalidInputError: It is the state of other data, another seed or another order.
        """
        try:
            epoch, num_samples = int(state["epoch"]), int(state["samples"])
            given = {name: state[name] for name in _MUST_MATCH}
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(f"this is not the state of a loader ({error!r})") from None
        expected = self.state_dict()
        for name, difference in _MUST_MATCH.items():
            if given[name] != expected[name]:
                raise InvalidInputError(
                    f"the state is of {difference}: its {name} is {given[name]!r}, this loader's is "
                    f"{expected[name]!r}; make the loader with the settings of the state"
                )
        if epoch < 0 or not 0 <= num_samples < self.num_samples + self._plan.batch_size:
            raise InvalidInputError(
                f"the state is at epoch {epoch}, sample {num_samples}, but an epoch has {self.num_samples} "
                "samples"
            )
        self._position, self._is_resuming = _Position(epoch, num_samples), True

    def __getstate__(self) -> dict[str, Any]:
        # Workers and open files stay in this process.
        return {**self.__dict__, "_running_engine": None}

    def close(self) -> None:
        """End all workers. The next iteration starts new ones."""
        if self._running_engine is not None:
            self._running_engine.close()
            self._running_engine = None

    def _start_iteration(self, epoch: int, start: int) -> Iterator[dict[str, Any]]:
        self._position, self._is_resuming = _Position(epoch, start), False
        return self._iterate(self._position)

    def _iterate(self, position: _Position) -> Iterator[dict[str, Any]]:
        """Yield the rest of an epoch, and move the position on before each batch is yielded."""
        samples = self.get_samples(position.epoch)
        positions_by_batch = list(self._plan.iter_positions(len(samples), position.num_samples))
        raw_batches = self._engine.make_batches(
            self._iter_requests(samples, position.epoch, positions_by_batch)
        )
        for positions, raw in zip(positions_by_batch, raw_batches, strict=True):
            self._record_corrupt_views(raw.corrupt)
            arrays = self._name_arrays(raw, len(positions))
            del raw  # or its slot would be held until the next batch is done
            if self._plan.last_batch == "pad":
                arrays["padding"] = positions >= len(samples)
            position.num_samples += self._plan.batch_size
            if positions is positions_by_batch[-1]:
                # The epoch ends with its last batch. A caller that counts batches never asks for one more, so
                # code after this loop would not run.
                position.epoch, position.num_samples = position.epoch + 1, 0
            yield self._to_output(arrays)
            del arrays
        if not positions_by_batch:
            position.epoch, position.num_samples = position.epoch + 1, 0

    def _iter_requests(
        self, samples: Samples, epoch: int, positions_by_batch: Iterable[IntArray]
    ) -> Iterator[BatchRequest]:
        with self._prefetch_samples(samples) as advance_to:
            for positions in positions_by_batch:
                request = BatchRequest.from_positions(samples, epoch, positions)
                advance_to(int(request.positions[-1]))
                yield request

    def _to_output(self, arrays: NamedArrays) -> dict[str, Any]:
        if self._output == "numpy":
            return arrays
        from turntable.loaders.engines.tensors import as_tensors

        tensors = as_tensors(arrays)
        if self._pin_memory and not isinstance(self._engine, SharedMemoryEngine):
            return {name: tensor.pin_memory() for name, tensor in tensors.items()}
        return tensors

    def _record_corrupt_views(self, corrupt: Iterable[CorruptView]) -> None:
        """Log and count unreadable views.

        Raises:
            IntegrityError: There are more than ``max_corrupt_views``.
        """
        for view in corrupt:
            if (view.object, view.view) not in self.corrupt_views:
                self.corrupt_views[view.object, view.view] = view
                _LOG.warning("replaced by another view: %s", view.reason)
        if len(self.corrupt_views) > self._max_corrupt_views:
            first = next(iter(self.corrupt_views.values()))
            raise IntegrityError(
                f"{self._name}: {len(self.corrupt_views)} views are unusable, and max_corrupt_views allows "
                f"{self._max_corrupt_views}; the first: {first.reason}"
            )

    @property
    def _engine(self) -> BatchEngine:
        if self._running_engine is None:
            self._running_engine = self._make_engine()
        return self._running_engine


def _has_gpu() -> bool:
    if not is_installed("torch"):
        return False
    with explain_import_errors("torch"):
        import torch
    return torch.cuda.is_available()


def _ignore_position(position: int) -> None:
    del position


def resolve_ranks(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """Return the rank and the world size: those given, those of torch.distributed, or (0, 1).

    torch.distributed is asked only if it is imported and initialized already: this does not import torch.
    """
    if rank is not None and world_size is not None:
        return rank, world_size
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1
