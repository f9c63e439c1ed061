"""Single samples by index, for data loaders of other libraries."""

from typing import Any

import numpy as np

from turntable.loaders.loader import Loader


class ItemDataset:
    """A map-style data set of the samples of a :class:`Loader`, for torch's DataLoader and similar loaders.

    Item i is sample i of the epoch that was set last. Items are in random order already, so do not shuffle
    them again. Iterating over the ``Loader`` itself is several times faster.

    Args:
        loader: Loader that provides the samples. Its batch size, ranks and workers are not used.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader, self._epoch = loader, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that items come from.

        The persistent workers of a DataLoader have a copy of this object and do not notice the change.
        """
        self._epoch = epoch

    def __len__(self) -> int:
        return self._loader.num_samples

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return one sample: the fields of a batch without their first axis."""
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        batch = self._loader.load_batch(self._epoch, np.array([index]))
        return {name: values[0] for name, values in batch.items()}
