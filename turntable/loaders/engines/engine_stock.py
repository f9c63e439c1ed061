"""The engines of a loader: one for each iteration that runs at the same time."""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

from turntable.loaders.engines.batch_engines import BatchEngine


class EngineStock:
    """The engines that a loader has made. An iteration borrows one, and the next iteration gets the same one.

    An iteration that begins while others run gets an engine of its own, so that none disturbs another. In a
    fork of the process, and in a pickled copy, the stock is empty: workers and open files stay behind.
    """

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._idle: list[BatchEngine] = []
        """Engines that no iteration uses, at most one."""
        self._lent: list[BatchEngine] = []
        self._waited_before_s = 0.0
        """Time in seconds that the consumer has waited for engines that are closed."""

    def __reduce__(self) -> "tuple[type[EngineStock], tuple[()]]":
        return EngineStock, ()

    @property
    def waited_s(self) -> float:
        """Total time in seconds that the consumer has waited for batches of pools of workers."""
        return self._waited_before_s + sum(engine.waited_s for engine in (*self._idle, *self._lent))

    @contextmanager
    def lend(self, make_engine: Callable[[], BatchEngine]) -> Generator[BatchEngine, None, None]:
        """Lend an engine for the duration of a block.

        Args:
            make_engine: Function that makes an engine, if none is idle.
        """
        engine = self._take_idle() or make_engine()
        self._lent.append(engine)
        try:
            yield engine
        finally:
            self._take_back(engine)

    def has(self, engine: BatchEngine) -> bool:
        """Return True if a lent engine can still be used: it is not closed, and this process has made it."""
        return self._owner == os.getpid() and any(other is engine for other in self._lent)

    def close(self) -> None:
        """End the workers of all engines, also of those that are lent."""
        self._forget_parent()
        engines, self._idle, self._lent = [*self._idle, *self._lent], [], []
        for engine in engines:
            self._close(engine)

    def _take_idle(self) -> BatchEngine | None:
        self._forget_parent()
        with suppress(IndexError):  # another thread may take it at the same time
            return self._idle.pop()
        return None

    def _take_back(self, engine: BatchEngine) -> None:
        if not self.has(engine):
            return
        self._lent.remove(engine)
        if self._idle:
            self._close(engine)
        else:
            self._idle.append(engine)

    def _close(self, engine: BatchEngine) -> None:
        self._waited_before_s += engine.waited_s
        engine.close()

    def _forget_parent(self) -> None:
        """Forget the engines of the process that this one is a fork of, without ending their workers."""
        if self._owner != os.getpid():
            self._owner, self._idle, self._lent = os.getpid(), [], []
