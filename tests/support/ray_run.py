"""A run on a local Ray cluster of two nodes, of which one is killed in the middle; tells it as JSON."""

import json
import sys
import time
from pathlib import Path

import ray
from ray.cluster_utils import Cluster

from tests.support.quick_run import OBJECTS, TINY
from turntable.errors import InvalidInputError
from turntable.renderer import generate
from turntable.renderer.meshes.sources import ZooSource
from turntable.renderer.runs import RunListener
from turntable.renderer.runs.engines import RayEngine

RECIPE = TINY.replace(views=40)
"""So that a shard takes some time."""
SOON = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 1000,
    "health_check_failure_threshold": 5,
}
"""A lost node is known in seconds, and one that is only busy is not taken for lost."""


def main(folder: Path) -> None:
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "_system_config": SOON, "include_dashboard": False},
    )
    nodes = [cluster.add_node(num_cpus=1), cluster.add_node(num_cpus=1)]
    cluster.wait_for_nodes(timeout=120)
    told, warnings, first = [], [], []

    def tell(event, /, **facts):
        told.append(event)

    def progress(_):
        """Kill a node soon after the first shard: both are busy with further ones then."""
        if "shard" in told and not first:
            first.append(time.monotonic())
        if first and len(nodes) == 2 and time.monotonic() - first[0] > 0.7:
            cluster.remove_node(nodes.pop(), allow_graceful=False)

    try:
        try:
            generate(TINY, ZooSource(OBJECTS), folder / "unreached", engine=RayEngine("127.0.0.1:1"))
        except InvalidInputError as error:
            warnings.append(str(error))
        manifest = generate(
            RECIPE,
            ZooSource(OBJECTS),
            folder / "set",
            engine=RayEngine(cluster.address),
            listener=RunListener(progress, warnings.append, tell),
        )
    finally:
        ray.shutdown()
        cluster.shutdown()
    print(json.dumps({"fingerprint": manifest.fingerprint, "told": told, "warnings": warnings}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
