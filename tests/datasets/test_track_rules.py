"""The table [tracks] of a recipe: its defaults, and what is refused by name."""

import pytest

from turntable.datasets import Recipe, load_recipe
from turntable.errors import RecipeError

NBODY, KEYPOINTS, CHARGED = (load_recipe(name) for name in ("nbody", "keypoints", "charged"))


def test_particles_are_followed_by_default_and_points_elsewhere():
    assert CHARGED.replace(tracks={}).tracks.keypoints == 0
    assert load_recipe("sequences").replace(tracks={}).tracks.keypoints == 16
    assert (NBODY.tracks.keypoints, KEYPOINTS.tracks.keypoints) == (0, 16)


def test_a_recipe_with_tracks_is_written_and_read():
    for recipe in (NBODY, KEYPOINTS, CHARGED.replace(tracks={})):
        assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert "tracks" not in CHARGED.to_dict()


def test_shipped_recipes_have_no_pictures():
    assert NBODY.outputs == KEYPOINTS.outputs == ()
    assert (NBODY.sequence.length, NBODY.dynamics.stride, NBODY.dynamics.scale) == (50, 100, 1)
    assert KEYPOINTS.sequence.length == 40


REFUSED = {
    "no frames": (
        load_recipe("zoo"),
        {"tracks": {}},
        r"tracks: they need the frames of sequences; give \[sequence\] with length",
    ),
    "no velocity": (
        load_recipe("sequences"),
        {"tracks": {}, "sequence": {"length": 10, "motion": "independent"}},
        'tracks: sequence.motion = "independent" has no velocity',
    ),
    "no points": (
        KEYPOINTS,
        {"tracks": {"keypoints": 0}},
        'tracks.keypoints: 0 is for the balls of source = "part',
    ),
    "points of balls": (
        NBODY,
        {"tracks": {"keypoints": 4}},
        'tracks.keypoints: the tracks of source = "particles" are those of its balls; leave it out',
    ),
    "negative": (KEYPOINTS, {"tracks": {"keypoints": -1}}, "tracks.keypoints: -1 is below 0"),
    "too many": (KEYPOINTS, {"tracks": {"keypoints": 1025}}, "tracks.keypoints: 1025 is above 1024"),
    "text": (KEYPOINTS, {"tracks": {"keypoints": "some"}}, "tracks.keypoints: 'some'"),
    "unknown": (
        KEYPOINTS,
        {"tracks": {"keypoint": 3}},
        "tracks.keypoint: unknown key; did you mean keypoints",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_tracked_is_refused_by_name(name):
    recipe, changes, told = REFUSED[name]
    with pytest.raises(RecipeError, match=told):
        recipe.replace(**changes)


def test_legacy_draws_have_no_tracks():
    with pytest.raises(RecipeError, match=r'tracks: draws = "numpy-legacy" does not support \[tracks\]'):
        load_recipe("3diebench-published").replace(tracks={})
