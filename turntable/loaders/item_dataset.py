"""Single samples by index, for data loaders of other libraries."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from turntable.loaders.argument_checks import check_epoch, check_integer, check_type
from turntable.loaders.loader import Loader
from turntable.processes import SharedNumber


class ItemDataset:
    """A map-style data set of the samples of a :class:`Loader`, for torch's DataLoader and similar loaders.

    Item i is sample i of the epoch that was set last. Items are in random order already, so do not shuffle
    them again. Iterating over the ``Loader`` itself is several times faster.

    The epoch is shared with the copies in forks and in processes that multiprocessing has started, such as
    the workers of a DataLoader.

    Args:
        loader: Loader that provides the samples. Its batch size, ranks and workers are not used.

    Raises:
        InvalidInputError: It is no ``Loader``.
    """

    def __init__(self, loader: Loader) -> None:
        check_type("loader", loader, Loader, "give a Loader; only stored samples can be read one by one")
        self._loader, self._epoch = loader, SharedNumber(0)

    @property
    def epoch(self) -> int:
        """Number of the epoch that items come from, from 0."""
        return self._epoch.get()

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that items come from. Workers that run already change to it too.

        Raises:
            InvalidInputError: It is no whole number from 0.
        """
        self._epoch.set(check_epoch(epoch))

    def state_dict(self) -> dict[str, Any]:
        """Return the epoch with all that decides its samples, as plain values; torchdata stores it."""
        return {**self._loader.state_dict(), "epoch": self.epoch, "samples": 0}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Choose the epoch of a state.

        Raises:
            InvalidInputError: It is the state of other data, another seed or another order.
        """
        self.set_epoch(self._loader.read_state(state)[0])

    def __len__(self) -> int:
        return self._loader.num_samples

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return one sample: the fields of a batch without their first axis."""
        index = check_integer("index", index)
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        batch = self._loader.load_batch(self.epoch, np.array([index]))
        return {name: values[0] for name, values in batch.items()}
