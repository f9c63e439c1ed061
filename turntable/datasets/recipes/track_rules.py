"""Rules between the keys of a recipe's table [tracks]: tracks follow points that exist, over frames."""

from collections.abc import Iterator

from turntable.datasets.labels import DEFAULT_KEYPOINTS, TrackRule
from turntable.datasets.recipes.content_tables import TracksTable
from turntable.datasets.recipes.tables import RecipeTable


def find_track_faults(recipe: RecipeTable, tracks: TracksTable) -> Iterator[str]:
    """Yield a message "key: fault" for every combination of keys without tracks."""
    if recipe.sequence is None:
        yield "tracks: they need the frames of sequences; give [sequence] with length, or leave [tracks] out"
    elif recipe.sequence.motion == "independent":
        yield (
            'tracks: sequence.motion = "independent" has no velocity; choose another motion, or leave '
            "[tracks] out"
        )
    if recipe.source == "particles":
        if tracks.keypoints:
            yield 'tracks.keypoints: the tracks of source = "particles" are those of its balls; leave it out'
    elif tracks.keypoints == 0:
        yield (
            'tracks.keypoints: 0 is for the balls of source = "particles"; give the number of points, '
            f"such as {DEFAULT_KEYPOINTS}"
        )


def make_track_rule(table: TracksTable | None, source: str) -> TrackRule | None:
    """Return the rule of a table that has no faults; by default particles are followed, or 16 points."""
    if table is None:
        return None
    if table.keypoints is not None:
        return TrackRule(table.keypoints)
    return TrackRule(0 if source == "particles" else DEFAULT_KEYPOINTS)
