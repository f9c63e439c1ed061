"""What loading each object of the corpus takes, as JSON: run in a process of its own, whose memory tells."""

import json
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.support.malformed import make_corpus
from tests.support.malformed_cases import Case
from turntable.errors import MeshError
from turntable.renderer import open_source
from turntable.renderer.meshes.sources import load_mesh


def measured(folder: Path, case: Case) -> tuple[float, int]:
    """Seconds of processor time, and bytes that the peak of memory rose by."""
    before, peak = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with suppress(MeshError, MemoryError):
        load_mesh(open_source(case.source, folder / case.source), case.id)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    return time.process_time() - before, grown * 1024


if __name__ == "__main__":
    root = Path(sys.argv[1])
    sys.stdout.write(json.dumps({case.id: measured(root, case) for case in make_corpus(root)}))
