"""Tests of the OFF reader: random dialects of one mesh, files of trimesh, and kinds that are refused."""

import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turntable.errors import MeshError
from turntable.renderer.meshes.formats import load_mesh_file


def load(folder, data):
    (folder / "a.off").write_bytes(data if isinstance(data, bytes) else data.encode())
    return load_mesh_file(folder / "a.off")


def mesh_area(mesh):
    a, b, c = (mesh.positions[mesh.triangles[:, k]].astype(float) for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


@st.composite
def dialects(draw):
    """Points of a circle, convex faces, colors of 0 to 255, and an OFF file of them."""
    count = draw(st.integers(4, 8))
    angle = np.arange(count) * 2 * np.pi / count
    points = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1).round(3)
    index = st.lists(st.integers(0, count - 1), min_size=3, max_size=5, unique=True).map(sorted)
    faces = draw(st.lists(index, min_size=1, max_size=5))
    flags = [flag for flag in ("ST", "C", "N") if draw(st.booleans())]
    where = draw(st.sampled_from(["", "face"])) if "C" not in flags else "vertex"
    whole, has_alpha = draw(st.booleans()), draw(st.booleans())
    color = st.tuples(*[st.integers(0, 255)] * 4)
    size = len(faces) if where == "face" else len(points)
    colors = draw(st.lists(color, min_size=size, max_size=size))
    colors[0] = (255, 7, 0, 255)

    def text_of(number):
        values = colors[number][: 3 + has_alpha]
        return " ".join(str(value) if whole else f"{value / 255:.6f}" for value in values)

    comment = draw(st.sampled_from(["", "\n# nothing\n", " # nothing", "\n\n"]))
    lines = []
    for number, point in enumerate(points):
        parts = [" ".join(map(str, point)), "0 0 2" * ("N" in flags)]
        parts += [text_of(number) if where == "vertex" else "", "0.5 0.25" * ("ST" in flags)]
        lines.append("\t".join(filter(None, parts)) + comment)
    for number, face in enumerate(faces):
        lines.append(
            f"{len(face)} {' '.join(map(str, face))} {text_of(number) if where == 'face' else ''}{comment}"
        )
    gap = draw(st.sampled_from(["\n", " ", "" if "ST" not in flags else "\n", "\n#a\n"]))
    counts = f"{count} {len(faces)}" + draw(st.sampled_from([" 0", ""]))
    text = "\n".join([f"{''.join(flags)}OFF{gap}{counts}{comment}", *lines, ""])
    data = text.replace("\n", draw(st.sampled_from(["\n", "\r\n", "\r"]))).encode()
    return points, faces, where, np.array(colors) / 255, has_alpha, "N" in flags, data


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dialects())
def test_every_dialect_is_read_alike(tmp_path, dialect):
    points, faces, where, colors, has_alpha, has_normals, data = dialect
    mesh = load(tmp_path, data)
    assert mesh.warnings == ()
    assert len(mesh.triangles) == sum(len(face) - 2 for face in faces)
    x, y = points[:, 0], points[:, 1]
    area = sum(abs(x[f] @ np.roll(y[f], -1) - y[f] @ np.roll(x[f], -1)) / 2 for f in faces)
    assert mesh_area(mesh) == pytest.approx(area, rel=1e-5)
    assert mesh.has_normals == has_normals
    if has_normals:
        assert (mesh.normals == [0, 0, 1]).all()
    if not where:
        assert mesh.colors is None
        return
    number = np.argmin(np.linalg.norm(mesh.positions[:, None] - points[None], axis=2), axis=1)
    if where == "face":
        number = np.repeat(np.arange(len(faces)), [3 * (len(face) - 2) for face in faces])
    expected = colors[number].copy()
    expected[:, :3] = expected[:, :3]
    expected[:, 3] = expected[:, 3] if has_alpha else 1
    np.testing.assert_allclose(
        mesh.colors[mesh.triangles.ravel() if where == "face" else slice(None)], expected, atol=3e-6
    )


