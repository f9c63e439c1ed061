"""Tests of whole runs over broken or hostile meshes: the good ones among them are rendered."""

import pytest

from tests.support.loading_work import Misbehaving
from tests.support.malformed import make_corpus
from tests.support.malformed_cases import KEPT, WARNED
from tests.support.quick_run import TINY
from turntable.datasets import open_dataset, verify_dataset
from turntable.datasets.objects import read_quarantine, read_warnings
from turntable.renderer import generate, open_source
from turntable.renderer.runs import LoadLimits

pytestmark = [pytest.mark.gl, pytest.mark.slow]


@pytest.mark.parametrize("name", ["shapenet", "folder"])
def test_a_corpus_of_broken_files_costs_itself_alone(tmp_path, name):
    cases = {case.id: case for case in make_corpus(tmp_path / "of") if case.source == name and case.listed}
    warnings = []
    manifest = generate(
        TINY.replace(source=name, objects_per_shard=40),
        open_source(name, tmp_path / "of" / name),
        tmp_path / "set",
        num_workers=2,
        warn=warnings.append,
    )
    left_out = {item.object: item.reason for item in read_quarantine(tmp_path / "set/quarantine.jsonl")}
    warned = {item.object for item in read_warnings(tmp_path / "set/warnings.jsonl")}
    rendered = {record.id for split in manifest.splits for record in _records(tmp_path / "set", split)}
    assert rendered | set(left_out) == set(cases)
    for object_id, case in cases.items():
        how = left_out.get(object_id) or (WARNED if object_id in warned else KEPT)
        assert how in case.outcomes, object_id
    assert len(left_out) + len(warned) > 60
    assert len(rendered) >= sum(case.outcomes == (KEPT,) for case in cases.values()) > 0
    assert not [text for text in warnings if text.startswith("worker")], "no worker died of it"
    assert verify_dataset(tmp_path / "set", deep=True).ok


def _records(folder, split):
    with open_dataset(folder).open_split(split) as part:
        return part.objects


def test_meshes_that_end_their_loader_are_left_out_with_the_reason(tmp_path):
    names = ("one", "kill", "hang", "swell", "two", "refuse", "kill once", "three")
    source = Misbehaving(4, folder=tmp_path, names=names)
    limits = LoadLimits(seconds=3.0, memory_bytes=4 * 2**30)
    manifest = generate(TINY.replace(val_fraction=0), source, tmp_path / "set", limits=limits)
    left_out = {item.object: item.reason for item in read_quarantine(tmp_path / "set/quarantine.jsonl")}
    assert left_out == {
        "kill": "crashed the loader",
        "hang": "timed out",
        "swell": "out of memory",
        "refuse": "no faces",
    }
    assert manifest.totals.objects == 4
    assert manifest.quarantined == 4
    assert verify_dataset(tmp_path / "set").ok
