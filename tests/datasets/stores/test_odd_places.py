"""Places that are none, and addresses of pages: one error that names the place, or the data set meant."""

import json
from pathlib import Path

import pytest

from turntable import cli
from turntable.datasets import copy_dataset, export_folder, open_dataset, open_store, verify_dataset
from turntable.datasets.stores import normalize_place
from turntable.datasets.writing import open_destination
from turntable.errors import IntegrityError, InvalidInputError, StoreError, TurntableError
from turntable.loaders import BatchConfig, Loader, Views

ODD = {
    "": "no place was given",
    " ": "no place was given",
    "a\0b": r"a\\x00b: a place has no NUL character",
    "http://": "http://: give https://host/path",
    "http:/host/set": "http:/host/set: a URL has two slashes: http://host/set",
    "https:host/set": "a URL has two slashes: https://host/set",
    "s3:/lab/x": "s3:/lab/x: a URL has two slashes: s3://lab/x",
    "https://[::1": "not a URL; give https://host/path",
    "http://host:99999/x": "a port is a number from 1 to 65535",
    "ftp://host/x": "give a folder, s3://bucket/folder",
    "s3://": "give a folder, s3://bucket/folder",
    "file://host/x": "three slashes",
    "~nobody9/x": "there is no user 'nobody9'",
    "http://ho st/x": "not a host's name",
    "https://host/\nx": "control characters",
}


@pytest.mark.parametrize("place", ODD)
def test_what_is_no_place_is_refused_by_name(place: str, tmp_path) -> None:
    for use in (
        open_dataset,
        open_store,
        open_destination,
        verify_dataset,
        lambda place: export_folder(place, tmp_path / "out"),
        lambda place: copy_dataset(place, tmp_path / "out"),
        lambda place: Loader(
            place, BatchConfig(split="train", sampler=Views(), batch_size=1, output="numpy")
        ),
    ):
        with pytest.raises(InvalidInputError, match=ODD[place]):
            use(place)


@pytest.mark.parametrize("place", [None, 5, b"x", ["x"]])
def test_what_is_no_text_is_refused_with_what_is_wanted(place: object) -> None:
    with pytest.raises(InvalidInputError, match="is no place; give a folder"):
        open_dataset(place)


@pytest.mark.parametrize("place", [place for place in ODD if "\0" not in place])
@pytest.mark.parametrize("command", ["verify", "inspect", "copy", "export", "render"])
def test_every_command_refuses_it_with_one_line(
    place: str, command: str, capsys, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = {
        "copy": ["copy", place, "out"],
        "export": ["convert", "export", place, "--out", "out"],
        "render": ["render", "zoo", "--objects", "2", "--out", place],
    }.get(command, [command, place])
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    captured = capsys.readouterr()
    assert ended.value.code == 2, captured
    assert captured.err.count("turntable: ") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_text("a file"),
        lambda path: path.symlink_to(path),
        lambda path: path.mkdir(),
        lambda path: None,
    ],
    ids=["file", "link to itself", "empty", "missing"],
)
def test_a_folder_that_is_none_is_told_by_its_name(make, tmp_path: Path) -> None:
    make(tmp_path / "place")
    for use in (open_dataset, lambda place: copy_dataset(place, tmp_path / "out")):
        with pytest.raises((IntegrityError, StoreError), match=str(tmp_path / "place")):
            use(tmp_path / "place")
    with pytest.raises(TurntableError, match="File name too long"):
        open_dataset("x" * 5000)


@pytest.mark.parametrize(
    ("page", "place"),
    [
        ("http://host:8765/#/d/my-set", "http://host:8765/datasets/my-set"),
        ("http://host:8765/gallery/#/d/my%20set/o/chair-1/3", "http://host:8765/datasets/my%20set"),
        ("https://hub/user/ada/proxy/8765/gallery/#/d/s", "https://hub/user/ada/proxy/8765/datasets/s"),
        ("http://host:8765/gallery/", "http://host:8765"),
        ("http://host:8765/#/", "http://host:8765/"),
        ("http://host/datasets/s/manifest.json", "http://host/datasets/s"),
        ("https://host/s/manifest.json?sig=1", "https://host/s?sig=1"),
        ("https://huggingface.co/datasets/u/n", "https://huggingface.co/datasets/u/n/resolve/main"),
        ("https://huggingface.co/datasets/u/n/", "https://huggingface.co/datasets/u/n/resolve/main"),
        (
            "https://huggingface.co/datasets/u/n/tree/v1/a/",
            "https://huggingface.co/datasets/u/n/resolve/v1/a",
        ),
        (
            "https://hf.co/datasets/u/n/blob/main/manifest.json",
            "https://huggingface.co/datasets/u/n/resolve/main",
        ),
        (
            "https://huggingface.co/datasets/u/n/resolve/main",
            "https://huggingface.co/datasets/u/n/resolve/main",
        ),
        ("https://host/datasets/u/n/tree/main", "https://host/datasets/u/n/tree/main"),
        ("s3://bucket/manifest.json", "s3://bucket/manifest.json"),
    ],
)
def test_the_address_of_a_page_is_the_set_that_it_shows(page: str, place: str) -> None:
    assert normalize_place(page) == place


def test_a_service_given_for_a_data_set_names_its_sets(http_server, tmp_path, home) -> None:
    server = http_server(tmp_path)
    listing = [
        {"name": "my-set"},
        {"name": "broken", "problem": "cut"},
        {"name": "an other"},
        {"name": "\x1b"},
        3,
    ]
    (tmp_path / "datasets").write_text(json.dumps(listing))
    with pytest.raises(IntegrityError, match="it is a service of data sets: give ") as caught:
        open_dataset(f"{server.url}/gallery/")
    assert f"give {server.url}/datasets/my-set or {server.url}/datasets/an%20other" in str(caught.value)
    for spoilt in ("[" * 9999, "{}", "null", "", '[{"name": 1}]'):
        (tmp_path / "datasets").write_text(spoilt)
        with pytest.raises(IntegrityError, match="is the URL right"):
            open_dataset(server.url)


@pytest.mark.slow
def test_a_real_service_given_for_its_set(tmp_path, monkeypatch) -> None:
    import threading

    import uvicorn

    from tests.support.ports import free_port
    from turntable.service import ServiceSettings, build_catalog, create_app
    from turntable.testing.datasets import make_synthetic_dataset

    monkeypatch.setenv("TURNTABLE_CACHE", str(tmp_path / "cache"))
    made = make_synthetic_dataset(tmp_path / "my-set", num_objects=8, num_views=2, image_size=16)
    port = free_port()
    app = create_app(build_catalog([made.path], ()), ServiceSettings())
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    root = f"http://127.0.0.1:{port}"
    try:
        with pytest.raises(IntegrityError, match=f"give {root}/datasets/my-set"):
            open_dataset(root)
        name = "my-set"
        assert open_dataset(f"{root}/gallery/#/d/{name}").manifest == made.manifest
        assert copy_dataset(f"{root}/#/d/{name}", tmp_path / "out").num_present == 0
        assert verify_dataset(tmp_path / "out").ok
        assert verify_dataset(f"{root}/datasets/{name}", deep=True).ok
    finally:
        server.should_exit = True
        thread.join()
