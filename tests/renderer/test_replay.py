import numpy as np
import pytest
from PIL import Image

from tests.support.meshes import write_shapenet_object
from turntable.errors import InvalidInputError, MeshError
from turntable.renderer.backends import get_quality
from turntable.renderer.meshes.sources import load_mesh
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource
from turntable.renderer.replay import read_latents, replay

HEADER = "object,view,rotation_x_rad,rotation_y_rad,rotation_z_rad,floor_hue,light_theta_rad,light_phi_rad"
HEADER += ",light_hue"
ROWS = ["100/cube,3,0.1,0.2,0.3,0.4,0.5,0.6,0.7", "100/cube,0,0,0,0,0,0,0,0"]


@pytest.fixture
def table(tmp_path):
    def write(*lines):
        path = tmp_path / "latents.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def test_reads_names_and_rows(table):
    latents = read_latents(table(HEADER + ",translation_x", *(row + ",0.25" for row in ROWS)))
    assert latents.names[-1] == "translation_x"
    assert latents.rows[0].values == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.25)
    assert [(name, [row.view for row in rows]) for name, rows in latents.iter_objects()] == [
        ("100/cube", [0, 3])
    ]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "missing columns: object, view"),
        ([HEADER.replace("floor_hue,", ""), "100/cube,0,0,0,0,0,0,0"], "missing columns: floor_hue"),
        ([HEADER + ",glare", ROWS[0] + ",1"], "unknown columns: glare"),
        ([HEADER], "no views"),
        ([HEADER, ROWS[0] + ",1"], "line 2: 10 values for 9 columns"),
        ([HEADER, ROWS[0], ROWS[1].replace("cube,0", "cube,x")], "line 3: .*views are whole numbers"),
        ([HEADER, ROWS[0].replace("0.3", "nan")], "line 2: a factor is NaN"),
    ],
)
def test_bad_tables(table, lines, words):
    with pytest.raises(InvalidInputError, match=rf"latents\.csv.*{words}"):
        read_latents(table(*lines))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.replace(",", ", "),
        lambda text: text.replace(",", ";").replace(".", ","),  # Excel in Europe
        lambda text: "sep=;\n" + text.replace(",", ";"),
        lambda text: text.replace(",", "\t"),
        lambda text: text + ",,,,,,,,\n",  # a row that was emptied
        lambda text: "".join(f'"{line.replace(",", chr(34) + "," + chr(34))}"\n' for line in text.split()),
    ],
    ids=["plain", "blanks", "semicolons", "hint", "tabs", "empty-row", "quotes"],
)
def test_tables_of_spreadsheets_are_read(tmp_path, table, encoding, change):
    path, text = tmp_path / "table.csv", "\n".join([HEADER, *ROWS, ""])
    path.write_bytes(change(text).replace("\n", "\r\n").encode(encoding))
    assert read_latents(path) == read_latents(table(HEADER, *ROWS))


def test_a_number_of_a_spreadsheet_that_is_none_names_its_line(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(
        "sep=;\n" + "\n".join([HEADER, ROWS[0], ROWS[1].replace("cube,0,0", "cube,0,?")]).replace(",", ";")
    )
    with pytest.raises(InvalidInputError, match=r"line 4: could not convert string to float: '\?'"):
        read_latents(path)


def test_missing_table(tmp_path):
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_latents(tmp_path / "none.csv")


@pytest.mark.gl
def test_writes_pictures_and_masks(tmp_path, table, gl_backend):
    write_shapenet_object(tmp_path / "meshes", "100/cube")
    (tmp_path / "meshes/100/cube/images/texture0.png").unlink()
    latents, told, warned = read_latents(table(HEADER, *ROWS)), [], []
    done = replay(
        gl_backend,
        latents,
        ShapeNetSource(tmp_path / "meshes"),
        tmp_path / "out",
        48,
        get_quality("fast"),
        masks=True,
        progress=lambda *counts: told.append(counts),
        warn=warned.append,
    )
    assert done == 2
    assert told == [(2, 2)]
    assert len(warned) == 1
    assert "texture0.png is missing" in warned[0]
    names = sorted(path.name for path in (tmp_path / "out/100/cube").iterdir())
    assert names == ["image_0.png", "image_3.png", "mask_0.png", "mask_3.png"]
    with (
        Image.open(tmp_path / "out/100/cube/image_0.png") as picture,
        Image.open(tmp_path / "out/100/cube/mask_0.png") as mask,
    ):
        assert (picture.size, picture.mode, mask.mode) == ((48, 48), "RGB", "L")
        assert set(np.unique(np.asarray(mask))) == {0, 255}


@pytest.mark.gl
def test_unknown_objects_stop_before_anything_is_drawn(tmp_path, table, gl_backend):
    write_shapenet_object(tmp_path / "meshes", "100/cube")
    latents = read_latents(table(HEADER, ROWS[0], ROWS[0].replace("cube", "sphere")))
    with pytest.raises(
        InvalidInputError, match="1 objects of the table are not among the meshes: 100/sphere"
    ):
        replay(
            gl_backend,
            latents,
            ShapeNetSource(tmp_path / "meshes"),
            tmp_path / "out",
            32,
            get_quality("fast"),
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.gl
def test_a_table_may_turn_the_camera_and_shift_its_lens(tmp_path, table, gl_backend):
    write_shapenet_object(tmp_path / "meshes", "100/cube")
    header = HEADER + ",camera_roll_rad,principal_point_dx_px"
    source, quality = ShapeNetSource(tmp_path / "meshes"), get_quality("fast")
    latents = read_latents(table(header, ROWS[0] + ",0,0", ROWS[1] + ",0,0", "100/cube,1,0,0,0,0,0,0,0,0,8"))
    replay(gl_backend, latents, source, tmp_path / "out", 48, quality, masks=True)
    centered, shifted = (
        np.asarray(Image.open(tmp_path / f"out/100/cube/mask_{view}.png")) for view in (0, 1)
    )
    assert centered.any()
    np.testing.assert_array_equal(shifted[:, 8:], centered[:, :-8])
    wide = read_latents(table(header, ROWS[0] + ",0,0", ROWS[1] + ",0.5,-24.5"))
    with pytest.raises(
        InvalidInputError,
        match=r"object 100/cube, view 0: principal_point_dx_px -24\.5 is more than half of the picture's 48",
    ):
        replay(gl_backend, wide, source, tmp_path / "none", 48, quality)
    assert not (tmp_path / "none").exists()


@pytest.mark.gl
def test_a_broken_mesh_is_named(tmp_path, table, gl_backend):
    write_shapenet_object(tmp_path / "meshes", "100/cube", obj="v 0 0 0\n")
    with pytest.raises(MeshError, match=r"100/cube/models/model_normalized\.obj: no faces"):
        replay(
            gl_backend,
            read_latents(table(HEADER, *ROWS)),
            ShapeNetSource(tmp_path / "meshes"),
            tmp_path,
            32,
            get_quality("fast"),
        )


def test_a_parser_that_stumbles_is_a_mesh_error(tmp_path):
    class Stumbling(ShapeNetSource):
        def load(self, object_id):
            raise KeyError(object_id)

    with pytest.raises(MeshError, match=r"100/cube: cannot be read .*KeyError"):
        load_mesh(Stumbling(tmp_path), "100/cube")
