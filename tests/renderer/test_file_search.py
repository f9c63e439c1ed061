"""Tests of the search for files that do not lie where a mesh says, and of what it must never find."""

import os
import shutil
import unicodedata

import pytest

from tests.support.meshes import write_shapenet_object
from tests.support.textured_objects import BLUE, RED, find, load, write_image, write_object
from turntable.renderer.meshes.formats.files.object_files import ObjectFiles
from turntable.renderer.meshes.sources import FolderSource, load_mesh
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource

# Paths.


@pytest.mark.parametrize(
    "name",
    ["tex/wood.png", "./tex/wood.png", "tex\\wood.png", "../c/tex/wood.png", "tex/../tex//wood.png"],
)
def test_a_literal_path_is_no_matter_for_a_warning(tmp_path, name):
    write_image(tmp_path / "c/tex/wood.png")
    assert find(tmp_path, "c", name) == ("c/tex/wood.png", [])


def test_a_path_leads_anywhere_below_the_root(tmp_path):
    write_image(tmp_path / "textures/wood.png")
    write_object(tmp_path / "chairs/deep/a.obj", "../../textures/wood.png")
    assert load(tmp_path, "chairs/deep/a") == (RED, [])
    write_object(tmp_path / "b.obj", f"{tmp_path}/textures/wood.png")
    assert load(tmp_path, "b") == (RED, [])


@pytest.mark.parametrize(
    "name",
    [
        "TEX/WOOD.PNG",
        "Tex\\Wood.png",
        '"tex/wood.png"',
        "  tex/wood.png\t",
        "' tex/wood.png '",
        "tex/woo%64.png",
        "tex%2Fwood.png",
        "tex%5CWOOD.png",
        "C:\\Users\\artist\\tex\\wood.png",
        "C:/work/wood.png",
        "c:wood.png",
        "/home/artist/project/tex/Wood.png",
        "\\\\server\\share\\tex\\wood.png",
        "//server/share/wood.png",
        "file:///C:/Users/artist/wood.png",
        "file:///home/artist/my%20project/tex/wood.png",
        "file://server/share/wood.png",
        "maps/wood.png",
        "../textures/wood.png",
        "../../../../far/away/wood.png",
        "wood.png",
    ],
)
def test_other_paths_to_a_file_are_found_with_a_warning(tmp_path, name):
    write_image(tmp_path / "c/tex/wood.png")
    assert find(tmp_path, "c", name) == ("c/tex/wood.png", ["file-elsewhere"])


def test_the_longest_end_of_a_foreign_path_comes_first(tmp_path):
    for path in ("c/tex/wood.png", "c/wood.png", "c/old/tex/wood.png"):
        write_image(tmp_path / path)
    assert find(tmp_path, "c", "D:\\old\\tex\\wood.png") == ("c/old/tex/wood.png", ["file-elsewhere"])
    assert find(tmp_path, "c", "D:\\new\\tex\\wood.png") == ("c/tex/wood.png", ["file-elsewhere"])
    assert find(tmp_path, "c", "D:\\new\\maps\\wood.png") == ("c/wood.png", ["file-elsewhere"])


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_unicode_forms_are_one_name(tmp_path, form):
    write_image(tmp_path / unicodedata.normalize(form, "bäume/grün é.png"))
    other = "NFD" if form == "NFC" else "NFC"
    path, kinds = find(tmp_path, "", unicodedata.normalize(other, "Bäume/Grün É.png"))
    assert path is not None
    assert kinds == ["file-elsewhere"]


def test_names_in_latin_1_on_the_disk_are_found(tmp_path):
    folder = tmp_path / os.fsdecode(b"b\xe4ume")
    folder.mkdir()
    shutil.copy(write_image(tmp_path / "x.png"), folder / os.fsdecode(b"gr\xfcn.png"))
    files = ObjectFiles(tmp_path)
    path = files.find_or_warn(tmp_path, "bäume/grün.png", "texture", "gray")
    assert os.fsencode(path).endswith(b"/b\xe4ume/gr\xfcn.png")
    (warning,) = files.log.warnings
    assert warning.kind == "file-elsewhere"
    assert warning.shown == "bäume/grün.png is used"


