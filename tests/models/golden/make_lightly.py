"""Write lightly.json: losses on small fixed inputs, as lightly 1.6.0 computes them.

Run where lightly is unpacked (these losses need torch alone, so its other requirements may be missing):

    pip download --no-deps lightly==1.6.0 && unzip lightly-1.6.0-*.whl -d lightly_wheel
    python tests/models/golden/make_lightly.py lightly_wheel
"""

import importlib.util
import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import torch

VICREG = ((4, 3, 25.0, 25.0, 1.0), (8, 16, 10.0, 10.0, 1.0), (5, 5, 1.0, 0.0, 0.0), (6, 7, 0.0, 1.0, 0.0),
          (6, 7, 0.0, 0.0, 1.0))  # fmt: skip
NT_XENT = ((2, 3, 0.5), (4, 3, 0.1), (8, 16, 0.1), (7, 5, 0.5), (6, 7, 2.0))
PACKAGES = ("lightly", "lightly.utils", "lightly.loss", "lightly.models", "lightly.models.utils",
            "lightly.models.modules")  # fmt: skip
PARTS = ("lightly.utils.dist", "lightly.models.modules.memory_bank")


def load(root: Path, name: str) -> types.ModuleType:
    """Import one file of the wheel without running the package's own __init__."""
    spec = importlib.util.spec_from_file_location(name, root / f"{name.replace('.', '/')}.py")
    module = importlib.util.module_from_spec(spec)
    enter(name, module)
    spec.loader.exec_module(module)
    return module


def enter(name: str, module: types.ModuleType) -> None:
    """Let ``import name`` and ``from parent import name`` find a module."""
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)


def pair(rows: int, dim: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two views, as in test_losses.py."""
    count = np.arange(rows * dim, dtype=np.float64).reshape(rows, dim)
    return torch.from_numpy(0.9 * np.sin(1.7 * count + 1)), torch.from_numpy(0.8 * np.cos(2.3 * count))


def vicreg_cases(loss: Any) -> list[dict[str, Any]]:
    """By their sizes and the weights of invariance, variance and covariance."""
    return [
        {"rows": rows, "dim": dim, "weights": weights, "loss": loss(*weights)(*pair(rows, dim)).item()}
        for rows, dim, *weights in VICREG
    ]


def nt_xent_cases(loss: Any) -> list[dict[str, Any]]:
    """By their sizes and the temperature."""
    return [
        {"rows": rows, "dim": dim, "temperature": tau, "loss": loss(temperature=tau)(*pair(rows, dim)).item()}
        for rows, dim, tau in NT_XENT
    ]


def main() -> None:
    root = Path(sys.argv[1])
    for package in PACKAGES:
        enter(package, types.ModuleType(package))
    for part in PARTS:
        load(root, part)
    golden = {
        "oracle": "lightly 1.6.0",
        "torch": torch.__version__,
        "vicreg": vicreg_cases(load(root, "lightly.loss.vicreg_loss").VICRegLoss),
        "nt_xent": nt_xent_cases(load(root, "lightly.loss.ntx_ent_loss").NTXentLoss),
    }
    Path(__file__).with_name("lightly.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
