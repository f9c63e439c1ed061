"""Meshes as people have them: 92 situations reported against mesh tools, each rendered and compared.

A case is a folder with ``bad.*``, the situation as it was reported, and mostly ``ref.*``, the same right
picture written plainly. Files that were honored have no warning; whatever else is shown has one of its kind.
"""

import tarfile
from pathlib import Path

import numpy as np
import pytest

from turntable.datasets import Dataset, Recipe, open_dataset, verify_dataset
from turntable.datasets.files import decode_jpeg
from turntable.datasets.objects import read_quarantine, read_warnings
from turntable.renderer import generate
from turntable.renderer.meshes.sources import FolderSource

pytestmark = [pytest.mark.gl, pytest.mark.slow]

CASES = Path(__file__).parents[1] / "fixtures/mesh-cases.tar.xz"

RECIPE = Recipe.from_dict(
    {
        "name": "fixed",
        "description": "One fixed view, straight on: x right, y up of OBJ and glTF files",
        "source": "folder",
        "views": 1,
        "image_size_px": 128,
        "quality": "standard",
        "jpeg_subsampling": "444",
        "seed": 1,
        "val_fraction": 0,
        "outputs": ["rgb", "mask"],
        "factors": {
            "rotation_x_rad": {"value": "-pi/4"},
            "rotation_y_rad": {"value": 0},
            "rotation_z_rad": {"value": "pi"},
            "floor_hue": {"value": 0.6},
            "light_theta_rad": {"value": 0},
            "light_phi_rad": {"value": 0},
            "light_hue": {"value": 0},
            "light_power_w": {"value": 0},
            "sun_strength": {"value": 3},
            "camera_distance": {"value": 1.6},
        },
    }
)

_HONORED = """
far-stray-vertex
gltf-color0-gradient gltf-color0-times-texture gltf-data-uri-unpadded gltf-gpu-instancing
gltf-gpu-instancing-required gltf-ktx2 gltf-mask-cutoff gltf-mirrored-node gltf-morph-default-weights
gltf-second-uv gltf-skin-scale gltf-sparse-quantized gltf-texture-beside-folder
gltf-texture-transform gltf-uri-forms gltf-webp gltf-wrap-clamp
huge-scale
image-cmyk-jpg image-exif-jpg image-float-tif image-gray16-png image-npot-png image-palette-png
image-plain-bmp image-plain-tga image-rgb16-png
inward-normals inward-winding
mtl-cr-only mtl-map_kd-case mtl-option-and-blank mtl-scale-option mtl-tabs
mtllib-two-on-a-line
obj-181-mtllib obj-bom-mtllib obj-concave obj-cr-only obj-empty-usemtl obj-mixed-suffix-case
obj-texture-beside-folder obj-trailing-comment obj-unicode-names obj-utm obj-vertex-colors
off-coff-int off-comments off-face-colors off-no-edges off-noff
one-triangle
ply-banding ply-big-endian ply-big-endian-plain ply-coarse-colors ply-concave ply-diffuse-colors
ply-face-colors ply-float-colors ply-mixed-polygons ply-texture-face ply-tristrips ply-uint-index
stl-end-loop stl-latin1-name stl-lead-blank stl-solid-binary stl-two-solids stl-upper
stl-zero-normals
tiny-scale tiny-scale-glb
zero-normals
"""
HONORED = [name for line in _HONORED.splitlines() for name in line.split()]
"""Cases whose files are shown as they say, so without a warning."""
WARNED = {
    "gltf-emissive-only": {"surface-approximated"},
    "gltf-glass": {"transparency-approximated"},
    "gltf-scene-lists-child": {"node-skipped"},
    "gltf-scene-one": {"points-skipped"},
    "gltf-specgloss": {"surface-approximated"},
    "gltf-unlit": {"surface-approximated"},
    "image-plain-avif": {"file-unreadable"},
    "image-truncated-jpg": {"image-cut"},
    "mtl-absolute-windows": {"file-elsewhere"},
    "mtl-wrong-case": {"file-elsewhere"},
    "mtllib-absolute": {"file-elsewhere"},
    "mtllib-renamed": {"file-elsewhere"},
    "obj-bad-vt-index": {"reference-skipped"},
    "obj-dialect": {"points-skipped"},
    "obj-two-corner-face": {"face-skipped"},
    "stl-attribute-bytes": {"color-approximated"},
    "stl-wrong-count": {"header-repaired"},
}
"""Cases that are shown otherwise than their files say, with all kinds of their warnings."""
SHOWN_OTHERWISE = {
    "inward-normals": "normals against the face are black, as in Blender",
    "tiny-scale-glb": "the default material of glTF is not that of OBJ",
    "image-plain-avif": "Blender cannot read the format either",
}
"""Cases whose picture is right and differs from that of ``ref``, with the reasons."""
NAMES = sorted({*HONORED, *WARNED})


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """All cases, rendered in one run."""
    folder = tmp_path_factory.mktemp("cases")
    with tarfile.open(CASES) as archive:
        archive.extractall(folder, filter="data")
    generate(RECIPE, FolderSource(folder / "mesh-cases"), folder / "set", num_workers=2)
    return open_dataset(folder / "set")


@pytest.fixture(scope="module")
def pictures(dataset: Dataset) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Picture and mask of each object by id, as numbers that can be subtracted."""
    with dataset.open_split("train") as split:
        return {
            record.id: (
                decode_jpeg(split.read_jpeg(row, 0)).astype(int),
                split.read_output(row, 0, "mask").astype(int),
            )
            for row, record in enumerate(split.objects)
        }


def get_bad(pictures, name):
    return next((pictures[key] for key in (f"{name}/bad", f"{name}/Bad") if key in pictures), None)


def test_the_cases_are_these_92(dataset):
    names = {path.name for path in (dataset.path.parent / "mesh-cases").iterdir()} - {"textures"}
    assert names == set(NAMES)
    assert len(HONORED) + len(WARNED) == len(NAMES) == 92
    assert verify_dataset(dataset.path).problems == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_case_shows_what_its_plain_form_shows(pictures, name):
    shown, plain = get_bad(pictures, name), pictures.get(f"{name}/ref")
    assert shown is not None
    if plain is None or name in SHOWN_OTHERWISE:
        return
    difference = np.abs(shown[0] - plain[0])
    assert difference.mean() < 3
    assert (difference.max(-1) > 24).mean() < 0.01
    assert (shown[1] != plain[1]).mean() < 0.004


def test_a_gray_ramp_of_vertex_colors_has_no_bands(pictures):
    shown, mask = get_bad(pictures, "ply-banding")
    inside = shown[mask > 0]
    assert len(np.unique(inside[:, 1])) >= 60
    assert np.abs(shown - pictures["ply-banding/ref"][0])[mask > 0].mean() < 1.5


def test_whatever_is_not_honored_has_a_warning_of_its_kind_and_nothing_else_has(dataset):
    kinds = {name: set() for name in NAMES}
    for record in read_warnings(dataset.path / "warnings.jsonl"):
        case, _, file = record.object.partition("/")
        assert file in ("bad", "Bad"), record  # the plain forms are shown as they say
        kinds[case].add(record.kind)
    assert kinds == {name: WARNED.get(name, set()) for name in NAMES}


def test_no_case_is_refused(dataset):
    assert read_quarantine(dataset.path / "quarantine.jsonl") == ()
