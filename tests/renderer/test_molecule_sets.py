"""Data sets of molecules: by any way the same, verified, loaded, exported, and what is refused."""

import sys
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tests.support.molecules import make_recipe
from tests.support.quick_run import InProcess, contents
from turntable.datasets import Manifest, load_recipe, open_dataset, verify_dataset
from turntable.datasets.convert import export_form
from turntable.datasets.labels import BOND_ORDERS, ELEMENT_SYMBOLS
from turntable.datasets.molecules import count_molecules
from turntable.errors import IntegrityError, InvalidInputError, MissingExtraError, RecipeError, StoppedError
from turntable.loaders import BatchConfig, Loader, Pairs, Views
from turntable.loaders.fields import DataDescription, explain_missing_fields
from turntable.renderer import generate, open_recipe_source
from turntable.renderer.meshes.molecules import describe_collection
from turntable.renderer.meshes.sources import MoleculeSource, SourceObject, SymmetrySource
from turntable.renderer.replay import rerender
from turntable.renderer.runs import ObjectSelection, RunListener
from turntable.testing.datasets import make_synthetic_dataset

pytest.importorskip("biotite")
Chem = pytest.importorskip("rdkit.Chem")

RECIPE = make_recipe(views=3, dataset="nci", min_heavy_atoms=4, max_heavy_atoms=9).replace(
    objects_per_shard=8
)
OBJECTS = 24
FIELDS = (
    "atom_positions",
    "object_atom_positions",
    "elements",
    "formal_charges",
    "bonds",
    "atom_mask",
    "atom_count",
    "heavy_atom_count",
    "rotatable_bonds",
)


def make(folder, recipe=RECIPE, source=None, **how):
    source = source or open_recipe_source(recipe, None, OBJECTS)
    return generate(recipe, source, folder, **({"engine": InProcess()} | how))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("molecules") / "set"
    make(folder)
    return folder


def read_arrays(split, row):
    names = ("atom_positions", "elements", "formal_charges", "bonds")
    return {name: split.read_array(row, name) for name in names}


def iter_molecules(folder):
    """Each record of a set with its arrays."""
    dataset = open_dataset(folder)
    for name in dataset.splits:
        with dataset.open_split(name) as split:
            for row, record in enumerate(split.objects):
                yield record, read_arrays(split, row)


def test_a_set_is_whole_and_drawn_again(folder):
    report = verify_dataset(folder, deep=True)
    assert not report.problems
    manifest = open_dataset(folder).manifest
    assert manifest.outputs == ()
    assert manifest.arrays == ("atom_positions", "bonds", "elements", "formal_charges")
    largest = max(len(arrays["elements"]) for _, arrays in iter_molecules(folder))
    assert manifest.array_sizes == {"atoms": largest}
    assert manifest.source["name"] == "molecules"
    assert {"biotite_version", "rdkit_version"} < set(manifest.source)
    assert "angstroms" in manifest.conventions["atom_positions"]
    again = rerender(folder, MoleculeSource(RECIPE.molecules), None, num_views=12)
    assert not again.problems
    other = rerender(folder, MoleculeSource(replace(RECIPE.molecules, aromatic=False)), None, num_views=72)
    assert other.problems


@pytest.mark.slow
@pytest.mark.parametrize("how", ["two workers", "one worker", "stopped"])
def test_sets_are_the_same_by_any_way(folder, tmp_path, how):
    made = tmp_path / "made"
    if how == "stopped":
        calls = iter([False, False, True, *[True] * 99])
        with pytest.raises(StoppedError):
            make(made, listener=RunListener(should_stop=lambda: next(calls)))
        make(made)
    else:
        make(made, engine=None, num_workers=2 if how == "two workers" else 1)
    assert contents(made) == contents(folder)


def test_scaffolds_stay_on_one_side(folder):
    sides: dict[str, set[str]] = {}
    for record, _ in iter_molecules(folder):
        assert record.molecule is not None
        sides.setdefault(record.molecule.scaffold or record.molecule.smiles, set()).add(record.split)
    assert {len(names) for names in sides.values()} == {1}
    assert set().union(*sides.values()) == {"train", "val"}


def test_splits_do_not_depend_on_what_else_is_chosen_or_measured(folder, tmp_path):
    measured = SymmetrySource(open_recipe_source(RECIPE, None, 2))
    make(tmp_path / "few", source=measured, selection=ObjectSelection(2))
    few = {record.id: record for record, _ in iter_molecules(tmp_path / "few")}
    many = {record.id: record for record, _ in iter_molecules(folder)}
    assert all(many[name].split == record.split for name, record in few.items())
    assert all(record.symmetry is not None and record.molecule is not None for record in few.values())