def test_names_with_the_separators_of_windows_in_them_are_found(tmp_path):
    shutil.copy(write_image(tmp_path / "x.png"), tmp_path / "tex\\wood.png")
    assert find(tmp_path, "", "tex/wood.png") == ("tex\\wood.png", ["file-elsewhere"])
    assert find(tmp_path, "", "tex\\wood.png") == ("tex\\wood.png", ["file-elsewhere"])


def test_the_exact_case_comes_before_others_and_two_others_are_one_too_many(tmp_path):
    write_image(tmp_path / "Wood.png", RED)
    write_image(tmp_path / "WOOD.png", BLUE)
    assert find(tmp_path, "", '"WOOD.png"') == ("WOOD.png", ["file-elsewhere"])
    assert find(tmp_path, "", "wood.png") == (None, ["file-ambiguous"])


# Names.


def test_a_sister_folder_without_meshes_is_searched(tmp_path):
    write_image(tmp_path / "pack/oak.png")
    write_object(tmp_path / "chairs/a/a.obj", "oak.png")
    write_object(tmp_path / "chairs/b/b.obj", "none.png")
    assert load(tmp_path, "chairs/a/a") == (RED, ["file-elsewhere"])
    assert load(tmp_path, "chairs/b/b") == (None, ["file-missing"])


def test_the_nearest_sister_comes_first(tmp_path):
    write_image(tmp_path / "textures/oak.png", RED)
    write_image(tmp_path / "chairs/textures/oak.png", BLUE)
    write_object(tmp_path / "chairs/a/a.obj", "oak.png")
    write_object(tmp_path / "tables/b/b.obj", "oak.png")
    assert load(tmp_path, "chairs/a/a") == (BLUE, ["file-elsewhere"])
    assert load(tmp_path, "tables/b/b") == (RED, ["file-elsewhere"])


def test_several_files_of_a_name_are_no_hit(tmp_path):
    for folder in ("textures", "maps"):
        write_image(tmp_path / folder / "oak.png")
    write_object(tmp_path / "a/a.obj", "oak.png")
    assert load(tmp_path, "a/a") == (None, ["file-ambiguous"])


def test_several_files_of_a_name_below_the_object_are_no_hit(tmp_path):
    for folder in ("one", "two"):
        write_image(tmp_path / "b" / folder / "elm.png")
    write_object(tmp_path / "b/b.obj", "elm.png")
    assert load(tmp_path, "b/b") == (None, ["file-ambiguous"])


def test_a_sister_that_holds_a_mesh_of_any_format_is_not_searched(tmp_path):
    write_image(tmp_path / "pack/tex/oak.png")
    (tmp_path / "pack/deep").mkdir()
    (tmp_path / "pack/deep/house.fbx").write_bytes(b"of another program")
    write_object(tmp_path / "a/a.obj", "oak.png")
    assert load(tmp_path, "a/a") == (None, ["file-missing"])


def test_materials_are_searched_too(tmp_path):
    write_object(tmp_path / "c/a.obj", "oak.png", mtl="A.mtl")
    write_image(tmp_path / "c/oak.png")
    (tmp_path / "materials").mkdir()
    (tmp_path / "c/A.mtl").rename(tmp_path / "materials/a.MTL")
    color, kinds = load(tmp_path, "c/a")
    assert kinds == ["file-elsewhere"]
    assert color == RED


# Never from another object.


