"""Where a run's data set goes, and what it claims, remembers and delivers there.

A folder of this machine holds everything from the first byte. In an object store a file appears whole or not
at all, nothing can be added to one, and no lock is lifted when its holder dies: shards are built in a folder
of this machine and uploaded, the journal is one object a shard, and a run holds a lease.
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

from turntable.datasets.files import decoded, open_plain, read_lines, remove_all_temporaries, write_text
from turntable.datasets.making.jobs import Job
from turntable.datasets.making.lease import held_lease
from turntable.datasets.making.lock import only_writer
from turntable.datasets.making.outcomes import Outcome
from turntable.datasets.shards import (
    INDEX_SUFFIX,
    SHARD_SUFFIX,
    ShardReader,
    ShardRecord,
    committed_shard,
    store_shards,
)
from turntable.datasets.stores import LocalStore, Store, is_url, open_journal, open_store
from turntable.datasets.stores.cache import others_may_write
from turntable.errors import InvalidInputError, StoreError

PLAN_NAME = "plan.json"
"""What a run set out to make; a resumed run must ask for the same."""
LOCK_NAME = "run.lock"
_MOST_PLAN_BYTES = 256 << 20


class Destination(Protocol):
    """Cheap to make and to send to another process."""

    @property
    def where(self) -> str:
        """As users name it."""
        ...

    @property
    def folder(self) -> Path:
        """Of this machine: where files are built before they are delivered, or where they stay."""
        ...

    def check(self, expected_bytes: int = 0) -> None:
        """Find out before any work what would stop it after.

        Args:
            expected_bytes: That are to be written; compared with the room where that can be known.

        Raises:
            TurntableError: Nothing can be written there.
        """
        ...

    def claim(self, job: Job | None) -> AbstractContextManager[None]:
        """Be the only run there for the time of a block; jobs of one run share it.

        Raises:
            InvalidInputError: Another run is at work there.
        """
        ...

    def read_plan(self) -> str | None:
        """The plan of an earlier run; None where there was none.

        Raises:
            InvalidInputError: The place holds something else.
        """
        ...

    def write_plan(self, text: str) -> None:
        """Say what is to be made here."""
        ...

    def journal(self) -> list[str]:
        """Every line that this run and its jobs have written, each job's in order."""
        ...

    def record(self, outcome: Outcome, job: Job | None) -> None:
        """Write an outcome to the journal; it is there for good when this returns."""
        ...

    def stands(self, split: str, name: str, shard: ShardRecord | None) -> bool:
        """Whether a shard is (or, for None, is not) there, to the byte."""
        ...

    def deliver(self, shard: ShardRecord) -> None:
        """Bring a shard that was committed in the folder to its place."""
        ...

    def open_shard(self, shard: ShardRecord) -> ShardReader:
        """A delivered shard, for reading."""
        ...

    def deliver_rest(self, names: tuple[str, ...]) -> None:
        """Bring the files that describe the data set to their place, in this order."""
        ...


