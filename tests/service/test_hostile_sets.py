"""The author of one data set and its clients cannot harm the clients of another."""

import json
import os
import shutil
import threading
import time
from urllib.parse import urljoin

import pytest
from starlette.testclient import TestClient

from turntable.service import build_catalog, create_app


@pytest.fixture
def sets(served_folder, tmp_path):
    for name in ("good", "evil"):
        shutil.copytree(served_folder, tmp_path / "sets" / name)
    return tmp_path / "sets"


def change(folder, alter):
    manifest = folder / "manifest.json"
    table = json.loads(manifest.read_text())
    alter(table)
    manifest.write_text(json.dumps(table))


def client_of(folder, settings=None):
    return TestClient(create_app(build_catalog([folder]), settings), "http://localhost")


@pytest.mark.parametrize("first", ["good", "evil"])
def test_responses_are_of_the_requested_set_although_another_claims_its_fingerprint(sets, first):
    for name in ("good", "evil"):
        change(sets / name, lambda table, name=name: table["source"].update(note=f"words of {name}"))
    second = {"good": "evil", "evil": "good"}[first]
    with client_of(sets) as client:
        for name in (first, second):
            asked = {"dataset": name, "where": "floor_hue < 0.6"}
            assert client.post("/query", json=asked).json()["source"]["note"] == f"words of {name}"


@pytest.mark.slow
def test_a_picture_rendered_for_one_set_is_not_returned_for_another(start, zoo, tmp_path):
    """Both sets claim the same fingerprint, and the pictures of one have the lowest quality."""
    for name in ("good", "evil"):
        shutil.copytree(zoo, tmp_path / "sets" / name)
    change(tmp_path / "sets" / "evil", lambda table: table["recipe"].update(jpeg_quality=1))
    service = start(tmp_path / "sets", options=["--render", "--backend", "embree"])
    key = service.json("/datasets/good/objects")["objects"][0]["key"]
    drawn = {
        name: service.ask("/render", "POST", body={"dataset": name, "key": key, "size": 128})
        for name in ("evil", "good")
    }
    assert [status for status, _, _ in drawn.values()] == [200, 200]
    assert drawn["evil"][2] != drawn["good"][2]
    assert drawn["evil"][1]["ETag"] != drawn["good"][1]["ETag"]


def test_a_huge_sparse_file_delays_no_other_request(start, sets):
    os.truncate(sets / "evil" / "README.md", 400 << 30)
    service = start(sets)
    tags = set()
    for _ in range(20):
        status, headers, _ = service.ask("/datasets/evil/files/README.md", "HEAD")
        assert status == 200
        tags.add(headers["ETag"])
    assert len(tags) == 1
    os.utime(sets / "evil" / "README.md", (1, 1))
    assert service.ask("/datasets/evil/files/README.md", "HEAD")[1]["ETag"] not in tags
    assert service.ask("/datasets/good/files/README.md")[0] == 200


def test_a_damaged_manifest_is_not_read_for_every_request(sets, monkeypatch):
    from turntable.datasets import dataset

    change(sets / "evil", lambda table: table.update(zz=["x" * 100] * 100_000))
    catalog, read = build_catalog([sets]), []
    original = dataset.Manifest.from_json
    monkeypatch.setattr(dataset.Manifest, "from_json", lambda *given: read.append(given) or original(*given))
    for _ in range(20):
        assert catalog.find_entry("nothing") is None
    assert not read
    assert "not a manifest" in catalog.get_problems()["evil"]
    change(sets / "evil", lambda table: table.pop("zz"))
    assert catalog.find_entry("evil") is not None
    assert len(read) == 1


def test_the_summary_of_a_set_is_encoded_once(sets, monkeypatch):
    """A summary may have megabytes of text; encoding it for every request would delay all others."""
    from turntable.service import payloads
    from turntable.service.catalog import CatalogEntry

    encoded = []
    for module, name in ((CatalogEntry, "summarize"), (payloads, "describe_dataset")):
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda entry, of=original: encoded.append(entry.name) or of(entry))
    change(sets / "evil", lambda table: table["recipe"].update(description={"a": ["x"] * 1000}))
    with client_of(sets) as client:
        for _ in range(5):
            rows = client.get("/datasets").json()
            assert [row["name"] for row in rows] == ["evil", "good"]
            assert rows[0]["description"] == ""
            assert client.get("/datasets/evil/about").json()["objects"] == 24
    assert sorted(encoded) == ["evil", "evil", "evil", "good"]  # a description is made of a summary


def test_a_request_does_not_wait_while_another_set_is_opened(sets, monkeypatch):
    from turntable.service import catalog as module

    catalog, reading, go_on = build_catalog([sets]), threading.Event(), threading.Event()
    original = module.open_local_dataset

    def slow(files):
        reading.set()
        assert go_on.wait(20)
        return original(files)

    monkeypatch.setattr(module, "open_local_dataset", slow)
    change(sets / "evil", lambda table: None)
    asking = threading.Thread(target=catalog.find_entry, args=("evil",))
    asking.start()
    assert reading.wait(20)
    others = threading.Thread(target=catalog.find_entry, args=("good",), daemon=True)
    others.start()
    others.join(10)
    went_on = not others.is_alive()
    go_on.set()
    asking.join(20)
    assert went_on


@pytest.mark.parametrize(
    "value", ["bytes=" + " " * 31_000 + "x", "bytes=" + "\t" * 31_000 + "x", "bytes=1-" + " " * 31_000 + "x"]
)
def test_blanks_in_a_range_do_not_backtrack(sets, value):
    with client_of(sets) as client:
        began = time.process_time()
        answer = client.get("/datasets/good/files/README.md", headers={"Range": value})
        assert answer.status_code == 400
        assert time.process_time() - began < 0.5


ODD_NUMBERS = ["--5", "---9", "-", "5-", "٣", "9" * 5000, "", " 5", "1e3"]


@pytest.mark.parametrize("text", ODD_NUMBERS)
def test_a_wrong_number_in_a_query_is_refused(sets, text):
    with client_of(sets) as client:
        key = client.get("/datasets/good/objects").json()["objects"][0]["key"]
        assert client.get("/datasets/good/objects", params={"offset": text}).status_code == 400
        for end in ("jpg", "json"):
            address = f"/datasets/good/objects/{key}/views/{text}.{end}"
            assert client.get(address).status_code == 404


HALF = "category = '\ud800'"


@pytest.mark.parametrize("told", [["\ud800"], ["true", "\udfff"], [HALF]])
def test_lone_surrogates_in_a_condition_are_refused(sets, told):
    import base64

    name = base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()
    with client_of(sets) as client:
        assert client.get(f"/datasets/good/subsets/{name}/manifest.json").status_code == 404
        body = json.dumps({"dataset": "good", "where": told[0], "splits": told[1:]})
        answer = client.post("/query", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, answer.text
        assert client.get("/datasets/good/views", params={"where": "\N{SNOWMAN}"}).status_code == 400


@pytest.mark.slow
def test_conditions_work_for_a_folder_of_any_name(start, served_folder, tmp_path):
    names = ("über set ✓", "a%20b#c?d", "x;y=z&w")
    for name in names:
        shutil.copytree(served_folder, tmp_path / "sets" / name)
    service = start(tmp_path / "sets")
    for name in names:
        asked = {"dataset": name, "where": "view = 0"}
        status, headers, document = service.ask("/query", "POST", body=asked)
        assert status == 200
        subset = urljoin("/query", headers["Location"])
        assert service.ask(f"{subset}/manifest.json")[2] == document
