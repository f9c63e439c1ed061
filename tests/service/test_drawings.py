"""Arrays of objects as drawings in space: their JSON, the gallery's canvas, and the plot of inspect."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.support.asking import client_of
from tests.support.browser import CHROMIUM
from tests.support.made_ways import make
from tests.support.quick_run import InProcess
from turntable.cli import main
from turntable.datasets import load_recipe, open_dataset
from turntable.datasets.describing import draw_object, list_drawings
from turntable.renderer import generate, open_recipe_source
from turntable.testing.datasets import make_synthetic_dataset


@pytest.fixture(scope="module")
def served_folder(tmp_path_factory):
    """A folder with a set of clouds alone."""
    folder = tmp_path_factory.mktemp("sets")
    recipe = load_recipe("zoo").replace(outputs=[], points=400, views=2, image_size_px=32)
    generate(recipe, open_recipe_source(recipe, None, 2), folder / "clouds", num_objects=2)
    return folder


@pytest.fixture(scope="module")
def split(served_folder):
    dataset = open_dataset(served_folder / "clouds")
    with dataset.open_split(dataset.splits[0]) as split:
        yield split


def test_a_cloud_is_drawn_where_its_points_are(split):
    assert list_drawings(split.manifest) == {"points": "Point cloud"}
    (frame,) = draw_object(split, 0, "points").frames
    points = split.read_points(0)[:, :3]
    assert (frame.points == points).all()
    order = np.argsort(points[:, 2])
    assert (np.diff(frame.point_colors[order].astype(int)) >= 0).all()  # colors follow the height
    assert frame.point_colors.max() > 20


def test_the_service_gives_drawings(served_folder, split):
    with client_of(served_folder) as client:
        about = client.get("/datasets/clouds/about").json()
        assert about["drawings"] == {"points": "Point cloud"}
        place = f"/datasets/clouds/objects/{split.keys[0]}/drawings"
        drawing = client.get(f"{place}/points.json").json()
        (frame,) = drawing["frames"]
        assert np.allclose(np.reshape(frame["points"], (-1, 3)), split.read_points(0)[:, :3], atol=1e-4)
        assert len(frame["point_colors"]) == 400
        assert max(frame["point_colors"]) < len(drawing["palette"])
        refused = client.get(f"{place}/tracks.json")
        assert refused.status_code == 404
        assert "no drawing 'tracks'; it has points" in refused.json()["error"]


def test_inspect_plots_the_arrays_of_a_set(served_folder, tmp_path, capsys):
    plot = tmp_path / "plot.png"
    with pytest.raises(SystemExit) as ended:
        main(["inspect", str(served_folder / "clouds"), "--plot", str(plot)])
    assert ended.value.code == 0
    assert np.asarray(Image.open(io.BytesIO(plot.read_bytes()))).std() > 5
    plain = make_synthetic_dataset(tmp_path / "plain", num_objects=2, num_categories=1, num_views=2)
    with pytest.raises(SystemExit) as ended:
        main(["inspect", str(plain.path), "--plot", str(plot)])
    assert ended.value.code == 2
    assert "has no clouds, tracks, scans, graphs or molecules to draw" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")
def test_a_cloud_can_be_turned_in_the_gallery(page, running, split):
    failures = []
    page.on("response", lambda response: failures.append(response.url) if response.status >= 400 else None)
    page.goto(f"{running.url}/gallery/#/d/clouds/o/{split.keys[0]}")
    canvas = page.locator(".space canvas")
    page.get_by_text("400 points").wait_for()
    page.locator(".space .stage").focus()
    before = canvas.screenshot()
    page.keyboard.press("ArrowRight")
    after = canvas.screenshot()
    assert before != after
    page.keyboard.press("Home")
    assert canvas.screenshot() == before
    page.goto(f"{running.url}/gallery/#/d/clouds/o/{split.keys[0]}/1")
    page.get_by_text("Rotation as quaternion").wait_for()
    page.goto(f"{running.url}/gallery/")
    page.get_by_text("no pictures").wait_for()
    assert not failures  # nothing is asked for that a set without pictures does not have


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Open the training split of a small set of this name."""
    folder, opened = tmp_path_factory.mktemp("made"), {}

    def get(name):
        if name not in opened:
            make(name, folder / name, engine=InProcess())
            dataset = open_dataset(folder / name)
            opened[name] = dataset.open_split(dataset.splits[0])
        return opened[name]

    yield get
    for split in opened.values():
        split.close()


def test_tracks_are_drawn_with_where_they_were(made):
    split = made("twins")
    tracks = split.read_array(0, "tracks")
    frames = draw_object(split, 0, "tracks").frames
    assert [len(frame.lines) for frame in frames] == [0, tracks.shape[1]]  # one sequence of two frames
    assert all((frame.points == places).all() for frame, places in zip(frames, tracks, strict=True))
    assert (frames[1].lines == np.stack([tracks[0], tracks[1]], axis=1)).all()


def test_graphs_and_parts_are_drawn(made):
    split = made("twins")
    (graph,) = draw_object(split, 0, "surface_graph").frames
    vertices, edges = split.read_array(0, "vertices"), split.read_array(0, "edges")
    assert (graph.points == vertices[:, :3]).all()
    assert len(graph.lines) == len(edges) / 2
    drawn = {tuple(sorted(map(tuple, line.tolist()))) for line in graph.lines}
    assert drawn == {tuple(sorted(map(tuple, vertices[pair, :3].tolist()))) for pair in edges}
    (parts,) = draw_object(split, 0, "point_parts").frames
    assert (parts.point_colors == split.read_array(0, "point_parts")).all()


def test_scans_are_drawn_from_above_with_their_boxes(made):
    split = made("street")
    drawing, boxes = draw_object(split, 0, "scan"), split.read_array(0, "boxes")
    assert drawing.from_above
    for view, frame in enumerate(drawing.frames):
        scan = split.read_output(0, view, "scan")
        assert (frame.points == scan[:, :3]).all()
        centers = frame.lines.reshape(len(boxes[view]), -1, 3).mean(axis=1)
        assert np.allclose(centers, boxes[view][:, :3], atol=1e-4)
        lengths = np.linalg.norm(frame.lines[:, 0] - frame.lines[:, 1], axis=-1).reshape(len(boxes[view]), 12)
        assert np.allclose(np.sort(lengths), np.sort(np.repeat(boxes[view][:, 3:6], 4, axis=1)), atol=1e-4)


def test_molecules_are_drawn_in_the_colors_of_their_elements(made):
    split = made("molecules")
    drawing = draw_object(split, 0, "molecule")
    (frame,) = drawing.frames
    assert (frame.points == split.read_array(0, "atom_positions")).all()
    assert (frame.point_colors == split.read_array(0, "elements")).all()
    assert len(frame.lines) == np.count_nonzero(split.read_array(0, "bonds")) / 2
    red, _, blue = drawing.palette[8]  # oxygen
    assert red > 2 * blue
