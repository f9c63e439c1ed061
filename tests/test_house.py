"""The house: folders with faces, imports through faces alone, and no circles.

A folder's ``__init__`` is its face. A file may import from its own folder, from the files of the folders it
lies in, and from the faces of all others.
"""

import ast
import importlib
import pkgutil
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, lru_cache
from inspect import isclass, isfunction
from pathlib import Path

import pytest

import turntable

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`]+`")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Import:
    """``from module import name`` in a file."""

    path: Path
    line: int
    module: str
    name: str
    alias: str | None = None

    def __str__(self):
        return f"{self.path.relative_to(ROOT)}:{self.line}: from {self.module} import {self.name}"


@lru_cache(maxsize=1)
def parse(text):
    return ast.parse(text)


def imports_in(path, text):
    for node in ast.walk(parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "turntable":
            yield from (Import(path, node.lineno, node.module, item.name, item.asname) for item in node.names)
        elif isinstance(node, ast.Import):
            named = [item.name for item in node.names if item.name.startswith("turntable.")]
            yield from (Import(path, node.lineno, name, "*") for name in named)


@cache
def modules():
    """Every module of the package by its dotted name, and its file."""
    found = pkgutil.walk_packages(turntable.__path__, "turntable.")
    return {item.name: Path(item.module_finder.find_spec(item.name).origin) for item in found}


@cache
def faces():
    """The names that every folder's ``__init__`` exports, by the folder's dotted name."""
    return {name: face_of(path) for name, path in modules().items() if path.name == "__init__.py"}


def face_of(path):
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__":
            return ast.literal_eval(node.value)
    return None


def folder_of(module):
    return module if module in faces() else module.rpartition(".")[0]


@cache
def package_imports():
    """The imports of every module of the package."""
    return {name: list(imports_in(path, path.read_text())) for name, path in modules().items()}


@cache
def code_of_pages():
    """The Python of README and docs, block by block."""
    block = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [(page, text) for page in PAGES for text in block.findall(page.read_text("utf-8"))]


@cache
def imports_of_pages():
    return [item for page, text in code_of_pages() for item in imports_in(page, text)]


def encloses(folder, other):
    return f"{other}.".startswith(f"{folder}.")


def breaks_in(importer, item):
    """Whether an import reaches past a face into a folder in which its file does not lie."""
    if item.module == "turntable" or encloses(folder_of(item.module), folder_of(importer)):
        return False
    return not in_a_face(item)


def in_a_face(item):
    """Whether an import takes a name from a face, or a face as a whole."""
    return item.name in (faces().get(item.module) or ()) or f"{item.module}.{item.name}" in faces()


@pytest.mark.parametrize("folder", sorted(faces()))
def test_a_folder_has_a_face(folder):
    names = faces()[folder]
    assert names is not None, "no __all__"
    assert importlib.import_module(folder).__doc__
    assert names == sorted(set(names), key=lambda name: (not name.isupper(), not name[0].isupper(), name))


@pytest.mark.parametrize("folder", sorted(faces()))
def test_what_a_face_shows_is_documented_and_no_file_of_its_name(folder):
    module = importlib.import_module(folder)
    for name in faces()[folder]:
        value = getattr(module, name)
        assert not (isclass(value) or isfunction(value)) or value.__doc__, name
        is_file = f"{folder}.{name}" in modules()
        assert is_file == (getattr(value, "__name__", "") == f"{folder}.{name}"), f"{name} hides a file"


def test_rooms_import_from_faces_alone():
    assert not [
        str(item) for name, items in package_imports().items() for item in items if breaks_in(name, item)
    ]


def test_faces_import_their_own_folder_alone():
    """A face that showed the names of another room would hide which room has them."""
    assert not [
        str(item)
        for name in faces()
        for item in package_imports()[name]
        if not encloses(name, item.module) and item.module not in ("turntable.errors", "turntable.extras")
    ]


def test_pages_import_from_faces_alone():
    assert imports_of_pages()
    beyond = [item for item in imports_of_pages() if item.module != "turntable.errors"]
    assert not [str(item) for item in beyond if not in_a_face(item)]


def test_the_page_on_python_lists_exactly_the_faces():
    listed = re.findall(r"^::: (\S+)$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == {*faces(), "turntable.choices", "turntable.errors"}


def class_names(text):
    """The names of the classes that stand at the top level of a file."""
    return [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]


def found_more_than_once(find, texts):
    """Give what several files have, or one file twice, with the modules that do.

    Args:
        find: Gives what it looks for in a text.
        texts: The text of each module, by its dotted name.
    """
    owners = defaultdict(list)
    for module, text in texts.items():
        for found in find(text):
            owners[found].append(module)
    return {found: modules for found, modules in owners.items() if len(modules) > 1}


def package_texts():
    return {name: path.read_text() for name, path in modules().items()}


def test_a_class_name_means_one_thing_in_the_whole_package():
    assert found_more_than_once(class_names, package_texts()) == {}


def test_names_of_several_classes_are_found_whether_public_or_private():
    texts = {
        "one": "class Place:\n    pass\nclass _Job:\n    pass\nclass Part:\n    class Inner:\n        pass\n",
        "other": "class Place:\n    class Inner:\n        pass\nclass _Job:\n    pass\n",
    }
    shared = {"Place": ["one", "other"], "_Job": ["one", "other"]}
    assert found_more_than_once(class_names, texts) == shared
    assert found_more_than_once(class_names, {"one": texts["one"], "far": "from one import Place\n"}) == {}


def literals_in(text):
    """The set of values of every ``Literal[...]`` of a file."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("Literal"):
            values = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            yield frozenset(ast.literal_eval(value) for value in values)


def test_a_set_of_choices_is_written_once_in_the_whole_package():
    """Others take its name from the room that has it, or from ``turntable.choices``."""
    assert found_more_than_once(literals_in, package_texts()) == {}


def test_literals_of_several_places_are_found_in_any_order():
    texts = {
        "one": 'Split = Literal["train", "val"]\nWindow = int | Literal["auto"] | None\n',
        "two": 'def read(split: typing.Literal["val", "train"], kind: Literal["a", "b"]): ...\n',
        "far": "from one import Split\ndef read(split: Split): ...\n",
    }
    assert found_more_than_once(literals_in, texts) == {frozenset({"train", "val"}): ["one", "two"]}


def uses_in(path, text):
    """Give what a file takes of each module: the names it imports, and those it reads of a whole face."""
    imports = list(imports_in(path, text))
    yield from ((item.module, item.name) for item in imports)
    wholes = {item.alias or item.name: f"{item.module}.{item.name}" for item in imports}
    for node in ast.walk(parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in wholes:
            yield wholes[node.value.id], node.attr


def uses_of_package():
    """The same of the package's own files, but for what a face takes from its own folder to show it."""
    for name, path in modules().items():
        for module, item in uses_in(path, path.read_text()):
            inside = encloses(module, folder_of(name)) or (name in faces() and name == module)
            if not inside:
                yield module, item


def test_every_name_of_a_face_is_used_beyond_its_folder():
    used = defaultdict(set)
    others = [(path, path.read_text()) for path in (ROOT / "tests").rglob("*.py")] + code_of_pages()
    uses = [*uses_of_package(), *(use for path, text in others for use in uses_in(path, text))]
    for module, name in uses:
        used[module].add(name)
    pages = {
        word
        for page in PAGES
        for code in CODE.findall(BLOCK.sub("", page.read_text("utf-8")))
        for word in WORD.findall(code)
    }
    unused = [
        f"{folder}.{name}"
        for folder, names in faces().items()
        for name in names
        if name not in used[folder] | pages
    ]
    assert not unused
