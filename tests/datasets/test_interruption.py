import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import with_tests
from turntable.datasets import load_recipe
from turntable.datasets.shards import find_committed_shard
from turntable.testing.datasets import make_synthetic_objects, write_synthetic_shard

RECIPE = load_recipe("3diebench").replace(name="t", views=2, image_size_px=16, source="folder")
OBJECTS = tuple(item for item in make_synthetic_objects(RECIPE, 6, 1) if item.split == "train")
NAME = "shard-000000"

# Writes shards again and again, so that a signal meets it anywhere.
ENDLESS = """
import sys
from pathlib import Path
from tests.datasets.test_interruption import NAME, OBJECTS, RECIPE
from turntable.testing.datasets import write_synthetic_shard
print("ready", flush=True)
while True:
    write_synthetic_shard(Path(sys.argv[1]), RECIPE, "train", NAME, OBJECTS)
"""


@pytest.mark.parametrize("delay_s", [0.0, 0.013, 0.031, 0.057])
def test_kill_at_any_moment_leaves_a_whole_shard_or_none(tmp_path: Path, delay_s: float) -> None:
    arguments = [sys.executable, "-c", ENDLESS, str(tmp_path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=with_tests()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(delay_s)
        os.kill(process.pid, signal.SIGKILL)
    folder = tmp_path / "train"
    whole = write_synthetic_shard(tmp_path / "whole", RECIPE, "train", NAME, OBJECTS)
    if (folder / f"{NAME}.tar").exists():
        assert find_committed_shard(folder, NAME) == whole
    # The next run removes what is left and comes to the same bytes.
    assert write_synthetic_shard(tmp_path, RECIPE, "train", NAME, OBJECTS) == whole
    assert {item.name for item in folder.iterdir()} == {f"{NAME}.tar", f"{NAME}.idx"}


def test_an_index_without_its_shard_is_no_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("turntable.datasets.shards.writer.move_into_place", killed)
        with pytest.raises(KeyboardInterrupt):
            write_synthetic_shard(tmp_path, RECIPE, "train", NAME, OBJECTS)
    assert [item.name for item in (tmp_path / "train").iterdir()] == [f"{NAME}.idx"]
    assert find_committed_shard(tmp_path / "train", NAME) is None
    again = write_synthetic_shard(tmp_path, RECIPE, "train", NAME, OBJECTS)
    assert find_committed_shard(tmp_path / "train", NAME) == again
