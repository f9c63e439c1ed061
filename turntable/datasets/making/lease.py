"""One run at a time where no lock is lifted by a kernel: a lease that is renewed while its holder lives."""

import json
import math
import os
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any, cast

from turntable.datasets.stores import Store
from turntable.errors import InvalidInputError, StoreError, shown

RENEW_S = 30.0
EXPIRES_S = 120.0
"""A lease that has not been renewed for so long is of a run that died."""
_MOST_BYTES = 64 << 10
"""The most of a lease that is read; it has a few hundred."""


@contextmanager
def held_lease(store: Store, name: str, alone: bool) -> Generator[None, None, None]:
    """Hold a lease for the time of a block, and remove it after.

    Two runs that begin in the same second may both be let in: what they make is the same, to the byte, so
    they waste time and nothing else.

    Args:
        store: In which it lies.
        name: Of the lease.
        alone: Whether no other lease in its folder may be held; a share needs only its own.

    Raises:
        InvalidInputError: Another run holds it; the message says which, and when it would expire.
    """
    folder = name.rpartition("/")[0]
    others = store.list(folder) if alone else (name, f"{folder}/run.json")
    for other in others:
        _refuse(store, other)
    _write(store, name)
    over = Event()
    renewing = Thread(target=_renew, args=(store, name, over), daemon=True)
    renewing.start()
    try:
        yield
    finally:
        over.set()
        renewing.join()
        store.delete(name)


def _refuse(store: Store, name: str) -> None:
    data = store.read(name, _MOST_BYTES)
    if data is None:
        return
    try:
        lease = cast("dict[str, Any]", json.loads(data))
        left = EXPIRES_S - (time.time() - float(lease["renewed"]))
        holder = f"process {shown(str(lease['process']))} on {shown(str(lease['host']))}"
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return  # of no run of ours
    if left > 0 and math.isfinite(left):
        raise InvalidInputError(
            f"{store.url}: another run is at work in it ({holder}); wait for it or stop it. If it was "
            f"killed, its lease ends in {left:.0f} s"
        )


def _write(store: Store, name: str) -> None:
    lease = {"host": socket.gethostname(), "process": os.getpid(), "renewed": time.time()}
    store.write(name, json.dumps(lease).encode())


def _renew(store: Store, name: str, over: Event) -> None:
    while not over.wait(RENEW_S):
        with suppress(StoreError):  # the next time may do
            _write(store, name)