def layouts():
    """Folders of two objects that name one texture each, by the same name; the second has its texture."""

    def shapenet(root):
        for name in "ab":
            write_shapenet_object(root, f"100/{name}")
        (root / "100/a/images/texture0.png").unlink()
        return "100/a/models/model_normalized", "100/b/images/texture0.png"

    def folders(root):
        for name in "ab":
            write_object(root / name / "model.obj", "texture0.png")
        return "a/model", str(write_image(root / "b/texture0.png").relative_to(root))

    def folders_of_folders(root):
        for name in "ab":
            write_object(root / f"chairs/{name}/source/model.obj", "../textures/texture0.png")
        return (
            "chairs/a/source/model",
            str(write_image(root / "chairs/b/textures/texture0.png").relative_to(root)),
        )

    def flat(root):
        for name in "ab":
            write_object(root / f"{name}.obj", f"{name}/texture0.png")
        return "a", str(write_image(root / "b/texture0.png").relative_to(root))

    def flat_with_longer_names(root):
        for name in ("chair", "chair_2"):
            write_object(root / f"{name}.obj", f"{name}_tex/texture0.png")
        return "chair", str(write_image(root / "chair_2_tex/texture0.png").relative_to(root))

    def flat_beside(root):
        write_object(root / "a.obj", "a/texture0.png")
        write_object(root / "b.obj", "texture0.png")
        return "a", str(write_image(root / "texture0.png").relative_to(root))

    def categories(root):
        for name in "ab":
            write_object(root / name / "x" / "model.obj", "images/texture0.png")
        return "a/x/model", str(write_image(root / "b/x/images/texture0.png").relative_to(root))

    def beside_its_parent(root):
        write_object(root / "b.obj", "texture0.png")
        write_object(root / "more/a.obj", "texture0.png")
        return "more/a", str(write_image(root / "texture0.png").relative_to(root))

    def absolute(root):
        write_object(root / "a/model.obj", "C:\\data\\b\\texture0.png")
        write_object(root / "b/model.obj", "C:\\data\\b\\texture0.png")
        return "a/model", str(write_image(root / "b/texture0.png").relative_to(root))

    def another_name(root):
        for name in "ab":
            write_object(root / name / "model.obj", "oak.png")
        return "a/model", str(write_image(root / "b/oak.png").relative_to(root))

    def glb_flat(root):
        for name in "ab":
            write_object(root / f"all/{name}.obj", f"../images/{name}/texture0.png")
        return "all/a", str(write_image(root / "images/b/texture0.png").relative_to(root))

    return [item for item in locals().values() if callable(item)]


@pytest.mark.parametrize("orphan", [False, True], ids=["both meshes", "without the other mesh"])
@pytest.mark.parametrize("layout", layouts(), ids=lambda item: item.__name__)
def test_a_missing_texture_is_never_filled_from_another_object(tmp_path, layout, orphan):
    missing, texture = layout(tmp_path)
    if orphan and layout.__name__ not in ("flat_beside", "another_name", "beside_its_parent"):
        # What is left of an object whose mesh was deleted is still no part of another.
        for path in tmp_path.rglob("*.obj"):
            if path.relative_to(tmp_path).with_suffix("").as_posix() != missing:
                path.unlink()
    assert (tmp_path / texture).is_file()
    mesh = load_mesh(FolderSource(tmp_path), missing)
    assert all(material.texture is None for material in mesh.materials)
    assert {warning.kind for warning in mesh.warnings} <= {"file-missing", "file-ambiguous"}
    assert mesh.warnings


def test_shapenets_objects_lend_each_other_nothing(tmp_path):
    for name in ("a", "b"):
        write_shapenet_object(tmp_path, f"100/{name}")
    (tmp_path / "100/a/images/texture0.png").unlink()
    write_image(tmp_path / "100/textures/texture0.png")
    write_image(tmp_path / "images/texture0.png")
    mesh = load_mesh(ShapeNetSource(tmp_path), "100/a")
    assert all(material.texture is None for material in mesh.materials)
    assert [warning.kind for warning in mesh.warnings] == ["file-missing"]
    write_image(tmp_path / "100/a/TEXTURE0.PNG")
    source = ShapeNetSource(tmp_path)
    source.list_objects()
    mesh = load_mesh(source, "100/a")
    assert [warning.kind for warning in mesh.warnings] == ["file-elsewhere"]


def test_many_files_of_a_name_cost_no_more_than_a_few(tmp_path):
    from turntable.renderer.meshes.formats.files import file_search

    write_object(tmp_path / "a/a.obj", "oak.png")
    for number in range(file_search.MAX_CANDIDATES + 1):
        (tmp_path / f"x/{number}").mkdir(parents=True)
        (tmp_path / f"x/{number}/oak.png").touch()
    assert load(tmp_path, "a/a") == (None, ["file-ambiguous"])