def test_statistics_are_those_of_the_training_split(folder):
    statistics = open_dataset(folder).manifest.molecule_statistics
    assert statistics is not None
    elements, charges, sizes, bonds, valencies = Counter(), Counter(), Counter(), Counter(), Counter()
    for record, arrays in iter_molecules(folder):
        if record.split != "train":
            continue
        count = len(arrays["elements"])
        sizes[count] += 1
        for i in range(count):
            symbol, charge = ELEMENT_SYMBOLS[int(arrays["elements"][i])], int(arrays["formal_charges"][i])
            elements[symbol] += 1
            charges[charge] += 1
            around = [int(arrays["bonds"][i, j]) for j in range(count) if j != i]
            bonds.update(["none", "single", "double", "triple", "aromatic"][code] for code in around)
            valencies[symbol, charge, sum(BOND_ORDERS[code] for code in around)] += 1
    assert statistics.atoms == sizes
    assert statistics.elements == elements
    assert statistics.formal_charges == charges
    assert statistics.bonds == bonds
    found = {(item.element, item.formal_charge, item.valency): item.count for item in statistics.valencies}
    assert found == valencies
    assert found[("C", 0, 4.0)] > 0.9 * elements["C"]


def test_statistics_come_back_from_the_manifest_and_are_checked(folder):
    manifest = open_dataset(folder).manifest
    text = manifest.to_json()
    assert Manifest.from_json(text) == manifest
    with pytest.raises(IntegrityError, match="molecule_statistics"):
        Manifest.from_json(text.replace('"molecule_statistics": {', '"molecule_statistics": {"more": 1,'))
    with pytest.raises(IntegrityError, match="formal_charges"):
        Manifest.from_json(text.replace('"formal_charges": {', '"formal_charges": {"x": 1,'))
    assert "molecule_statistics" not in replace(manifest, molecule_statistics=None).to_json()
    assert count_molecules([]).atoms == {}


def test_batches_have_padded_molecules_turned_by_the_label(folder):
    config = BatchConfig(
        sampler=Views(shuffled=False), batch_size=6, fields=[*FIELDS, "rotation"], output="numpy",
        last_batch="short",
    )  # fmt: skip
    dataset = open_dataset(folder)
    largest = dataset.manifest.array_sizes["atoms"]
    num_seen = 0
    with dataset.open_split("train") as split:
        for batch in Loader(folder, config):
            assert "view" not in batch
            assert batch["bonds"].shape[1:] == (largest, largest)
            angles = split.get_labels(batch["object_index"], batch["view_index"])[:, :3]
            turned = Rotation.from_euler("xyz", angles)
            for at, row in enumerate(batch["object_index"].tolist()):
                stored = read_arrays(split, row)
                count = len(stored["elements"])
                own = stored["atom_positions"].astype(np.float64)
                np.testing.assert_allclose(
                    batch["atom_positions"][at, :count], turned[at].apply(own), atol=1e-5
                )
                np.testing.assert_array_equal(batch["object_atom_positions"][at, :count], own)
                for name in ("elements", "formal_charges"):
                    np.testing.assert_array_equal(batch[name][at, :count], stored[name])
                np.testing.assert_array_equal(batch["bonds"][at, :count, :count], stored["bonds"])
                for name in ("atom_positions", "elements", "formal_charges", "bonds", "atom_mask"):
                    assert not batch[name][at, count:].any()
                assert batch["atom_mask"][at].sum() == batch["atom_count"][at] == count
                facts = split.objects[row].molecule
                assert facts.heavy_atoms == batch["heavy_atom_count"][at]
                assert facts.rotatable_bonds == batch["rotatable_bonds"][at]
                num_seen += 1
        assert num_seen == split.num_objects * 3


def test_pairs_turn_one_molecule_twice(folder):
    config = BatchConfig(sampler=Pairs(), batch_size=4, fields=["atom_positions", "elements"], output="numpy")
    batch = next(iter(Loader(folder, config)))
    first, second = batch["atom_positions_1"].astype(np.float64), batch["atom_positions_2"].astype(np.float64)
    for one, other in zip(first, second, strict=True):
        turn, misfit = Rotation.align_vectors(other, one)
        assert misfit < 1e-3
        assert turn.magnitude() > 1e-2


def test_what_has_no_molecules_is_missed_by_name(tmp_path):
    make_synthetic_dataset(tmp_path / "plain")
    data = DataDescription.from_manifest(open_dataset(tmp_path / "plain").manifest)
    (message,) = explain_missing_fields(["bonds", "atom_mask"], data, 1)
    assert "no bonds and no atom_mask" in message
    assert "'molecules'" in message
    (message,) = explain_missing_fields(["bonds"], DataDescription.from_recipe(RECIPE), 1)
    assert "rendered during training" in message
    with pytest.raises(InvalidInputError, match="recipe molecules"):
        export_form(tmp_path / "plain", tmp_path / "out", "sdf")


