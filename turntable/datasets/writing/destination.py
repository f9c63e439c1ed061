"""The destination of a data set that is being made: a local folder, or a place in an object store.

A destination claims the place for a run, keeps the plan and the journal, and receives the finished shards.

In a local folder files are built where they stay, and the kernel releases the lock of a run that dies. An
object store differs: an object appears whole or not at all, nothing can be appended to one, and there are no
such locks. So shards are built in a local folder and uploaded, the journal is one object for each shard, and
a run holds a lease that expires.
"""

import os
import stat
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from typing import Protocol

from turntable.datasets.files import (
    decode_utf8,
    open_plain_file,
    read_lines,
    remove_all_temporaries,
    write_text,
)
from turntable.datasets.shards import (
    INDEX_SUFFIX,
    SHARD_SUFFIX,
    ShardReader,
    ShardRecord,
    find_committed_shard,
    make_store_opener,
)
from turntable.datasets.stores import LocalStore, Store, open_journal, open_store
from turntable.datasets.stores.cache import is_writable_by_others
from turntable.datasets.writing.jobs import Job
from turntable.datasets.writing.lease import hold_lease
from turntable.datasets.writing.lock import LOCK_NAME, hold_lock
from turntable.datasets.writing.shard_outcome import ShardOutcome
from turntable.errors import InvalidInputError, StoreError
from turntable.home import expand_home

PLAN_NAME = "plan.json"
"""The file that describes what a run makes. A resumed run must have the same plan."""
_MAX_PLAN_BYTES = 256 << 20
_RUN_FILES = {"config.json", "records.jsonl"}
"""Files by which the folder of a training run is known."""


class Destination(Protocol):
    """A place for a data set in the making. It is cheap to create and to send to another process."""

    @property
    def path_or_url(self) -> str:
        """The path or URL that users know it by."""
        ...

    @property
    def folder(self) -> Path:
        """The local folder in which files are built. They stay there, or are delivered from there."""
        ...

    def check_writable(self, expected_bytes: int = 0) -> None:
        """Check before any work that the place can be written to and has room.

        Args:
            expected_bytes: Number of bytes to be written, compared with the free space if that is known.

        Raises:
            TurntableError: Nothing can be written there.
        """
        ...

    def claim(self, job: Job | None) -> AbstractContextManager[None]:
        """Hold the place for one run for the time of a block. The jobs of one run share it.

        Args:
            job: Job of the run; None for a run that makes the whole data set.

        Raises:
            InvalidInputError: Another run is writing there.
        """
        ...

    def read_plan(self) -> str | None:
        """Read the plan of an earlier run; return None if there was none.

        Raises:
            InvalidInputError: The place holds something else.
        """
        ...

    def write_plan(self, text: str) -> None:
        """Write the plan of this run."""
        ...

    def read_journal(self) -> list[str]:
        """Read all lines that this run and its jobs have written, each job's in order."""
        ...

    def record_outcome(self, outcome: ShardOutcome, job: Job | None) -> None:
        """Write an outcome to the journal. It is durable when this returns."""
        ...

    def has_shard(self, split: str, name: str, shard: ShardRecord | None) -> bool:
        """Return True if a shard is there, identical to the byte. For None, return True if it is absent."""
        ...

    def deliver_shard(self, shard: ShardRecord) -> None:
        """Deliver a shard that was committed in the folder."""
        ...

    def open_shard(self, shard: ShardRecord) -> ShardReader:
        """Open a delivered shard for reading."""
        ...

    def deliver_files(self, names: tuple[str, ...]) -> None:
        """Deliver the files that describe the data set, in this order."""
        ...


def make_journal_name(job: Job | None) -> str:
    """Return the name of the journal of a whole run, or of one job."""
    return "journal" if job is None else f"journal-{job}"


