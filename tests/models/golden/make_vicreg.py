"""Write vicreg.json: VICReg's loss on small fixed inputs, as lightly 1.6.0 computes it.

Run where lightly is unpacked (its VICReg loss needs torch alone, so its other requirements may be missing):

    pip download --no-deps lightly==1.6.0 && unzip lightly-1.6.0-*.whl -d lightly_wheel
    python tests/models/golden/make_vicreg.py lightly_wheel
"""

import importlib.util
import json
import sys
import types
from pathlib import Path

import numpy as np
import torch

CASES = ((4, 3, 25.0, 25.0, 1.0), (8, 16, 10.0, 10.0, 1.0), (5, 5, 1.0, 0.0, 0.0), (6, 7, 0.0, 1.0, 0.0),
         (6, 7, 0.0, 0.0, 1.0))  # fmt: skip


def load(root: Path, name: str):
    """Import one file of the wheel without running the package's own __init__."""
    spec = importlib.util.spec_from_file_location(name, root / f"{name.replace('.', '/')}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    root = Path(sys.argv[1])
    for package in ("lightly", "lightly.utils", "lightly.loss"):
        sys.modules[package] = types.ModuleType(package)
    load(root, "lightly.utils.dist")
    loss = load(root, "lightly.loss.vicreg_loss").VICRegLoss
    cases = []
    for rows, dim, invariance, variance, covariance in CASES:
        count = np.arange(rows * dim, dtype=np.float64).reshape(rows, dim)
        x, y = 0.9 * np.sin(1.7 * count + 1), 0.8 * np.cos(2.3 * count)  # as in test_losses.py
        value = loss(invariance, variance, covariance)(torch.from_numpy(x), torch.from_numpy(y)).item()
        cases.append({"rows": rows, "dim": dim,
                      "weights": [invariance, variance, covariance], "loss": value})  # fmt: skip
    golden = {"oracle": "lightly 1.6.0", "torch": torch.__version__, "cases": cases}
    Path(__file__).with_name("vicreg.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