@pytest.mark.parametrize("aromatic", [True, False])
def test_sdf_files_are_read_back_by_rdkit(folder, tmp_path, aromatic):
    if not aromatic:
        folder = tmp_path / "kekulized"
        table = {**RECIPE.molecules.to_dict(), "aromatic": False, "hydrogens": False}
        make(folder, RECIPE.replace(molecules=table))
    assert export_form(folder, tmp_path / "out", "sdf") == OBJECTS
    read = {}
    for name in ("train", "val"):
        supplier = Chem.SDMolSupplier(str(tmp_path / "out" / f"{name}.sdf"), sanitize=False, removeHs=False)
        read |= {molecule.GetProp("_Name"): (name, molecule) for molecule in supplier}
    stored = {record.id: (record, arrays) for record, arrays in iter_molecules(folder)}
    assert read.keys() == stored.keys()
    for object_id, (split, molecule) in read.items():
        record, arrays = stored[object_id]
        assert split == record.split
        np.testing.assert_allclose(
            molecule.GetConformer().GetPositions(), arrays["atom_positions"], atol=5.1e-5
        )
        assert [atom.GetAtomicNum() for atom in molecule.GetAtoms()] == arrays["elements"].tolist()
        assert [atom.GetFormalCharge() for atom in molecule.GetAtoms()] == arrays["formal_charges"].tolist()
        orders = np.zeros_like(arrays["bonds"])
        for bond in molecule.GetBonds():
            ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            is_aromatic = bond.GetBondType() == Chem.BondType.AROMATIC
            orders[ends] = orders[ends[::-1]] = 4 if is_aromatic else int(bond.GetBondTypeAsDouble())
        np.testing.assert_array_equal(orders, arrays["bonds"])
        assert molecule.GetProp("category") == record.category
        assert molecule.GetIntProp("rotatable_bonds") == record.molecule.rotatable_bonds
        assert Chem.SanitizeMol(molecule) == Chem.SanitizeFlags.SANITIZE_NONE
        bare = Chem.RemoveHs(molecule)
        Chem.RemoveStereochemistry(bare)
        assert Chem.MolToSmiles(bare) == molecule.GetProp("smiles") == record.molecule.smiles


@dataclass(frozen=True, slots=True)
class ChosenMolecules(MoleculeSource):
    """Molecules of the dictionary by their ids."""

    ids: tuple[str, ...] = ()

    def list_objects(self):
        return tuple(SourceObject(name, "aromatic") for name in sorted(self.ids))


def test_molecules_without_places_are_left_out_with_their_reasons(tmp_path):
    source = ChosenMolecules(ids=("ccd/BNZ", "ccd/PHE", "ccd/UNL", "ccd/34B", "ccd/TYR"))
    manifest = make(tmp_path / "set", make_recipe(views=1).replace(val_fraction=0.0), source)
    assert (manifest.totals.objects, manifest.quarantined) == (3, 2)
    left_out = (tmp_path / "set" / "quarantine.jsonl").read_text()
    for reason in ("no atoms", "wrong coordinates"):
        assert reason in left_out
    assert not verify_dataset(tmp_path / "set", deep=True).problems


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"dataset": "qm9"}, r"molecules.dataset: 'qm9' is not one of 'ccd' or 'nci'"),
        ({"max_heavy_atoms": 0}, r"molecules.max_heavy_atoms: 0 is below 1"),
        ({"max_heavy_atoms": 201}, r"molecules.max_heavy_atoms: 201 is above 200"),
        ({"min_heavy_atoms": 21}, r"min_heavy_atoms 21 is above max_heavy_atoms 20"),
        ({"elements": ["C", "C"]}, r"molecules.elements: names an element twice"),
        ({"elements": ["Fe"]}, r"molecules.elements.0: 'Fe' is not one of"),
        ({"elements": []}, r"molecules.elements: "),
        ({"hydrogen": True}, r"molecules.hydrogen: unknown key; did you mean hydrogens\?"),
    ],
)
def test_a_table_with_a_fault_is_refused_by_its_key(table, message):
    with pytest.raises(RecipeError, match=message):
        make_recipe(**table)


def test_the_table_is_refused_with_other_sources_and_rules_of_splits():
    with pytest.raises(RecipeError, match='source = "zoo" are no molecules'):
        load_recipe("molecules").replace(source="zoo")
    with pytest.raises(RecipeError, match="divided by scaffold"):
        load_recipe("molecules").replace(split_rule="each-category")


def test_the_table_comes_back_from_toml_and_changes_no_label():
    recipe = make_recipe(elements=["N", "C"], hydrogens=False)
    assert recipe.molecules.elements == ("C", "N")
    text = "ccd: 1 to 20 atoms of C, N, without hydrogen, aromatic bonds"
    assert str(recipe.molecules) == text
    assert type(recipe).from_toml(recipe.to_toml()) == recipe
    plain = load_recipe("molecules").replace(views=2, image_size_px=64)
    assert recipe.digest != plain.digest
    assert recipe.label_digest == plain.label_digest
    assert "molecules" not in load_recipe("zoo").to_dict()


@pytest.mark.parametrize("library", ["biotite", "rdkit"])
def test_without_a_library_the_extra_is_named(monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match="molecules"):
        describe_collection()