def journal_name(job: Job | None) -> str:
    """Of a whole run's journal, or of one job's."""
    return "journal" if job is None else f"journal-{job}"


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder, in which everything is built and stays."""

    folder: Path

    @property
    def where(self) -> str:
        """The path."""
        return str(self.folder)

    def check(self, expected_bytes: int = 0) -> None:
        """By making the folder, and a file in it."""
        LocalStore(self.folder).check_writable(expected_bytes)

    @contextmanager
    def claim(self, job: Job | None) -> Generator[None, None, None]:
        """By locks that the kernel lifts."""
        with only_writer(self.folder / LOCK_NAME, shared=job is not None):
            if job is None:
                remove_all_temporaries(self.folder)  # no one else can be writing
                yield
            else:
                with only_writer(self.folder / f"run-{job}.lock"):
                    yield

    def read_plan(self) -> str | None:
        """The plan's file."""
        path = self.folder / PLAN_NAME
        with suppress(FileNotFoundError), os.fdopen(open_plain(path), "rb") as file:
            return decoded(file.read(), str(path))
        strangers = [
            item for item in self.folder.iterdir() if item.suffix != ".lock" and item.suffix != ".tmp"
        ]
        if strangers:
            raise InvalidInputError(
                f"{self.folder} is not empty and holds no data set in the making; choose another --out"
            )
        return None

    def write_plan(self, text: str) -> None:
        """The plan's file."""
        write_text(self.folder / PLAN_NAME, text)

    def journal(self) -> list[str]:
        """Of all files of lines."""
        return [line for path in sorted(self.folder.glob("journal*.jsonl")) for line in read_lines(path)]

    def record(self, outcome: Outcome, job: Job | None) -> None:
        """At the end of the run's or the job's file."""
        journal = open_journal(LocalStore(self.folder), journal_name(job))
        journal.append("/".join(outcome.place), outcome.to_line())

    def stands(self, split: str, name: str, shard: ShardRecord | None) -> bool:
        """By reading all of it."""
        return committed_shard(self.folder / split, name) == shard

    def deliver(self, shard: ShardRecord) -> None:
        """It is there."""

    def open_shard(self, shard: ShardRecord) -> ShardReader:
        """By its path."""
        return ShardReader(self.folder / shard.split / f"{shard.name}{SHARD_SUFFIX}")

    def deliver_rest(self, names: tuple[str, ...]) -> None:
        """They are there."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A place in an object store; what is built lies in a folder of this machine until it is uploaded."""

    store: Store

    @property
    def where(self) -> str:
        """The URL."""
        return self.store.url

    @property
    def folder(self) -> Path:
        """One a user and URL, among the machine's temporary files (TMPDIR says where)."""
        url = sha256(self.store.url.encode()).hexdigest()[:16]
        return Path(gettempdir()) / f"turntable-{os.geteuid()}-{url}"

    def check(self, expected_bytes: int = 0) -> None:
        """By writing and removing an object; and that there is room to build shards."""
        self.store.check_writable(expected_bytes)
        _make_own(self.folder)
        LocalStore(self.folder).check_writable()

    @contextmanager
    def claim(self, job: Job | None) -> Generator[None, None, None]:
        """By a lease: of the whole place, or of one job's share of it."""
        name = "run" if job is None else f"run-{job}"
        _make_own(self.folder)
        with (
            only_writer(self.folder / f"{name}.lock"),
            held_lease(self.store, f"leases/{name}.json", job is None),
        ):
            yield

    def read_plan(self) -> str | None:
        """The plan's object."""
        data = self.store.read(PLAN_NAME, _MOST_PLAN_BYTES)
        if data is not None:
            return decoded(data, f"{self.where}/{PLAN_NAME}")
        if [name for name in self.store.list() if not name.startswith("leases/")]:
            raise InvalidInputError(
                f"{self.where} is not empty and holds no data set in the making; choose another --out"
            )
        return None

    def write_plan(self, text: str) -> None:
        """The plan's object."""
        self.store.write(PLAN_NAME, text.encode("utf-8"))

    def journal(self) -> list[str]:
        """An object a shard, whichever job made it."""
        return open_journal(self.store).lines()

    def record(self, outcome: Outcome, job: Job | None) -> None:  # noqa: ARG002
        """The shard's object."""
        open_journal(self.store).append("/".join(outcome.place), outcome.to_line())

    def stands(self, split: str, name: str, shard: ShardRecord | None) -> bool:
        """By the digest that was kept when the shard came; nothing is fetched."""
        tar, index = (f"{split}/{name}{suffix}" for suffix in (SHARD_SUFFIX, INDEX_SUFFIX))
        if shard is None:
            return self.store.size(tar) is None
        return (self.store.sha256(tar), self.store.sha256(index)) == (shard.sha256, shard.idx_sha256)

    def deliver(self, shard: ShardRecord) -> None:
        """The index first: a shard with a name always has its index. What was built is removed."""
        for suffix, digest in ((INDEX_SUFFIX, shard.idx_sha256), (SHARD_SUFFIX, shard.sha256)):
            name = f"{shard.split}/{shard.name}{suffix}"
            self.store.upload(name, self.folder / name, digest)
            (self.folder / name).unlink()

    def open_shard(self, shard: ShardRecord) -> ShardReader:
        """By ranges."""
        return store_shards(self.store)(shard)

    def deliver_rest(self, names: tuple[str, ...]) -> None:
        """The manifest is the last of them: with it the data set is there."""
        for name in names:
            self.store.write(name, (self.folder / name).read_bytes())


def _make_own(folder: Path) -> None:
    """Make a folder among the machine's temporary files in which nobody but this user can put anything.

    Its name can be guessed, and who makes it first could leave links in it that lead to this user's files.

    Raises:
        StoreError: It is a link, or another user's, or others may write there.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or others_may_write(status):
        raise StoreError(
            f"{folder}: others than you may write there, or it is no folder of yours; remove it, or set "
            "TMPDIR to a folder of yours"
        )


def standing(destination: Destination) -> list[Outcome]:
    """The outcomes whose shards are there to the byte; the others are to be made again."""
    outcomes = [Outcome.from_line(line) for line in destination.journal()]
    # A shard that was made again has several lines; the last one counts.
    latest = {outcome.place: outcome for outcome in outcomes}
    return [item for item in latest.values() if destination.stands(item.split, item.name, item.shard)]


def as_destination(where: Path | Destination) -> Destination:
    """A folder by its path, or what is a destination already."""
    return LocalFolder(where) if isinstance(where, Path) else where


def open_destination(text: str) -> Destination:
    """A folder's path, or the URL of a place in an object store.

    Raises:
        InvalidInputError: It is a URL of something else.
    """
    if not is_url(text):
        return LocalFolder(Path(text))
    store = open_store(text)
    return LocalFolder(store.folder) if isinstance(store, LocalStore) else Bucket(store)
