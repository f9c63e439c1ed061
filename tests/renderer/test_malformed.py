"""Tests on a corpus of broken files: each is refused with its reason or kept with a warning, and no more."""

import pytest

from tests.support.malformed import make_corpus
from tests.support.malformed_cases import KEPT, REASONS, WARNED
from turntable.errors import MeshError
from turntable.renderer import open_source
from turntable.renderer.meshes.sources import load_mesh

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus") / "of"
    return folder, make_corpus(folder)


def outcome(folder, case):
    try:
        mesh = load_mesh(open_source(case.source, folder / case.source), case.id)
    except MeshError as error:
        said = len(str(error)) < 1000 and (str(folder) in str(error) or case.id in str(error))
        return error.reason if said else f"an unhelpful message: {error}"
    assert len(mesh.triangles)
    assert all(len(str(text)) < 1000 for text in mesh.warnings)
    return WARNED if mesh.warnings else KEPT


def test_every_case_ends_as_it_should(corpus):
    folder, cases = corpus
    wrong = {
        case.id: (case.outcomes, got) for case in cases if (got := outcome(folder, case)) not in case.outcomes
    }
    assert wrong == {}


def test_the_corpus_is_large_and_knows_all_reasons(corpus):
    _, cases = corpus
    broken = [case for case in cases if KEPT not in case.outcomes]
    assert len(broken) > 150
    assert {name for case in cases for name in case.outcomes} == {*REASONS, KEPT, WARNED}


@pytest.mark.parametrize("name", ["shapenet", "folder"])
def test_sources_list_what_are_files(corpus, name):
    folder, cases = corpus
    listed = {item.id for item in open_source(name, folder / name).list_objects()}
    assert listed == {case.id for case in cases if case.source == name and case.listed}


def test_the_same_seed_makes_the_same_files(tmp_path, corpus):
    folder, cases = corpus
    assert make_corpus(tmp_path / "again") == cases
    for path in (folder / "folder").rglob("*.*"):
        if path.is_file() and not path.is_symlink():
            assert (tmp_path / "again" / path.relative_to(folder)).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("seed", [1, 2])
def test_other_seeds(tmp_path, seed):
    cases = make_corpus(tmp_path / "of", seed)
    assert all(outcome(tmp_path / "of", case) in case.outcomes for case in cases)
