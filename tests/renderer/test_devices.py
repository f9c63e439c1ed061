"""Which devices are meant, and which backend draws: on machines described by lists, and on this one."""

import pytest

from tests.support.optional import needs_pyrender
from turntable.errors import DeviceError, InvalidInputError, MissingExtraError
from turntable.renderer.backends import BackendSelection, egl, list_devices, select_backend
from turntable.renderer.backends.devices import resolve_device_groups
from turntable.renderer.backends.egl import EGLDevice

CARDS = tuple(
    # EGL's order is its own: CUDA's first device is EGL's second.
    EGLDevice(index, cuda, f"/dev/dri/card{index}", software=False)
    for index, cuda in enumerate((2, 0, 1))
)
INTEL = EGLDevice(3, None, "/dev/dri/card3", software=False)
LLVMPIPE = EGLDevice(4, None, None, software=True)
ALL = (*CARDS, INTEL, LLVMPIPE)
UUID = "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"


def indices(groups):
    return [[device.index for device in group] for group in groups]


@pytest.mark.parametrize(
    ("text", "visible", "expected"),
    [
        ("auto", None, [[0, 1, 2], [3], [4]]),
        ("auto", "0,2", [[0, 1], [3], [4]]),
        ("auto", "", [[3], [4]]),
        ("auto", "-1", [[3], [4]]),
        ("auto", "1,-1,0", [[2], [3], [4]]),
        ("software", None, [[4]]),
        ("egl:3", None, [[3]]),
        ("cuda:0", None, [[1]]),
        ("cuda:2, cuda:0", None, [[0, 1]]),
        ("cuda:0,cuda:0", None, [[1]]),
        # As CUDA itself counts: the second of those that are visible.
        ("cuda:1", "2,0", [[1]]),
        ("egl:0", "", [[0]]),
    ],
)
def test_devices_by_name(text, visible, expected):
    assert indices(resolve_device_groups(text, ALL, visible)) == expected


@pytest.mark.parametrize("text", ["gpu", "cuda", "cuda:", "egl:-1", "egl:x", "", "egl:0,,egl:1", "cuda:1.5"])
def test_names_that_mean_nothing(text):
    with pytest.raises(InvalidInputError, match="give auto, software, egl:N or cuda:N"):
        resolve_device_groups(text, ALL, None)


@pytest.mark.parametrize(
    ("text", "visible", "said"),
    [
        ("egl:5", None, "there is no device egl:5; EGL has egl:0, CUDA device 2, /dev/dri/card0; egl:1"),
        ("cuda:3", None, "there is no device cuda:3"),
        ("cuda:1", "2", "CUDA_VISIBLE_DEVICES=2 shows 1"),
        ("cuda:0", UUID, "give egl:N instead"),
        ("auto", UUID, "there are 3 NVIDIA devices; choose one, as in --device egl:0"),
    ],
)
def test_devices_that_are_not_there(text, visible, said):
    with pytest.raises(DeviceError, match=said):
        resolve_device_groups(text, ALL, visible)


def test_a_uuid_is_no_question_where_there_is_one_card():
    assert indices(resolve_device_groups("auto", (CARDS[1], LLVMPIPE), UUID)) == [[1], [4]]


def test_without_software_the_error_says_what_there_is():
    with pytest.raises(DeviceError, match="CUDA device 2"):
        resolve_device_groups("software", CARDS, None)


def test_workers_take_devices_in_turn():
    choice = BackendSelection("moderngl", (2, 0, 1))
    assert [choice.get_device(worker) for worker in range(5)] == [2, 0, 1, 2, 0]


@pytest.mark.gl
class TestThisMachine:
    def test_lists_devices_without_a_context(self):
        devices = list_devices()
        assert [device.index for device in devices] == list(range(len(devices)))
        assert devices

    @pytest.mark.parametrize("backend", ["moderngl", "pyrender"])
    def test_a_device_is_opened_by_its_index(self, backend):
        if backend == "pyrender":
            needs_pyrender()
        with select_backend(backend, "egl:0").open() as opened:
            assert opened.device.backend == backend

    @pytest.mark.parametrize("backend", ["auto", "moderngl", "pyrender"])
    def test_an_index_that_does_not_exist(self, backend):
        with pytest.raises(DeviceError, match=r"there is no device egl:77; EGL has egl:0"):
            select_backend(backend, "egl:77")

    def test_software_warns(self):
        choice = select_backend("auto", "software")
        assert choice.backend == "moderngl"
        assert "IN SOFTWARE" in choice.warnings[0]

    def test_a_device_that_cannot_be_opened_is_passed_over_and_said(self, monkeypatch):
        broken = EGLDevice(9, 0, None, software=False)
        monkeypatch.setattr(
            "turntable.renderer.backends.selection.list_devices", lambda: (broken, *list_devices())
        )
        choice = select_backend()
        assert 9 not in choice.devices
        assert "egl:9, CUDA device 0 cannot be used: no OpenGL context" in choice.warnings[0]

    def test_an_nvidia_gpu_behind_software_is_a_louder_warning(self, monkeypatch, tmp_path):
        monkeypatch.setattr("turntable.renderer.backends.selection.NVIDIA_NODE", tmp_path)
        assert "NVIDIA GPU without a driver" in select_backend("auto", "software").warnings[0]


class TestWithoutOpenGL:
    @pytest.fixture(autouse=True)
    def no_library(self, monkeypatch):
        monkeypatch.setattr(egl, "LIBRARY", "libEGL-that-is-not-there.so")

    def test_rays_take_over_and_say_why(self):
        choice = select_backend()
        assert choice.backend == "embree"
        assert "apt-get install -y --no-install-recommends libegl1 libgl1-mesa-dri" in choice.warnings[0]
        with choice.open() as backend:
            assert backend.device.backend == "embree"

    @pytest.mark.parametrize(
        ("backend", "device"), [("moderngl", "auto"), ("auto", "egl:0"), ("auto", "cuda:0")]
    )
    def test_what_was_asked_for_by_name_is_not_replaced(self, backend, device):
        with pytest.raises(DeviceError, match="no EGL library"):
            select_backend(backend, device)


def test_without_moderngl_rays_take_over(monkeypatch):
    def missing(backend, index=None):
        raise MissingExtraError("moderngl", "render")

    monkeypatch.setattr("turntable.renderer.backends.selection.probe_device", missing)
    monkeypatch.setattr("turntable.renderer.backends.selection.list_devices", lambda: ALL)
    assert select_backend().backend == "embree"


def test_embree_has_no_devices_to_choose_from():
    with pytest.raises(InvalidInputError, match="embree runs on the CPU; leave --device out"):
        select_backend("embree", "egl:0")


def test_an_unknown_backend():
    with pytest.raises(InvalidInputError, match="'vulcan'; choose one of: auto, moderngl, embree, pyrender"):
        select_backend("vulcan")
