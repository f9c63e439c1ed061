"""Evaluations of ``tests/fixtures/results``: the papers' protocols with the shortest heads there are."""

import tempfile
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

from tests.support.fixture_runs import DATASET, copied_run
from tests.support.tiny_backbone import tiny_backbone
from turntable.evaluation import Protocol, evaluate, get_protocol
from turntable.evaluation.old_names import PROTOCOL_NAMES

PROTOCOLS = {
    "sie": ("turntable", "sie", "equicaps", "seq-jepa", "sie-drifting"),
    "equicaps": ("turntable", "sie", "equicaps", "seq-jepa"),
    "seq-jepa": ("turntable", "sie", "equicaps", "seq-jepa"),
    "simclr": ("turntable", "sie", "equicaps", "seq-jepa"),
}
"""Names of the protocols under which each run is evaluated; stored files have them, old ones too."""
ELSEWHERE = {"sie": ("sets/outputs",)}
"""Data sets, by run, on which the heads of turntable's own protocol are scored too."""


def short(protocol: str) -> Protocol:
    """A protocol with 3 epochs of narrow heads and 50 resamples; all else stays."""
    rules = get_protocol(PROTOCOL_NAMES.get(protocol, protocol))
    resampling = replace(rules.resampling, num_resamples=50)
    return replace(rules.with_probe_settings(epochs=3, hidden=8, batch_size=16), resampling=resampling)


def make_results(run: str, fixtures: Path, out: Path) -> None:
    """Evaluate a stored run under its protocols.

    Args:
        run: Of ``fixture_runs.COMMANDS``.
        fixtures: The folder with the run and the data sets.
        out: Gets PROTOCOL.json.
    """
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work, chdir(fixtures), tiny_backbone():
        folder = copied_run(run, "finished", Path.cwd(), Path(work))
        for protocol in PROTOCOLS[run]:
            others = ELSEWHERE.get(run, ()) if protocol == "turntable" else ()
            evaluate(
                folder,
                DATASET,  # a path that is the same on every machine: results quote it
                Path(work) / f"{protocol}.json",
                short(protocol),
                ood_paths_or_urls=others,
            )
            (out / f"{protocol}.json").write_bytes((Path(work) / f"{protocol}.json").read_bytes())
