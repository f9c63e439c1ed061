"""A track and its pictures stand side by side: rendered flow is the motion of the particles."""

from pathlib import Path

import numpy as np
import pytest

from turntable.datasets import load_recipe
from turntable.loaders import BatchConfig, Loader, Sequences
from turntable.renderer import generate, open_source
from turntable.renderer.scene import Camera


@pytest.mark.gl
@pytest.mark.parametrize("law", ["charged", "branching"])
def test_flow_at_the_center_of_a_ball_is_the_step_of_its_track(law: str, tmp_path: Path) -> None:
    recipe = load_recipe("charged").replace(
        views=6,
        image_size_px=64,
        quality="fast",
        outputs=["rgb", "parts", "flow"],
        sequence={"length": 6, "motion": "still"},
        dynamics={"law": law},
    )
    generate(
        recipe, open_source("particles", None, 3, dynamics=recipe.dynamics), tmp_path / "set", num_workers=1
    )
    fields = ["parts", "flow", "flow_state", "part_pose"]
    config = BatchConfig(sampler=Sequences(6), batch_size=2, fields=fields, output="numpy")
    batch = next(iter(Loader(str(tmp_path / "set"), config)))
    errors = []
    for parts, flow, state, poses in zip(*(batch[name] for name in fields), strict=True):
        pixels = Camera().project(poses[..., :3, 3].astype(np.float64), 64)
        for frame in range(5):
            for part, (x, y) in enumerate(pixels[frame].astype(int)):
                inside = 0 <= x < 64 and 0 <= y < 64
                if inside and parts[frame, 0, y, x] == part and state[frame, 0, y, x]:
                    step = pixels[frame + 1, part] - pixels[frame, part]
                    errors.append(np.abs(flow[frame, :, y, x] - step).max())
    assert len(errors) > 20
    assert np.median(errors) < 0.05
    assert np.max(errors) < 0.5
