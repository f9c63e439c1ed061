"""What was used last, within bounds: meshes, pictures and answers that may be asked for again."""

from collections import OrderedDict
from typing import Generic, TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")


class Recent(Generic[_K, _V]):
    """What was used last, as much of it as fits.

    Args:
        most: Bytes in all; or items, where each is said to be of size 1.
    """

    def __init__(self, most: int) -> None:
        self._most, self._size = most, 0
        self._items = OrderedDict[_K, tuple[_V, int]]()

    def get(self, key: _K) -> _V | None:
        """An item, which is now the last one used; None where it is not kept."""
        found = self._items.get(key)
        if found is None:
            return None
        self._items.move_to_end(key)
        return found[0]

    def put(self, key: _K, value: _V, size: int) -> None:
        """Keep an item, and let go what was used longest ago; what is larger than all of it is not kept."""
        if size > self._most:
            return
        _, before = self._items.pop(key, (None, 0))
        self._items[key] = (value, size)
        self._size += size - before
        while self._size > self._most:
            _, (_, freed) = self._items.popitem(last=False)
            self._size -= freed