def test_files_of_trimesh_come_back(tmp_path):
    made = trimesh.creation.annulus(0.5, 1.0, 2.0)
    made.export(tmp_path / "a.off")
    mesh = load_mesh_file(tmp_path / "a.off")
    again = trimesh.load_mesh(tmp_path / "a.off", process=False)
    np.testing.assert_array_equal(mesh.positions[mesh.triangles], again.triangles.astype(np.float32))
    np.testing.assert_allclose(mesh.normals[::3], again.face_normals, atol=1e-4)


POINTS = "0 0 0\n1 0 0\n1 1 0\n0 1 0\n"


def test_some_faces_without_a_color_are_gray(tmp_path):
    mesh = load(tmp_path, f"OFF\n4 3 0\n{POINTS}3 0 1 2 255 0 0\n3 0 2 3\n3 0 1 3 0 0 255 0\n")
    assert mesh.colors[::3].tolist() == [
        [1, 0, 0, 1],
        [pytest.approx(0.906, abs=1e-3)] * 3 + [1],
        [0, 0, 1, 0],
    ]


def test_an_index_of_a_color_is_told(tmp_path):
    mesh = load(tmp_path, f"OFF\n4 2 0\n{POINTS}3 0 1 2 5\n3 0 2 3 6\n")
    assert mesh.colors is None
    assert [warning.kind for warning in mesh.warnings] == ["color-approximated"]


def test_colors_of_ones_are_not_black(tmp_path):
    mesh = load(tmp_path, f"OFF\n4 2 0\n{POINTS}3 0 1 2 1 0 0\n3 0 2 3 0 0 1\n")
    assert mesh.colors[::3].tolist() == [[1, 0, 0, 1], [0, 0, 1, 1]]


@pytest.mark.parametrize("word", ["4OFF", "ST4OFF", "nOFF", "OFF BINARY"])
def test_other_kinds_are_refused_by_name(tmp_path, word):
    with pytest.raises(MeshError, match=r"binary OFF|4OFF|nOFF") as caught:
        load(tmp_path, f"{word}\n3 1 0\n" + POINTS)
    assert caught.value.reason == "unsupported"


def test_numbers_without_line_ends(tmp_path):
    mesh = load(tmp_path, f"OFF 4 2 0 {POINTS} 3 0 1 2 3 0 2 3".replace("\n", " "))
    assert mesh_area(mesh) == pytest.approx(1)


def test_every_cut_is_noticed(tmp_path):
    data = f"OFF\n4 2 0\n{POINTS}3 0 1 2\n3 0 2 3\n"
    for end in range(len("OFF\n4 2 0\n"), len(data) - 2):
        with pytest.raises(MeshError) as caught:
            load(tmp_path, data[:end])
        assert caught.value.reason == "cut off", data[:end]


def test_far_coordinates_lose_nothing(tmp_path):
    points = "498312 4620118 212\n498313 4620118 212\n498313 4620119 212\n498312 4620119 212\n"
    mesh = load(tmp_path, f"OFF\n4 1 0\n{points}4 0 1 2 3\n")
    assert mesh_area(mesh) == pytest.approx(1)


def test_the_keyword_may_be_missing_before_or_after_comments(tmp_path):
    body = "3\t1\t3 # counts\n0\t0\t0\n1 0 0\t# second\n0 1 0\n3\t0 1 2\n"
    for number, head in enumerate(("", "# made by hand\n", "\n\t# a\n#b\n", "OFF # a\n#b\n\t", "#a\nOFF\t")):
        path = tmp_path / f"{number}.off"
        path.write_text(head + body)
        mesh = load_mesh_file(path)
        assert (len(mesh.triangles), mesh.warnings) == (1, ())


@pytest.mark.parametrize("head", ["appearance {\n texture { file a.pgm }\n}\n", "{ ", "# x\n{\n", "LIST\n{ "])
def test_oogl_around_the_data_is_named_as_such(tmp_path, head):
    path = tmp_path / "square.off"
    path.write_text(f"{head}OFF\n3 1 3\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n}}\n")
    with pytest.raises(MeshError, match="OOGL") as raised:
        load_mesh_file(path)
    assert raised.value.reason == "unsupported"
