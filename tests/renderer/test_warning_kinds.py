"""The kinds of warnings: each is made somewhere, documented, and summed."""

import ast
import re
from pathlib import Path
from typing import get_args

from tests.support import ROOT
from turntable.datasets.objects import WarningRecord, count_by_kind
from turntable.renderer.meshes import (
    FOLDER_KINDS,
    WARNING_KINDS,
    MeshWarning,
    WarningKind,
    format_warning_examples,
    format_warning_sums,
    make_warning_records,
)

MESHES = ROOT / "turntable/renderer/meshes"


def find_texts(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_kind_has_a_meaning_and_is_the_kind_of_a_warning_somewhere():
    assert set(get_args(WarningKind)) == set(WARNING_KINDS)
    assert set(FOLDER_KINDS) <= set(WARNING_KINDS)
    files = [path for path in MESHES.rglob("*.py") if path.name != "mesh_warnings.py"]
    made = set[str]().union(*map(find_texts, files))
    assert set(WARNING_KINDS) - made == set()


def test_the_table_of_the_documentation_has_exactly_these_kinds_in_their_order():
    page = (ROOT / "docs/meshes.md").read_text()
    rows = re.findall(r"^\| `([a-z]+-[a-z]+)` \| (.+) \|$", page, re.MULTILINE)
    assert rows == list(WARNING_KINDS.items())
    table = page[page.index("## Formats") : page.index("## Warnings")]
    named = set(re.findall(r"`([a-z]+-[a-z]+)`", table))
    assert named
    assert named <= set(WARNING_KINDS)


def test_sums_count_warnings_and_objects_and_the_folder_is_no_object():
    cut = MeshWarning("image-cut", "a.jpg", "the image is cut off", "what there is of it is used")
    lost = MeshWarning("file-missing", "a.mtl", "texture b.png is missing", "gray is used")
    other = MeshWarning("format-unsupported", "chair.fbx", "it ends in .fbx", "it is not read")
    records = [
        *make_warning_records("", [other, other]),
        *make_warning_records("cat/a", [cut, lost, lost]),
        *make_warning_records("cat/b", [lost]),
    ]
    counts = [(item.kind, item.num_warnings, item.num_objects) for item in count_by_kind(records)]
    assert counts == [("file-missing", 3, 2), ("image-cut", 1, 1), ("format-unsupported", 2, 0)]
    assert format_warning_sums(records) == (
        "file-missing: 3 warnings of 2 objects: a file that the mesh names does not exist",
        "image-cut: 1 warning of 1 object: an image is cut off, and is used as far as it goes",
        "format-unsupported: 2 warnings: a file of meshes is in a format that is not read",
    )
    assert format_warning_examples(records)[0].endswith(
        "; the first: cat/a: a.mtl: texture b.png is missing; gray is used"
    )


def test_a_kind_of_another_version_is_summed_without_a_meaning_and_escaped():
    old = WarningRecord("cat/a", "in\x1bcomplete", "", "no texture")
    assert format_warning_sums([old]) == ("in\\x1bcomplete: 1 warning of 1 object",)
