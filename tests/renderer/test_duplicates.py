"""Tests of duplicates, and of the survey of a folder before anything is rendered."""

import pytest

from tests.support.meshes import CUBE_OBJ, write_shapenet_object
from turntable.datasets.objects import EMPTY_CARS
from turntable.errors import InvalidInputError
from turntable.renderer.meshes.sources import (
    FolderSource,
    SourceObject,
    ZooSource,
    find_duplicates,
    format_survey,
    survey_folder,
)
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource
from turntable.renderer.meshes.sources.survey import survey_source

CHAIR, SOFA, CAR = "03001627", "04256520", "02958343"


@pytest.fixture
def shapenet(tmp_path):
    """Two meshes under several names, one of them under two labels, and one id with two meshes."""
    texts = {
        f"{CHAIR}/a": CUBE_OBJ,
        f"{CHAIR}/b": CUBE_OBJ,
        f"{SOFA}/c": CUBE_OBJ,
        f"{CHAIR}/d": CUBE_OBJ + "# d\n",
        f"{SOFA}/d": CUBE_OBJ + "# longer\n",
        f"{SOFA}/e": CUBE_OBJ + "# e\n",  # of equal size with chair/d, and different
        f"{CAR}/ac85727971fe63dd2c67ef33d7521ade": CUBE_OBJ + "# alone among all of them\n",
    }
    for name, text in texts.items():
        write_shapenet_object(tmp_path, name, obj=text)
    return tmp_path


def test_equal_bytes_and_equal_ids_are_twins(shapenet):
    source = ShapeNetSource(shapenet)
    assert find_duplicates(source, source.list_objects()) == (
        (f"{CHAIR}/a", f"{CHAIR}/b", f"{SOFA}/c"),
        (f"{CHAIR}/d", f"{SOFA}/d"),
    )
    some = tuple(item for item in source.list_objects() if item.category == CHAIR)
    assert find_duplicates(source, some) == ((f"{CHAIR}/a", f"{CHAIR}/b"),)


def test_groups_that_share_a_member_are_one(tmp_path):
    write_shapenet_object(tmp_path, f"{CHAIR}/a")
    write_shapenet_object(tmp_path, f"{SOFA}/a", obj=CUBE_OBJ + "# other\n")
    write_shapenet_object(tmp_path, f"{SOFA}/b")
    source = ShapeNetSource(tmp_path)
    assert find_duplicates(source, source.list_objects()) == ((f"{CHAIR}/a", f"{SOFA}/a", f"{SOFA}/b"),)


def test_in_other_sources_names_say_nothing(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "one/a.obj").write_text(CUBE_OBJ)
    (tmp_path / "two/a.obj").write_text(CUBE_OBJ + "#\n")
    (tmp_path / "two/b.obj").write_text(CUBE_OBJ)
    source = FolderSource(tmp_path)
    assert find_duplicates(source, source.list_objects()) == (("one/a", "two/b"),)


def test_made_objects_and_lost_files_have_no_twins(tmp_path):
    source = ZooSource(6)
    assert find_duplicates(source, source.list_objects()) == ()
    gone = (SourceObject("x", "c"), SourceObject("y", "c"))
    assert find_duplicates(FolderSource(tmp_path), gone) == ()


def test_survey(shapenet):
    (shapenet / EMPTY_CARS[0]).mkdir()
    found = survey_folder(shapenet)
    assert found == survey_source(ShapeNetSource(shapenet))
    assert (found.source, found.num_objects, found.num_conflicting) == ("shapenet", 7, 5)
    assert found.categories == {CAR: 1, CHAIR: 3, SOFA: 3}
    assert found.category_conflicts == {(CHAIR, SOFA): 2}
    assert list(found.known_faults) == [f"{CAR}/ac85727971fe63dd2c67ef33d7521ade"]
    text = "\n".join(format_survey(found))
    for words in (
        "source: shapenet",
        "objects: 7 in 3 categories",
        "version: v2",
        "known empty: 1",
        f"{CHAIR} (chair): 3",
        "objects that share a mesh: 5, of 2 meshes",
        f"{CHAIR} (chair) and {SOFA} (sofa): 2",
        "in several categories: 5",
        "hangs other loaders",
        "non-commercial research",
    ):
        assert words in text


def test_a_long_survey_is_cut(tmp_path):
    for number in range(20):
        (tmp_path / f"c{number:02}").mkdir()
        (tmp_path / f"c{number:02}/a.obj").write_text(f"# {number}\n")
    rows = format_survey(survey_folder(tmp_path))
    assert "  c11: 1" in rows
    assert "  and 8 more categories" in rows
    assert not any("c12" in row for row in rows)


def test_survey_of_nothing(tmp_path):
    with pytest.raises(InvalidInputError, match="holds no mesh files"):
        survey_folder(tmp_path)
