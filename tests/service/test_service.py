import io
import tarfile

import pytest
from starlette.testclient import TestClient

from turntable.datasets.files import decode_jpeg
from turntable.errors import InvalidInputError
from turntable.service import build_catalog, create_app
from turntable.testing.datasets import make_synthetic_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_synthetic_dataset(tmp_path_factory.mktemp("sets") / "small", num_objects=6, num_views=3)


@pytest.fixture(scope="module")
def client(dataset):
    with TestClient(create_app(build_catalog([dataset.path.parent])), "http://localhost") as client:
        yield client


def test_catalog(client, dataset):
    assert client.get("/healthz").json() == {"status": "ok", "datasets": 1}
    (entry,) = client.get("/datasets").json()
    assert entry["name"] == "small"
    assert entry["images"] == 18
    assert client.get("/datasets/small").json()["fingerprint"] == dataset.manifest.fingerprint


def test_a_shard_whole_and_in_part(client, dataset):
    shard = dataset.manifest.shards[0]
    address = f"/datasets/small/files/{shard.split}/{shard.name}.tar"
    whole = client.get(address)
    assert (whole.status_code, len(whole.content)) == (200, shard.bytes)
    assert whole.headers["etag"] == f'"{shard.sha256}"'
    with tarfile.open(fileobj=io.BytesIO(whole.content)) as tar:
        assert tar.getnames()
    part = client.get(address, headers={"Range": "bytes=512-1023", "If-Range": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, whole.content[512:1024])
    assert part.headers["content-range"] == f"bytes 512-1023/{shard.bytes}"
    head = client.head(address)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(shard.bytes), b"")
    assert client.get(address, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    assert client.get(address, headers={"Range": f"bytes={shard.bytes}-"}).status_code == 416


def test_objects_of_all_splits_or_of_one(client, dataset):
    keys_by_split = {}
    for name in dataset.splits:
        with dataset.open_split(name) as split:
            keys_by_split[name] = list(split.keys)
    every = [(split, key) for split, keys in keys_by_split.items() for key in keys]
    assert len(keys_by_split) == 2

    def pages(**params):
        found, total = [], None
        for offset in range(0, len(every) + 1, 2):
            page = client.get(
                "/datasets/small/objects", params={**params, "offset": offset, "limit": 2}
            ).json()
            assert total in (None, page["total"])
            total = page["total"]
            found += [(line["split"], line["key"]) for line in page["objects"]]
        assert len(found) == total
        return found

    assert pages() == every
    for name, keys in keys_by_split.items():
        assert pages(split=name) == [(name, key) for key in keys]
    category = client.get("/datasets/small/objects").json()["objects"][-1]["category"]
    lines = client.get("/datasets/small/objects").json()["objects"]
    assert pages(category=category) == [
        (line["split"], line["key"]) for line in lines if line["category"] == category
    ]


def test_one_view_and_its_label(client, dataset):
    with dataset.open_split("train") as train:
        key, labels = train.objects[1].key, train.labels[1, 2]
        jpeg = train.read_jpeg(1, 2)
    answer = client.get(f"/datasets/small/objects/{key}/views/2.jpg")
    assert (answer.headers["content-type"], answer.content) == ("image/jpeg", jpeg)
    assert decode_jpeg(answer.content).shape == (32, 32, 3)
    label = client.get(f"/datasets/small/objects/{key}/views/2.json").json()
    assert list(label["factors"].values()) == labels.tolist()
    assert label["split"] == "train"


@pytest.mark.parametrize(
    "address",
    [
        "/datasets/none",
        "/datasets/small/files/secret.txt",
        "/datasets/small/files/../../../etc/passwd",
        "/datasets/small/files/%2e%2e/%2e%2e/etc/passwd",
        "/datasets/small/files//etc/passwd",
        "/datasets/small/objects/none/views/0.jpg",
        "/datasets/small/objects/none/views/999.json",
    ],
)
def test_missing_things_are_404(client, dataset, address):
    (dataset.path / "secret.txt").write_text("not of the data set")
    assert client.get(address).status_code == 404


def test_a_folder_without_data_sets(tmp_path):
    with pytest.raises(InvalidInputError, match="holds no data set"):
        build_catalog([tmp_path])


def test_duplicate_names_are_refused(dataset):
    with pytest.raises(InvalidInputError, match="the same name"):
        build_catalog([dataset.path, dataset.path.parent])
