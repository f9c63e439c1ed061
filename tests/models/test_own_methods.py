"""Methods of users' own: by reference, by registration, and by the entry points of installed packages."""

import sys
from pathlib import Path

import pytest

from tests.support.own_methods import forget_own_methods
from turntable.errors import InvalidInputError
from turntable.models import (
    METHODS,
    MethodEntry,
    get_method_entry,
    is_method_available,
    list_methods,
    register_method,
    resolve_method,
    shorten_method_name,
)
from turntable.user_code import is_reference

CODE = """
from dataclasses import dataclass
from beside import LEARNS_FROM
from turntable.models import ImageMethod, MethodConfig, MethodEntry

print("the code has run")

@dataclass(frozen=True, slots=True)
class MineConfig(MethodConfig):
    width: int = 8

class Mine(ImageMethod):
    def __init__(self, config, backbone, data):
        super().__init__(backbone, data)

    def loss(self, batch):
        return {"loss": self.represent(batch["view_1"]).mean()}

mine = MethodEntry(MineConfig, Mine, LEARNS_FROM, "nobody 2026")
nothing = 3
"""


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch):
    """Forget after each test what it registers or imports."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    forget_own_methods("beside", "my_methods", "my_package")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(CODE)
    (tmp_path / "beside.py").write_text("LEARNS_FROM = 'nothing'")
    return path


def test_a_file_is_run_once_and_remembered_by_its_whole_path(file, capsys, monkeypatch):
    monkeypatch.chdir(file.parent)
    name = resolve_method("mine.py:mine")
    assert name == f"{file.resolve()}:mine"
    assert resolve_method(f"{file}:mine") == name
    assert capsys.readouterr().out == "the code has run\n"
    entry = get_method_entry(name)
    assert (entry.description, entry.make_config().width, entry.has_backbone) == ("nothing", 8, True)
    assert name in list_methods()
    assert is_method_available(name)
    assert shorten_method_name(name) == "mine"
    assert METHODS.keys().isdisjoint([name])


def test_a_module_is_imported_by_its_name(file, monkeypatch):
    monkeypatch.syspath_prepend(file.parent)
    file.rename(file.with_name("my_methods.py"))
    assert resolve_method("my_methods:mine") == "my_methods:mine"
    assert get_method_entry("my_methods:mine").description == "nothing"


def test_looking_a_name_up_runs_no_code(file, capsys):
    assert not is_method_available(f"{file}:mine")
    with pytest.raises(InvalidInputError, match="its code runs only when you ask for it: add --method"):
        get_method_entry(f"{file}:mine")
    assert capsys.readouterr().out == ""
    assert not any(name.startswith("turntable_own_") for name in sys.modules)


def test_a_file_that_moved_is_named(file):
    with pytest.raises(InvalidInputError, match=r"nowhere\.py no longer exists; give its new path"):
        get_method_entry(f"{file.parent}/nowhere.py:mine")


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("nowhere.py:mine", "there is no such file"),
        ("mine.py:other", r"mine\.py has no other; its method entries are: mine"),
        ("mine.py:nothing", "is 3, not a MethodEntry; give"),
        ("mine.py:Mine", "not a MethodEntry"),
        ("no_such_module:mine", "the module cannot be imported: ModuleNotFoundError"),
        (":mine", "give a name, package.module:NAME or file.py:NAME"),
        ("mine.py:", "give a name, package.module:NAME or file.py:NAME"),
        ("mine.py:a-b", "give a name, package.module:NAME or file.py:NAME"),
    ],
)
def test_references_that_cannot_be_followed(file, monkeypatch, reference, words):
    monkeypatch.chdir(file.parent)
    with pytest.raises(InvalidInputError, match=words):
        resolve_method(reference)


def test_code_that_fails_is_told_and_can_be_mended(file):
    file.write_text("import nothing_of_this_name")
    with pytest.raises(InvalidInputError, match="its code fails: ModuleNotFoundError: No module named"):
        resolve_method(f"{file}:mine")
    file.write_text(CODE)
    resolve_method(f"{file}:mine")


def test_a_registered_name_is_looked_up_as_any_other():
    entry = METHODS["sie"]
    register_method("mine", entry)
    assert get_method_entry("mine") is entry
    assert "mine" in list_methods()
    assert resolve_method("mine") == "mine"
    with pytest.raises(InvalidInputError, match="turntable itself has a method 'sie'"):
        register_method("sie", METHODS["vicreg"])
    with pytest.raises(InvalidInputError, match="method mine is 3, not a MethodEntry"):
        register_method("mine", 3)
    with pytest.raises(
        InvalidInputError, match=r"unknown method 'other'; choose one of: .*pointnet, mine; or"
    ):
        get_method_entry("other")


@pytest.fixture
def package(file, monkeypatch):
    """Installs a package with entry points, as pip would: a module and its metadata on Python's path."""

    def install(*points):
        folder = file.parent / "site"
        (folder / "my_package-1.dist-info").mkdir(parents=True)
        (folder / "my_package-1.dist-info" / "METADATA").write_text("Name: my_package\nVersion: 1\n")
        lines = "\n".join(["[turntable.methods]", *points])
        (folder / "my_package-1.dist-info" / "entry_points.txt").write_text(lines)
        (folder / "my_package.py").write_text(CODE)
        (folder / "beside.py").write_text("LEARNS_FROM = 'a package'")
        monkeypatch.syspath_prepend(folder)

    return install


def test_an_installed_package_offers_its_methods(package):
    package("packaged = my_package:mine")
    assert "packaged" in list_methods()
    assert get_method_entry("packaged").description == "a package"
    assert resolve_method("packaged") == "packaged"


def test_a_package_that_cannot_be_loaded_harms_no_other_method(package, capsys):
    package("broken = my_package:nobody", "wrong = my_package:nothing", "packaged = my_package:mine")
    with pytest.raises(InvalidInputError, match=r"broken of an installed package .* cannot be loaded"):
        get_method_entry("broken")
    with pytest.raises(InvalidInputError, match="method wrong is 3, not a MethodEntry"):
        get_method_entry("wrong")
    assert isinstance(get_method_entry("packaged"), MethodEntry)
    assert isinstance(get_method_entry("sie"), MethodEntry)


def test_a_package_cannot_take_a_name_of_turntables_own(package, caplog):
    package("sie = my_package:mine")
    assert get_method_entry("sie") is METHODS["sie"]
    assert list_methods().count("sie") == 1
    assert "offers a method 'sie', but turntable has a method of that name; rename it in" in caplog.text


def test_what_is_a_reference():
    assert is_reference("a.py:b")
    assert not is_reference("sie-mlp")
    assert Path(resolve_method("sie")) == Path("sie")
