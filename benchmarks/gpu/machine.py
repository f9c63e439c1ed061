"""The machine: its GPU, as torch and EGL see it, and the renderer that would draw."""

import os
import platform
import shutil
import subprocess
from importlib import metadata
from importlib.util import find_spec

from steps import Row, Rows, Setting

_QUERY = "name,driver_version,memory.total,pcie.link.gen.max,clocks.max.sm"
_VERSIONS = ("numpy", "torch", "torchvision", "moderngl", "simplejpeg", "pillow", "pyarrow")


def run(setting: Setting) -> Rows:
    """Look at everything, whatever is missing; fail where the device that was asked for does not draw."""
    yield Row("Python", f"{platform.python_version()}, {platform.platform()}")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield Row("cores", float(os.cpu_count() or 1))
    yield Row("memory", memory, "GiB")
    yield Row("GPU, by nvidia-smi", _nvidia_smi())
    yield Row("libraries", ", ".join(_versions()))
    yield Row("GPU, by torch", _torch())
    if find_spec("numpy") is None or find_spec("pydantic") is None:
        yield Row("EGL", "not looked at: numpy or pydantic is not installed")
        return
    from turntable.doctor import examine

    for finding in examine():
        yield Row(finding.subject, f"{finding.state}: {finding.detail}")
    yield Row("draws", _drawing(setting))


def _nvidia_smi() -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        return "there is no nvidia-smi"
    command = [program, f"--query-gpu={_QUERY}", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return "; ".join(done.stdout.split("\n")).strip("; ") or done.stderr.strip()[:200]


def _versions() -> list[str]:
    found = list[str]()
    for name in _VERSIONS:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"no {name}")
    return found


def _torch() -> str:
    if find_spec("torch") is None:
        return "torch is not installed"
    import torch

    if not torch.cuda.is_available():
        return f"torch {torch.__version__} sees no CUDA device"
    capability = ".".join(map(str, torch.cuda.get_device_capability()))
    return f"{torch.cuda.get_device_name()}, compute capability {capability}, CUDA {torch.version.cuda}"


def _drawing(setting: Setting) -> str:
    """Describe the renderer on the steps' device; raise if there is none."""
    from turntable.renderer.backends import select_backend

    with select_backend("auto", setting.draws_on).open() as backend:
        return f"{backend.device.backend}: {backend.device.renderer}, {backend.device.version}"
