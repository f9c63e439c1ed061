import json
import subprocess
import sys

import pytest

from tests.support import with_tests
from tests.support.quick_run import TINY, contents, quick

pytestmark = [pytest.mark.gl, pytest.mark.alone]


def test_a_cluster_that_loses_a_node_gives_the_same_bytes(tmp_path):
    pytest.importorskip("ray")
    # Ray warns of much at import and shutdown; what it says is shown where the test fails.
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.support.ray_run", str(tmp_path)],
        env=with_tests(RAY_USAGE_STATS_ENABLED="0"),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["told"].count("shard") == 6
    assert said["told"][-1] == "end"
    unreached, lost = said["warnings"][0], said["warnings"][1:]
    assert "--address 127.0.0.1:1: no Ray cluster answers" in unreached
    assert any("of the cluster was lost with train/shard-00000" in text for text in lost)
    quick(tmp_path / "whole", TINY.replace(views=40))
    assert contents(tmp_path / "set") == contents(tmp_path / "whole")
