"""Users' own stores, registered by the scheme of their URLs."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from turntable.datasets import open_dataset, open_store
from turntable.datasets.stores import LocalStore, register_store, registry
from turntable.datasets.writing import open_destination
from turntable.errors import InvalidInputError
from turntable.testing.datasets import make_synthetic_dataset


class Boxed(LocalStore):
    """A folder that is called otherwise."""

    @property
    def url(self) -> str:
        return f"boxed://{self.folder}"


def open_boxed(url: str) -> Boxed:
    return Boxed(Path(url.removeprefix("boxed://")))


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_store_openers", {})


def test_a_registered_scheme_leads_to_the_store(tmp_path: Path) -> None:
    register_store("boxed", open_boxed)
    store = open_store(f"boxed://{tmp_path}")
    assert isinstance(store, Boxed)
    store.write("a", b"1")
    assert (tmp_path / "a").read_bytes() == b"1"
    make_synthetic_dataset(tmp_path / "set", num_objects=4)
    assert len(open_dataset(f"boxed://{tmp_path / 'set'}").splits) == 2
    assert open_destination(f"boxed://{tmp_path / 'new'}").folder == tmp_path / "new"


def test_an_installed_package_offers_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("boxed", "my_package:open_boxed", "turntable.stores")
    monkeypatch.setattr(EntryPoint, "load", lambda self: open_boxed)
    monkeypatch.setattr(registry, "list_entry_points", {point.group: {point.name: point}}.__getitem__)
    assert open_store(f"boxed://{tmp_path}").url == f"boxed://{tmp_path}"
    with pytest.raises(InvalidInputError, match=r"other://x: give a folder, s3"):
        open_store("other://x")


@pytest.mark.parametrize("scheme", ["s3", "https", "file"])
def test_turntables_own_schemes_stay(scheme: str) -> None:
    with pytest.raises(InvalidInputError, match=f"turntable has its own stores for {scheme}://"):
        register_store(scheme, open_boxed)


@pytest.mark.parametrize("scheme", ["", "Boxed", "a b", "3d", "a/b"])
def test_what_is_no_scheme_is_refused(scheme: str) -> None:
    with pytest.raises(InvalidInputError, match="is not a URL scheme"):
        register_store(scheme, open_boxed)
