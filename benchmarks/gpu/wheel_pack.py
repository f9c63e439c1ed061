"""A pack of wheels and OpenGL's loaders that a bare machine lacks; it travels with the repository.

Wheels are of the versions that are installed here, for the Python and the platform that are named. What the
machine has is left out with all that it needs; what does not fit is left out by name, and its steps with it.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from steps import STEPS, Step

from turntable.installation import DISTRIBUTION

MOST_BYTES = 55 * 10**6
"""All together: more does not travel with a repository everywhere."""
NEVER = frozenset({"torch", "triton"})
"""Taken from the machine: with CUDA it has gigabytes."""
PLATFORMS = (28, 27, 24, 17, 12, 5)
"""Versions of glibc whose wheels are taken."""
DEBIAN = (
    *("libegl1", "libglvnd0", "libgl1", "libglx0", "libopengl0"),
    *("libx11-6", "libxcb1", "libxau6", "libxdmcp6", "libbsd0", "libmd0"),
)
VENDOR = {"file_format_version": "1.0.0", "ICD": {"library_path": "libEGL_nvidia.so.0"}}
"""Says to EGL's loader where NVIDIA's driver is, on a machine that has the driver and no such file."""
CONTENTS = "contents.json"


@dataclass(frozen=True, slots=True)
class Target:
    """The machine that the pack is for, which runs Linux."""

    python: str
    """The version of its Python, such as "3.12"."""
    processor: str = "x86_64"
    """Or "aarch64"."""

    @property
    def debian(self) -> str:
        """Debian's name for the processor."""
        return {"x86_64": "amd64", "aarch64": "arm64"}[self.processor]


def named(have: Iterable[str]) -> list[str]:
    """Return names of distributions from words, lists with commas, and files that have one a line."""
    words = [
        line for word in have for line in (Path(word).read_text().split() if Path(word).is_file() else [word])
    ]
    names = (part.split("==")[0].strip() for word in words for part in word.split(","))
    return [name for name in names if name]


def pack(folder: Path, target: Target, have: Sequence[str]) -> int:
    """Fill a folder anew, and print what is in it and what is not.

    Args:
        folder: Gets ``wheels``, ``debian``, a file for EGL and contents.json.
        target: The other machine.
        have: Distributions that it has.

    Returns:
        The exit status: 0, whatever had to be left out; 2 where the folder is something else's.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / CONTENTS).exists():
        print(f"scripts/gpu: {folder} holds something else; name a new folder", file=sys.stderr)
        return 2
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "wheels").mkdir(parents=True)
    (folder / "nvidia-egl.json").write_text(json.dumps(VENDOR) + "\n")
    left_out = dict[str, str]()
    if word := _unpack_debian(folder / "debian", target):
        left_out["OpenGL's loaders"] = word
    present = frozenset(map(canonicalize_name, have)) | NEVER
    for step in STEPS:
        for name in distributions_for(step, target, present):
            if name not in left_out and not _has(folder, name):
                word = _fetch(folder, name, target)
                if word:
                    left_out[name] = word
    return _told(folder, target, present, left_out)


def distributions_for(step: Step, target: Target, have: Iterable[str]) -> list[str]:
    """List the distributions that a step needs, and all that those need, without what is there already."""
    names = metadata.packages_distributions()
    found, known = list[str](), set(have)
    waiting = [canonicalize_name(names.get(module, [module])[0]) for module in step.needs]
    waiting += _required(DISTRIBUTION, target) if step.needs else []
    while waiting:
        name = waiting.pop(0)
        if name not in known:
            known.add(name)
            found.append(name)
            waiting += _required(name, target)
    return found


def _required(name: str, target: Target) -> Iterator[str]:
    environment = {**_environment(target), "extra": ""}
    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return
    for line in lines:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield canonicalize_name(requirement.name)


def _environment(target: Target) -> Mapping[str, str]:
    ours = {key: str(value) for key, value in default_environment().items()}
    return {
        **ours,
        "python_version": target.python,
        "python_full_version": f"{target.python}.0",
        "sys_platform": "linux",
        "platform_machine": target.processor,
        "platform_system": "Linux",
    }


def _fetch(folder: Path, name: str, target: Target) -> str:
    """Put a distribution's wheel into the folder; say why where it is not put there."""
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return "it is not installed here, so that no version is known"
    digits = target.python.replace(".", "")
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"),
                *("--only-binary=:all:", "--python-version", target.python, "--implementation", "cp"),
                *(word for abi in (f"cp{digits}", "abi3", "none") for word in ("--abi", abi)),
                *(word for tag in _platforms(target) for word in ("--platform", tag)),
                *("-d", place, f"{name}=={version}"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        wheels = list(Path(place).glob("*.whl"))
        if done.returncode or not wheels:
            said = done.stderr.strip().split("\n")[-1]
            return f"no wheel of {version} for Python {target.python} on {target.processor} ({said})"
        room = MOST_BYTES - _size(folder)
        if (size := wheels[0].stat().st_size) > room:
            return f"{size / 1e6:.1f} MB do not fit, {room / 1e6:.1f} MB are left"
        shutil.copy(wheels[0], folder / "wheels")
    return ""


def _platforms(target: Target) -> Iterator[str]:
    yield from (f"manylinux_2_{minor}_{target.processor}" for minor in PLATFORMS)
    yield from (f"{older}_{target.processor}" for older in ("manylinux2014", "manylinux2010", "manylinux1"))
    yield "any"


def _has(folder: Path, name: str) -> bool:
    starts = (path.name.split("-")[0] for path in (folder / "wheels").iterdir())
    return any(canonicalize_name(start) == name for start in starts)


def _unpack_debian(folder: Path, target: Target) -> str:
    """Unpack the loaders; say why where that is not possible."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return "there is no apt-get here"
    with tempfile.TemporaryDirectory() as place:
        lists = Path(place) / "lists"
        (lists / "partial").mkdir(parents=True)
        options = {
            "APT::Architecture": target.debian,
            "APT::Architectures": target.debian,
            "Dir::State::Lists": str(lists),
            "APT::Sandbox::User": "root",
        }
        apt = ["apt-get", "-q", *(word for pair in options.items() for word in ("-o", "=".join(pair)))]
        for words in (["update"], ["download", *DEBIAN]):
            done = subprocess.run([*apt, *words], cwd=place, capture_output=True, text=True, check=False)
            if done.returncode:
                return (done.stderr.strip() or "apt-get failed").split("\n")[-1]
        for package in sorted(Path(place).glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", str(package), str(folder)], check=True)
    for path in [item for item in folder.rglob("*") if "/share/" in str(item) and not item.is_dir()]:
        path.unlink()  # documentation
    return ""


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _told(folder: Path, target: Target, present: Iterable[str], left_out: Mapping[str, str]) -> int:
    skipped = {
        step.name: sorted(left_out.keys() & set(distributions_for(step, target, present))) for step in STEPS
    }
    skipped = {name: lacks for name, lacks in skipped.items() if lacks}
    wheels = sorted(path.name for path in (folder / "wheels").iterdir())
    contents = {**asdict(target), "wheels": wheels, "left_out": dict(left_out), "skipped": skipped}
    (folder / CONTENTS).write_text(json.dumps(contents, indent=1) + "\n")
    what = f"{len(wheels)} wheels for Python {target.python} on {target.processor}"
    print(f"{folder}: {what}, {_size(folder) / 1e6:.1f} MB in all")
    for name, word in left_out.items():
        print(f"left out: {name}: {word}")
    for name, lacks in skipped.items():
        print(f"step {name} will be skipped, or do less: it lacks {', '.join(lacks)}")
    return 0
