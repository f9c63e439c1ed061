"""The sdist holds the checkout, the wheel holds the package, and both are built from what git has alone."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

from turntable import __version__
from turntable.installation import DISTRIBUTION

ROOT = Path(__file__).resolve().parents[1]
STEM = f"{DISTRIBUTION}-{__version__}"
CI_AND_GIT = {".ci/run", ".gitignore"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="what belongs into the packages is asked of git"),
]


@pytest.fixture(scope="module")
def files():
    """Every file of the checkout that git has, or would take."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return {name for name in names if (ROOT / name).is_file()}


def built(kind, source, out):
    """Build as installers do, with setuptools; give the package's file."""
    code = f"import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(out)], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (package,) = out.iterdir()
    return package


@pytest.fixture(scope="module")
def sdist(files, tmp_path_factory):
    """The sdist of a copy, unpacked: a checkout may hold what earlier builds have left."""
    place = tmp_path_factory.mktemp("packages")
    for name in files:
        (place / "copy" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, place / "copy" / name)
    (place / "sdist").mkdir()
    with tarfile.open(built("sdist", place / "copy", place / "sdist")) as archive:
        archive.extractall(place, filter="data")
    return place / STEM


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    return zipfile.ZipFile(built("wheel", sdist, tmp_path_factory.mktemp("wheel")))


def contents(folder):
    """The files below a folder, but for those that setuptools adds."""
    made = {"PKG-INFO", "setup.cfg", f"{DISTRIBUTION}.egg-info"}
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in paths if path.parts[0] not in {*made, "build"}}


def test_the_sdist_documents_tests_and_builds_the_package(files, sdist):
    assert files - contents(sdist) == CI_AND_GIT
    assert contents(sdist) - files == set()
    assert (sdist / "scripts" / "test").stat().st_mode & 0o100, "what is run stays so"


def test_the_wheel_is_the_package_and_nothing_else(files, wheel):
    named = {name for name in wheel.namelist() if not name.startswith(f"{STEM}.dist-info/")}
    assert named == {name for name in files if name.startswith("turntable/")}
    kinds = {Path(name).suffix for name in named}
    assert kinds == {".py", ".typed", ".toml", ".glsl", ".html", ".css", ".js", ".svg", ".g6"}


def test_the_wheel_says_what_it_is(wheel):
    about = message_from_string(wheel.read(f"{STEM}.dist-info/METADATA").decode())
    assert (about["Name"], about["Version"]) == (DISTRIBUTION, __version__)
    assert "## Install" in about.get_payload()
    assert f"{STEM}.dist-info/licenses/LICENSE" in wheel.namelist()
    points = wheel.read(f"{STEM}.dist-info/entry_points.txt").decode()
    assert points == "[console_scripts]\nturntable = turntable.cli:main\n"
