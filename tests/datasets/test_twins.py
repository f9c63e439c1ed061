"""Mirrored twins in recipes, ids, draws and records: as their objects are, but for the handedness."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from turntable.datasets import ObjectRecord, Recipe, draw_factors, load_recipe
from turntable.datasets.describing.label_table import format_label_table
from turntable.datasets.draws import draw_pseudo_labels, get_drawn_id
from turntable.datasets.files import MAX_ID_LENGTH
from turntable.datasets.labels import HANDEDNESS
from turntable.datasets.manifest_conventions import describe_conventions
from turntable.datasets.objects import Joint, ObjectPart, ObjectSymmetry, add_twins, get_base_id, make_twin_id
from turntable.errors import InvalidInputError, RecipeError

KINDS = ("zoo", "3diebench-t", "so3-ood", "sequences", "3diebench-ood-legacy")
"""Recipes that draw in every way there is."""


def record(object_id: str) -> ObjectRecord:
    return ObjectRecord(object_id, "mug", "val", "zoo", "", stream=(3, 4))


@pytest.mark.parametrize("name", KINDS)
def test_objects_keep_their_labels_and_twins_have_the_same(name: str) -> None:
    plain = load_recipe(name)
    recipe = plain.replace(mirrored=True)
    views, stream = [3, 0, 5, 1], (0, 2) if plain.draws == "numpy-legacy" else None
    drawn = draw_factors(plain, "a/b", views, stream)
    own = draw_factors(recipe, "a/b", views, stream)
    twin = draw_factors(recipe, "a/b~mirrored", views, stream)
    assert own[:, :-1].tobytes() == twin[:, :-1].tobytes() == drawn.tobytes()
    assert own[:, -1].tolist() == [1] * 4
    assert twin[:, -1].tolist() == [-1] * 4
    assert recipe.factors == (*plain.factors, HANDEDNESS)
    assert recipe.schema.scene_names == plain.schema.scene_names
    assert recipe.label_digest == plain.label_digest
    assert recipe.digest != plain.digest


def test_a_recipe_without_twins_has_no_such_key_and_one_with_them_comes_back() -> None:
    plain = load_recipe("zoo")
    assert "mirrored" not in plain.to_dict()
    assert plain.replace(mirrored=False).digest == plain.digest
    recipe = plain.replace(mirrored=True)
    assert "mirrored = true" in recipe.to_toml()
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    with pytest.raises(RecipeError, match="mirrored"):
        plain.replace(mirrored="yes")


def test_in_a_set_without_twins_an_id_is_only_an_id() -> None:
    recipe = load_recipe("zoo")
    assert get_drawn_id(recipe, "a~mirrored") == "a~mirrored"
    assert get_drawn_id(recipe.replace(mirrored=True), "a~mirrored") == "a"
    assert (draw_factors(recipe, "a~mirrored", 0) != draw_factors(recipe, "a", 0)).any()


def test_handedness_is_a_column_that_descriptions_know() -> None:
    recipe = load_recipe("zoo").replace(mirrored=True)
    assert HANDEDNESS.contains([1, -1, 0, 0.5]).tolist() == [True, True, False, False]
    assert "| `handedness` | 1 | ±1 | as the object is |" in format_label_table(recipe)
    assert set(draw_pseudo_labels(recipe, 400)[:, -1].tolist()) == {1, -1}
    assert "ID~mirrored" in describe_conventions(recipe)["twins"]
    assert "twins" not in describe_conventions(load_recipe("zoo"))


def test_a_twin_follows_its_object_in_everything_but_the_id() -> None:
    listed = add_twins([record("a"), record("b")])
    assert [item.id for item in listed] == ["a", "a~mirrored", "b", "b~mirrored"]
    assert {(item.category, item.split, item.stream) for item in listed} == {("mug", "val", (3, 4))}
    assert len({item.key for item in listed}) == 4
    assert get_base_id(make_twin_id("a/b c")) == "a/b c"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("mug~mirrored", "ids that end in ~mirrored"), ("m" * (MAX_ID_LENGTH - 3), "too long")],
)
def test_ids_that_have_no_room_for_a_twin_are_refused(wrong: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        add_twins([record("a"), record(wrong)])


def test_the_symmetry_of_a_mirror_image_is_its_object_s_reflected() -> None:
    turns = Rotation.from_rotvec([[0, 0, 0], [0.9, -0.5, 0.3], [-0.2, 0.1, 2.5]])
    quaternions = tuple(tuple(q) for q in turns.as_quat(canonical=True).tolist())
    symmetry = ObjectSymmetry("Dinf", quaternions, (0.6, 0.0, 0.8), (0.1, 0.2, -0.3), 0.001)
    mirrored = symmetry.mirror()
    reflection = np.diag([-1.0, 1, 1])
    expected = reflection @ turns.as_matrix() @ reflection
    assert Rotation.from_quat(mirrored.rotations).as_matrix() == pytest.approx(expected, abs=1e-5)
    assert mirrored.rotations[0] == (0, 0, 0, 1)
    # A turn about the mirrored axis is the mirror image of one about the axis, up to its sense.
    assert abs(np.dot(reflection @ symmetry.axis, mirrored.axis)) == pytest.approx(1)
    assert mirrored.center == (-0.1, 0.2, -0.3)
    assert mirrored.mirror().center == symmetry.center


@pytest.mark.parametrize("kind", ["hinge", "slide"])
def test_a_mirrored_joint_moves_as_the_mirror_image_does(kind: str) -> None:
    axis = np.array([0.6, -0.64, 0.48])
    joint = Joint(kind, tuple(axis.tolist()), (0.1, 0.2, 0.3), -1.0, 2.0)
    reflection = np.diag([-1.0, 1, 1, 1])
    values = np.array([-0.7, 0.0, 1.3])
    expected = reflection @ joint.compute_motions(values) @ reflection
    assert joint.mirror().compute_motions(values) == pytest.approx(expected, abs=1e-12)
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = Rotation.from_rotvec([0.3, 0.4, 0.5]).as_matrix(), [1, 2, 3]
    part = ObjectPart("lid", "lid", 0, joint, tuple(map(tuple, pose.tolist())))
    assert np.array(part.mirror().rest_pose) == pytest.approx(reflection @ pose @ reflection)
    assert ObjectPart("base", "base").mirror() == ObjectPart("base", "base")