@dataclass(frozen=True, slots=True)
class FolderDestination:
    """A local folder, in which everything is built and stays."""

    folder: Path

    @property
    def path_or_url(self) -> str:
        """The path."""
        return str(self.folder)

    def check_writable(self, expected_bytes: int = 0) -> None:
        """Create the folder and a file in it."""
        LocalStore(self.folder).check_writable(expected_bytes)

    @contextmanager
    def claim(self, job: Job | None) -> Generator[None, None, None]:
        """Hold lock files, which the kernel releases if the process dies."""
        with hold_lock(self.folder / LOCK_NAME, shared=job is not None):
            if job is None:
                remove_all_temporaries(self.folder)  # no one else can be writing
                yield
            else:
                with hold_lock(self.folder / f"run-{job}.lock"):
                    yield

    def read_plan(self) -> str | None:
        """Read the plan's file."""
        path = self.folder / PLAN_NAME
        with suppress(FileNotFoundError), os.fdopen(open_plain_file(path), "rb") as file:
            return decode_utf8(file.read(), str(path))
        _check_empty(self.folder)
        return None

    def write_plan(self, text: str) -> None:
        """Write the plan's file."""
        write_text(self.folder / PLAN_NAME, text)

    def read_journal(self) -> list[str]:
        """Read the journals of the whole run and of all jobs."""
        return [line for path in sorted(self.folder.glob("journal*.jsonl")) for line in read_lines(path)]

    def record_outcome(self, outcome: ShardOutcome, job: Job | None) -> None:
        """Append a line to the run's or the job's file."""
        journal = open_journal(LocalStore(self.folder), make_journal_name(job))
        journal.append_line("/".join(outcome.split_and_name), outcome.to_line())

    def has_shard(self, split: str, name: str, shard: ShardRecord | None) -> bool:
        """Compare a shard by reading all of it."""
        return find_committed_shard(self.folder / split, name) == shard

    def deliver_shard(self, shard: ShardRecord) -> None:
        """Do nothing: the shard was built in its place."""

    def open_shard(self, shard: ShardRecord) -> ShardReader:
        """Open a shard by its path."""
        return ShardReader(self.folder / shard.split / f"{shard.name}{SHARD_SUFFIX}")

    def deliver_files(self, names: tuple[str, ...]) -> None:
        """Do nothing: the files were written in their place."""


def _check_empty(folder: Path) -> None:
    """Check that a folder holds nothing but locks and what killed processes left.

    Raises:
        InvalidInputError: It holds something else.
    """
    names = {item.name for item in folder.iterdir() if item.suffix not in (".lock", ".tmp")}
    if not names:
        return
    if names >= _RUN_FILES:
        raise InvalidInputError(f"{folder} holds a training run; choose another --out for the data set")
    raise InvalidInputError(
        f"{folder} is not empty and does not hold an unfinished data set; choose another --out"
    )


