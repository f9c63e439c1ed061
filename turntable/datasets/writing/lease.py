"""Exclusive access to a place in an object store, by a lease that its holder renews and that expires."""

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
from turntable.errors import InvalidInputError, StoreError, format_text

RENEW_S = 30.0
EXPIRES_S = 120.0
"""Time in seconds after which a lease that was not renewed counts as that of a dead run."""
_MAX_BYTES = 64 << 10
"""Maximum number of bytes of a lease that are read. A lease has a few hundred."""


@contextmanager
def hold_lease(store: Store, name: str, exclusive: bool) -> Generator[None, None, None]:
    """Hold a lease for the time of a block, and delete it afterwards.

    Two runs that begin within the same second may both get the lease. They make the same bytes, so they only
    waste time.

    Args:
        store: Store that holds the lease.
        name: Name of the lease's object.
        exclusive: True if no other lease in its folder may be held; False for the share of a job, which
            excludes only itself and a whole run.

    Raises:
        InvalidInputError: Another run holds the lease. The message names it and says when it would expire.
    """
    folder = name.rpartition("/")[0]
    others = store.list(folder) if exclusive else (name, f"{folder}/run.json")
    for other in others:
        _check_not_held(store, other)
    _write_lease(store, name)
    stop = Event()
    renewer = Thread(target=_renew_lease, args=(store, name, stop), daemon=True)
    renewer.start()
    try:
        yield
    finally:
        # Deleted only after the thread has ended, which could write the lease once more.
        stop.set()
        renewer.join()
        store.delete(name)


def _check_not_held(store: Store, name: str) -> None:
    data = store.read(name, _MAX_BYTES)
    if data is None:
        return
    try:
        lease = cast("dict[str, Any]", json.loads(data))
        remaining_s = EXPIRES_S - (time.time() - float(lease["renewed"]))
        holder = f"process {format_text(str(lease['process']))} on {format_text(str(lease['host']))}"
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return  # not a lease that this program wrote
    if remaining_s > 0 and math.isfinite(remaining_s):
        raise InvalidInputError(
            f"{store.url}: another run is writing there ({holder}); wait for it or stop it. If it was "
            f"killed, its lease expires in {remaining_s:.0f} s"
        )


def _write_lease(store: Store, name: str) -> None:
    lease = {"host": socket.gethostname(), "process": os.getpid(), "renewed": time.time()}
    store.write(name, json.dumps(lease).encode())


def _renew_lease(store: Store, name: str, stop: Event) -> None:
    while not stop.wait(RENEW_S):
        with suppress(StoreError):  # EXPIRES_S leaves time for further tries
            _write_lease(store, name)
