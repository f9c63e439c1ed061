"""The base class of loaders: iterating over the batches of epochs, and saving and resuming the position."""

import hashlib
import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from turntable.errors import IntegrityError, InvalidInputError
from turntable.extras import check_installed, explain_import_errors, is_installed
from turntable.loaders.argument_checks import check_epoch, check_integer
from turntable.loaders.engines.batch_engines import BatchEngine, BatchRequest, RawBatch
from turntable.loaders.engines.batch_plan import BatchPlan
from turntable.loaders.engines.engine_stock import EngineStock
from turntable.loaders.engines.view_filler import CorruptView
from turntable.loaders.fields import NamedArrays
from turntable.loaders.sampling import IntArray, Sampler, Samples, ViewSelection

if TYPE_CHECKING:  # it imports torch
    from turntable.loaders.engines.batch_dataset import BatchDataset

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

    Several iterations can run at the same time: each has workers of its own, and all give the epoch that the
    loader was at when they began. The position of the loader is that of the iteration that began last.

    In a fork, and after ``close``, an iteration goes on with new workers where it was.

    Args:
        name: Name of the data, for messages.
        fingerprint: Fingerprint of the data; a state of other data is refused.
        order: Order of the samples.
        make_plan: Function that returns the division of the samples into batches and ranks. It is called for
            each iteration again, because ranks may be known only after the loader was made.
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
        make_plan: Callable[[], BatchPlan],
        *,
        output: Output,
        pin_memory: bool,
        max_corrupt_views: int,
    ) -> None:
        if output == "torch":
            check_installed("torch", 'or take arrays, with BatchConfig(output="numpy")')
        self._name, self._fingerprint = name, fingerprint
        self._order, self._make_plan, self._plan = order, make_plan, make_plan()
        self._output: Output = output
        self._pin_memory, self._max_corrupt_views = pin_memory and _has_gpu(), max_corrupt_views
        self.corrupt_views: dict[tuple[int, int], CorruptView] = {}
        """Unreadable views met so far, by (row of the object, number of the view)."""
        self._position, self._is_resuming = _Position(), False
        self._latest_samples: tuple[int, Samples] | None = None
        self._engines = EngineStock()
        self._plan.check_num_samples(self.num_samples)

    @abstractmethod
    def _make_engine(self) -> BatchEngine:
        """Make the engine that makes the batches."""

    @abstractmethod
    def _name_arrays(self, raw: RawBatch, num_rows: int) -> NamedArrays:
        """Return the first rows of a batch's arrays under the names that users know."""

    def _make_request(self, samples: Samples, epoch: int, positions: IntArray) -> BatchRequest:
        """Make the request of a batch of the samples at some positions of an epoch."""
        return BatchRequest.from_positions(samples, epoch, positions)

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

    # Not ``sampler``: trainers of other libraries take an object with that for a DataLoader of torch.
    @property
    def view_sampler(self) -> Sampler:
        """Sampler that picks the views of a sample."""
        return self._order.sampler

    @property
    def num_samples(self) -> int:
        """Number of samples in an epoch, for all ranks together."""
        return self.view_sampler.count_samples(self._order.selection)

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
        self._update_plan()
        return self._plan.rank_batch_size

    @property
    def world_size(self) -> int:
        """Number of ranks that share a batch."""
        self._update_plan()
        return self._plan.world_size

    @property
    def epoch(self) -> int:
        """Number of the epoch that the position of the loader is in, from 0."""
        return self._position.epoch

    @property
    def waited_s(self) -> float:
        """Total time in seconds that the consumer has waited for batches; 0 without a pool of workers."""
        return self._engines.waited_s

    def get_samples(self, epoch: int) -> Samples:
        """Return all samples of an epoch, in order. Those of the latest epoch are cached."""
        epoch = check_epoch(epoch)
        if self._latest_samples is None or self._latest_samples[0] != epoch:
            order = self._order
            self._latest_samples = (
                epoch,
                self.view_sampler.draw_samples(order.selection, order.window_shards, order.seed, epoch),
            )
        return self._latest_samples[1]

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration. Setting the current epoch again changes nothing.

        Raises:
            InvalidInputError: It is no whole number from 0.
        """
        epoch = check_epoch(epoch)
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
            InvalidInputError: The epoch or ``start_batch`` is out of range.
        """
        epoch, start_batch = check_epoch(epoch), check_integer("start_batch", start_batch)
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
        self._position, self._is_resuming = _Position(*self.read_state(state)), True

    def read_state(self, state: Mapping[str, Any]) -> tuple[int, int]:
        """Read the epoch of a state, and the number of samples that were consumed, without resuming there.

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
        return epoch, num_samples

    def as_iterable_dataset(self, *, per_rank: bool = False) -> "BatchDataset":
        """Return the batches as an ``IterableDataset``, for torch's ``DataLoader`` with ``batch_size=None``.

        For trainers that want a DataLoader, such as those built on accelerate. It keeps the loader's workers,
        order, length and position (``state_dict``, ``set_epoch``).

        Args:
            per_rank: True for the batches of this rank alone, where nothing divides them among ranks again.
                With several ranks it must be True.
        """
        from turntable.loaders.engines.batch_dataset import BatchDataset

        return BatchDataset(self, per_rank=per_rank)

    def close(self) -> None:
        """End all workers. An iteration, also one that was begun before, starts new ones."""
        self._engines.close()

    def _start_iteration(self, epoch: int, start: int) -> Iterator[dict[str, Any]]:
        self._update_plan()
        self._position, self._is_resuming = _Position(epoch, start), False
        return self._iterate(self._position, self._plan)

    def _update_plan(self) -> None:
        """Divide batches among the ranks that there are now."""
        plan = self._make_plan()
        if plan != self._plan:
            self._engines.close()  # they have the layout of other batches
            self._plan = plan

    def _iterate(self, position: _Position, plan: BatchPlan) -> Iterator[dict[str, Any]]:
        """Yield the rest of an epoch, and move the position on before each batch is yielded."""
        samples = self.get_samples(position.epoch)
        positions_by_batch = list(plan.iter_positions(len(samples), position.num_samples))
        with closing(self._make_raw_batches(samples, position.epoch, positions_by_batch)) as raw_batches:
            for positions in positions_by_batch:
                batch = self._complete_batch(next(raw_batches), len(positions))
                if plan.last_batch == "pad":
                    batch |= self._to_output({"padding": positions >= len(samples)})
                position.num_samples += plan.batch_size
                if positions is positions_by_batch[-1]:
                    # The epoch ends with its last batch. A caller that counts batches never asks for one
                    # more, so code after this loop would not run.
                    position.epoch, position.num_samples = position.epoch + 1, 0
                yield batch
                del batch  # or its slot would be held until the next batch is done
        if not positions_by_batch:
            position.epoch, position.num_samples = position.epoch + 1, 0

    def _make_raw_batches(
        self, samples: Samples, epoch: int, positions_by_batch: Sequence[IntArray]
    ) -> Generator[RawBatch, None, None]:
        """Yield the batches. Where an engine cannot be used any more, another one goes on."""
        num_done = 0
        while num_done < len(positions_by_batch):
            with self._engines.lend(self._make_engine) as engine:
                requests = self._iter_requests(samples, epoch, positions_by_batch[num_done:])
                with closing(engine.make_batches(requests)) as batches:
                    while num_done < len(positions_by_batch) and self._engines.has(engine):
                        num_done += 1
                        yield next(batches)

    def _iter_requests(
        self, samples: Samples, epoch: int, positions_by_batch: Iterable[IntArray]
    ) -> Iterator[BatchRequest]:
        with self._prefetch_samples(samples) as advance_to:
            for positions in positions_by_batch:
                advance_to(int(positions[-1] % len(samples)))
                yield self._make_request(samples, epoch, positions)

    def _complete_batch(self, raw: RawBatch, num_rows: int) -> dict[str, Any]:
        """Return a batch as users get it, with the first rows of the raw one."""
        self._record_corrupt_views(raw.corrupt)
        return self._to_output(self._name_arrays(raw, num_rows), pinned=raw.pinned)

    def _to_output(self, arrays: NamedArrays, *, pinned: bool = False) -> dict[str, Any]:
        if self._output == "numpy":
            return arrays
        from turntable.loaders.engines.tensors import as_tensors

        tensors = as_tensors(arrays)
        if self._pin_memory and not pinned:
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