@dataclass(frozen=True, slots=True)
class StoreDestination:
    """A place in an object store. Files are built in a local folder until they are uploaded."""

    store: Store

    @property
    def path_or_url(self) -> str:
        """The URL."""
        return self.store.url

    @property
    def folder(self) -> Path:
        """A folder for each user and URL, among the machine's temporary files (see TMPDIR)."""
        url = sha256(self.store.url.encode()).hexdigest()[:16]
        return Path(gettempdir()) / f"turntable-{os.geteuid()}-{url}"

    def check_writable(self, expected_bytes: int = 0) -> None:
        """Write and delete an object, and check that there is room to build shards."""
        self.store.check_writable(expected_bytes)
        _create_private_folder(self.folder)
        LocalStore(self.folder).check_writable()

    @contextmanager
    def claim(self, job: Job | None) -> Generator[None, None, None]:
        """Hold a lease on the whole place, or on one job's share of it."""
        name = "run" if job is None else f"run-{job}"
        _create_private_folder(self.folder)
        with (
            hold_lock(self.folder / f"{name}.lock"),
            hold_lease(self.store, f"leases/{name}.json", job is None),
        ):
            yield

    def read_plan(self) -> str | None:
        """Read the plan's object."""
        data = self.store.read(PLAN_NAME, _MAX_PLAN_BYTES)
        if data is not None:
            return decode_utf8(data, f"{self.path_or_url}/{PLAN_NAME}")
        if any(not name.startswith("leases/") for name in self.store.list()):
            raise InvalidInputError(
                f"{self.path_or_url} is not empty and does not hold an unfinished data set; choose another "
                "--out"
            )
        return None

    def write_plan(self, text: str) -> None:
        """Write the plan's object."""
        self.store.write(PLAN_NAME, text.encode("utf-8"))

    def read_journal(self) -> list[str]:
        """Read the journal's objects, one for each shard, of all jobs."""
        return open_journal(self.store).read_lines()

    def record_outcome(self, outcome: ShardOutcome, job: Job | None) -> None:  # noqa: ARG002
        """Write the shard's object of the journal."""
        open_journal(self.store).append_line("/".join(outcome.split_and_name), outcome.to_line())

    def has_shard(self, split: str, name: str, shard: ShardRecord | None) -> bool:
        """Compare the digests that the store recorded at the upload; nothing is downloaded."""
        tar, index = (f"{split}/{name}{suffix}" for suffix in (SHARD_SUFFIX, INDEX_SUFFIX))
        if shard is None:
            return self.store.get_size(tar) is None
        return (self.store.get_sha256(tar), self.store.get_sha256(index)) == (shard.sha256, shard.idx_sha256)

    def deliver_shard(self, shard: ShardRecord) -> None:
        """Upload a shard and delete its local files.

        The index goes first, so a shard that is visible always has its index.
        """
        for suffix, digest in ((INDEX_SUFFIX, shard.idx_sha256), (SHARD_SUFFIX, shard.sha256)):
            name = f"{shard.split}/{shard.name}{suffix}"
            self.store.upload(name, self.folder / name, digest)
            (self.folder / name).unlink()

    def open_shard(self, shard: ShardRecord) -> ShardReader:
        """Open a shard that is read by range requests."""
        return make_store_opener(self.store)(shard)

    def deliver_files(self, names: tuple[str, ...]) -> None:
        """Upload the files. The manifest is the last of them: with it the data set is finished."""
        for name in names:
            self.store.write(name, (self.folder / name).read_bytes())


def _create_private_folder(folder: Path) -> None:
    """Create a folder, among the machine's temporary files, that no other user can write to.

    Its name can be guessed. Another user could have created it first, with links in it that lead to this
    user's files.

    Raises:
        StoreError: The path is a link, or the folder belongs to another user, or others may write to it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or is_writable_by_others(status):
        raise StoreError(
            f"{folder}: this is not a folder of yours, or other users may write to it; remove it, or set "
            "TMPDIR to a folder of yours"
        )


def find_finished_outcomes(destination: Destination) -> list[ShardOutcome]:
    """Return the outcomes whose shards are present to the byte. The other shards must be made again."""
    outcomes = [ShardOutcome.from_line(line) for line in destination.read_journal()]
    # A shard that was made again has several lines; the last one counts.
    latest = {outcome.split_and_name: outcome for outcome in outcomes}
    return [item for item in latest.values() if destination.has_shard(item.split, item.name, item.shard)]


def as_destination(path_or_destination: Path | Destination) -> Destination:
    """Return a destination unchanged, or that of a local folder's path."""
    return (
        FolderDestination(expand_home(path_or_destination))
        if isinstance(path_or_destination, Path)
        else path_or_destination
    )


def open_destination(path_or_url: str) -> Destination:
    """Open the destination of a folder's path, or of a URL of a place in an object store.

    Raises:
        InvalidInputError: The URL is not that of a store.
    """
    store = open_store(path_or_url)
    return FolderDestination(store.folder) if isinstance(store, LocalStore) else StoreDestination(store)
