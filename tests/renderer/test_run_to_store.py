"""Runs that write their data set straight to an object store."""

import hashlib
import json
import time

import pytest

from tests.support.quick_run import OBJECTS, TINY, InProcess, quick
from turntable.datasets import open_store
from turntable.datasets.writing import Job, open_destination
from turntable.errors import InvalidInputError, StoppedError, StoreError
from turntable.renderer import generate, generate_share, merge
from turntable.renderer.meshes.sources import ZooSource
from turntable.renderer.runs import RunListener

pytestmark = [pytest.mark.gl, pytest.mark.slow]


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """Where shards are built; nothing of a shard may stay there."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr("turntable.datasets.writing.destination.gettempdir", lambda: str(folder))
    yield folder
    assert not list(folder.rglob("*.tar"))
    assert not list(folder.rglob("*.idx"))
    assert not list(folder.rglob("*.lock"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """sha256 of every file of the data set, made in a folder."""
    folder = tmp_path_factory.mktemp("whole") / "set"
    quick(folder)
    names = [path for path in folder.rglob("*") if path.is_file() and path.name != "journal.jsonl"]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in names
    }


def there(url):
    """The same of what is in a store, the journal apart."""
    store = open_store(url)
    names = [name for name in store.list() if not name.startswith("journal/")]
    return {name: hashlib.sha256(store.read(name, 1 << 24)).hexdigest() for name in names}


@pytest.mark.parametrize("how", ["503", "reset", "lost"])
def test_a_server_that_fails_every_third_time_loses_nothing(s3_server, whole, how):
    bucket = s3_server(fail_every=3, how=how)
    generate(TINY, ZooSource(OBJECTS), open_destination(f"{bucket.url}/set"), engine=InProcess())
    assert bucket.counts()["faults"] > 20
    bucket.fail(0)
    assert there(f"{bucket.url}/set") == whole


def test_google_cloud_storage_gets_the_same(gcs_server, whole):
    bucket = gcs_server(fail_every=3)
    generate(TINY, ZooSource(OBJECTS), open_destination(f"{bucket.url}/set"), engine=InProcess())
    assert bucket.counts()["faults"] > 20
    bucket.fail(0)
    assert there(f"{bucket.url}/set") == whole


def test_worker_processes_deliver_what_they_make(s3_server, whole):
    url = f"{s3_server().url}/a/b"
    generate(TINY, ZooSource(OBJECTS), open_destination(url), num_workers=2)
    assert there(url) == whole
    told = []
    listener = RunListener(emit=lambda event, /, **_: told.append(event))
    generate(TINY, ZooSource(OBJECTS), open_destination(url), engine=InProcess(), listener=listener)
    assert "shard" not in told, "all of it was there"
    assert there(url) == whole


def test_stopped_taken_up_and_mended(s3_server, whole):
    url, told = s3_server().url, []
    listener = RunListener(
        emit=lambda event, /, **_: told.append(event), should_stop=lambda: told.count("shard") >= 2
    )
    with pytest.raises(StoppedError):
        generate(TINY, ZooSource(OBJECTS), open_destination(url), engine=InProcess(), listener=listener)
    store = open_store(url)
    assert store.get_size("manifest.json") is None
    store.delete("train/shard-000000.idx")  # the shard stands no more
    told.clear()
    listener = RunListener(emit=lambda event, /, **_: told.append(event))
    generate(TINY, ZooSource(OBJECTS), open_destination(url), engine=InProcess(), listener=listener)
    assert told.count("shard") == 5
    assert there(url) == whole


def test_jobs_share_a_bucket(s3_server, whole):
    url = s3_server().url
    for number in (1, 2):
        generate_share(Job(number, 2), TINY, ZooSource(OBJECTS), open_destination(url))
    merge(open_destination(url))
    assert there(url) == whole


def test_what_cannot_work_is_said_before_anything_is_rendered(s3_server, monkeypatch):
    bucket, told = s3_server(), []

    def attempt(url):
        listener = RunListener(emit=lambda event, /, **_: told.append(event))
        generate(TINY, ZooSource(OBJECTS), open_destination(url), engine=InProcess(), listener=listener)

    with pytest.raises(StoreError, match="no-such-bucket"):
        attempt("s3://no-such-bucket/set")
    with pytest.raises(InvalidInputError, match="ftp"):
        attempt("ftp://somewhere/set")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "stranger")
    with pytest.raises(StoreError, match="AWS_ACCESS_KEY_ID"):
        attempt(bucket.url)
    assert told == []


def test_a_place_of_another_use_is_refused(s3_server):
    url = s3_server().url
    open_store(url).write("thesis.doc", b"precious")
    with pytest.raises(InvalidInputError, match="not empty and does not hold an unfinished data set"):
        generate(TINY, ZooSource(OBJECTS), open_destination(url), engine=InProcess())


def test_a_second_run_is_refused_until_the_lease_of_a_dead_one_ends(s3_server, whole):
    url = s3_server().url
    store = open_store(url)
    with open_destination(url).claim(Job(1, 3)):
        assert json.loads(store.read("leases/run-1-of-3.json", 1 << 24))["process"]
        with pytest.raises(InvalidInputError, match=r"another run is writing there .process \d+ on "):
            generate(TINY, ZooSource(OBJECTS), open_destination(url), engine=InProcess())
    assert store.list("leases") == ()
    dead = {"host": "h", "process": 1, "renewed": time.time() - 1000}
    store.write("leases/run.json", json.dumps(dead).encode())
    generate(TINY, ZooSource(OBJECTS), open_destination(url), engine=InProcess())
    assert there(url) == whole
