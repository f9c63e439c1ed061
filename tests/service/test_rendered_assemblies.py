"""A view of an assembly that the service renders again has its parts where the view has them."""

import numpy as np

from tests.support.assemblies import BACKEND, HingedBoxes
from turntable.datasets import load_recipe
from turntable.datasets.files import decode_jpeg
from turntable.datasets.objects import compute_joint_motions, get_rest_poses
from turntable.renderer import encode_views, render_views
from turntable.renderer.posing import PartPoses
from turntable.service.rendering import worker
from turntable.service.rendering.jobs import RenderJob

RECIPE = load_recipe("3diebench").replace(source="folder", views=4, image_size_px=32, quality="fast")
SOURCE = HingedBoxes(1)


def open_lid(recipe, object_id, mesh, views, object_to_world):
    """A lid that opens further in every view."""
    values = np.stack([0.4 * views, np.zeros(len(views))], axis=-1).astype(np.float32)
    poses = object_to_world[:, None] @ compute_joint_motions(mesh.parts, values) @ get_rest_poses(mesh.parts)
    return PartPoses(poses.astype(np.float32), values)


def test_parts_are_posed_as_in_the_view(monkeypatch):
    monkeypatch.setattr("turntable.renderer.views.pose_parts", open_lid)
    monkeypatch.setattr(worker, "pose_parts", open_lid)
    monkeypatch.setattr(worker, "open_source", lambda *_, **__: SOURCE)
    renderer = worker.RenderWorker(BACKEND, "auto")
    backend = renderer._get_backend()
    views = render_views(backend, RECIPE, "boxes/000", SOURCE.load("boxes/000"), range(4))
    expected = [decode_jpeg(data) for data in encode_views(RECIPE, views.rgb)]
    for view in (0, 3):
        job = RenderJob(RECIPE.to_dict(), None, 1, "boxes/000", "", view, tuple(views.labels[3].tolist()), 32)
        same = (decode_jpeg(renderer.render_jpeg(job)) == expected[3]).all()
        assert same == (view == 3)
