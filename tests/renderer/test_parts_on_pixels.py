"""The pixels of each part lie where its own vertices are, placed by the stored pose alone."""

import numpy as np
import pytest

from turntable.datasets import load_recipe
from turntable.datasets.labels import NO_PART
from turntable.datasets.objects import get_rest_poses
from turntable.geometry import invert_pose
from turntable.renderer import open_backend, open_recipe_source, render_views
from turntable.renderer.meshes.sources import load_mesh
from turntable.renderer.scene import scenes_from_labels

SIZE_PX = 96


@pytest.mark.gl
@pytest.mark.parametrize(
    "name", ["articulated", "articulated-unseen", "scenes", "scenes-ood", "charged", "springs"]
)
def test_pixels_of_a_part_are_within_its_projected_vertices(name: str) -> None:
    recipe = load_recipe(name).replace(image_size_px=SIZE_PX, quality="fast", outputs=["rgb", "parts"])
    base = {"num_base_objects": 40} if recipe.scene is not None else {}
    source = open_recipe_source(recipe, None, 3, **base)
    seen = 0
    with open_backend("moderngl") as backend:
        for item in source.list_objects():
            mesh = load_mesh(source, item.id)
            views = render_views(backend, recipe, item.id, mesh, range(3))
            scenes = scenes_from_labels(
                recipe.schema.scene_names, recipe.schema.select_scene_columns(views.labels)
            )
            assert views.parts is not None
            for view, pixels in enumerate(views.extras["parts"]):
                shown = set(np.unique(pixels)) - {NO_PART}
                assert shown <= set(range(len(mesh.parts)))
                for part in shown:
                    row, column = np.nonzero(pixels == part)
                    places = project(mesh, scenes, views.parts.part_pose[view, part], view, part)
                    low, high = places.min(axis=0), places.max(axis=0)
                    assert low[0] - 1 <= column.min()
                    assert column.max() <= high[0]
                    assert low[1] - 1 <= row.min()
                    assert row.max() <= high[1]
                    seen += 1
    assert seen > 12, "most parts are seen"


def project(mesh, scenes, pose, view, part):
    """Project the vertices of a part, in its own frame by its rest pose, by the pose that a set stores."""
    vertices = mesh.positions[mesh.triangles[mesh.part_index == part].ravel()].astype(float)
    own = invert_pose(get_rest_poses(mesh.parts)[part])
    to_camera = scenes.world_to_camera[view] @ pose.astype(float) @ own
    camera = vertices @ to_camera[:3, :3].T + to_camera[:3, 3]
    image = camera @ scenes.compute_intrinsics(SIZE_PX)[view].T
    return image[:, :2] / image[:, 2:]
