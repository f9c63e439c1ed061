"""The batches of a loader as a data set of torch, for trainers that want a DataLoader."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from torch.utils.data import IterableDataset, get_worker_info

from turntable.errors import InvalidInputError
from turntable.loaders.argument_checks import check_epoch


class BatchSource(Protocol):
    """The part of a loader that a ``BatchDataset`` uses."""

    @property
    def epoch(self) -> int:
        """Number of the epoch that the position is in."""
        ...

    @property
    def world_size(self) -> int:
        """Number of ranks that share a batch."""
        ...

    def __iter__(self) -> Iterator[dict[str, Any]]: ...

    def __len__(self) -> int: ...

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return the position."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume where a state was taken."""
        ...


class BatchDataset(IterableDataset[dict[str, Any]]):
    """The batches of a loader, as items that a DataLoader passes on unchanged (``batch_size=None``).

    Args:
        loader: Loader of the batches.
        per_rank: True if these are the batches of this rank alone.
    """

    def __init__(self, loader: BatchSource, *, per_rank: bool) -> None:
        self._loader, self._per_rank = loader, per_rank
        self._latest_epoch = self._shift = 0
        """The epoch set last as the caller counts, and the difference of the loader's own number."""
        self._is_resuming = False

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return len(self._loader)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Iterate over the rest of the current epoch.

        Raises:
            InvalidInputError: This is a worker of a DataLoader, or batches would be divided twice.
        """
        if get_worker_info() is not None:
            raise InvalidInputError(
                "each worker of this DataLoader would give all batches: use num_workers=0 there, and "
                "BatchConfig(num_workers=...) for workers of the loader's own"
            )
        if self._loader.world_size > 1 and not self._per_rank:
            raise InvalidInputError(
                f"the loader divides each batch among {self._loader.world_size} ranks itself, and accelerate "
                "divides the batches of a prepared DataLoader again. Use as_iterable_dataset(per_rank=True) "
                "with a DataLoader that nothing divides (docs/other-libraries.md shows how), or make the "
                "loader with BatchConfig(rank=0, world_size=1, ...)"
            )
        self._is_resuming = False
        return iter(self._loader)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration.

        Some trainers count epochs from 0 again when they resume. So the first epoch that is set after a state
        was loaded stands for the epoch of that state, and later ones follow it.

        Raises:
            InvalidInputError: It is no whole number from 0.
        """
        self._latest_epoch = check_epoch(epoch)
        if self._is_resuming:
            self._shift = self._loader.epoch - epoch
        self._loader.set_epoch(epoch + self._shift)

    def state_dict(self) -> dict[str, Any]:
        """Return the position of the loader, as plain values."""
        return self._loader.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume where a state was taken.

        Raises:
            InvalidInputError: It is the state of other data, another seed or another order.
        """
        self._loader.load_state_dict(state)
        self._is_resuming, self._shift = True, self._loader.epoch - self._latest_epoch
