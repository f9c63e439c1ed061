"""A cache with a bounded size that drops its least recently used items."""

from collections import OrderedDict
from typing import Generic, TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")


class LRUCache(Generic[_K, _V]):
    """A mapping with a bounded total size; when it is full, the least recently used items go first.

    Args:
        max_size: Largest total size of the items: a number of bytes, or a number of items if each is put with
            size 1.
    """

    def __init__(self, max_size: int) -> None:
        self._max_size, self._size = max_size, 0
        self._items = OrderedDict[_K, tuple[_V, int]]()

    def get(self, key: _K) -> _V | None:
        """Return an item and mark it as used just now; None if it is not in the cache."""
        entry = self._items.get(key)
        if entry is None:
            return None
        self._items.move_to_end(key)
        return entry[0]

    def put(self, key: _K, value: _V, size: int) -> None:
        """Store an item and drop the least recently used ones until all fit.

        An item larger than the whole cache is not stored.
        """
        if size > self._max_size:
            return
        _, old_size = self._items.pop(key, (None, 0))
        self._items[key] = (value, size)
        self._size += size - old_size
        while self._size > self._max_size:
            _, (_, freed) = self._items.popitem(last=False)
            self._size -= freed

    def clear(self) -> None:
        """Drop all items."""
        self._items.clear()
        self._size = 0
