"""Molecules: their arrays against the dictionary as others read it, their meshes, and their splits."""

import itertools
from collections import Counter

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tests.support.molecules import IDS, make_recipe
from turntable.datasets.labels import (
    AROMATIC_BOND,
    ATOMIC_NUMBERS,
    BOND_ORDERS,
    ELEMENT_SYMBOLS,
    HYDROGEN,
    MoleculeRule,
)
from turntable.datasets.objects import assign_group
from turntable.errors import InvalidInputError, MeshError
from turntable.renderer import open_backend, open_recipe_source, open_source
from turntable.renderer.backends import get_quality
from turntable.renderer.meshes import compute_bounds, compute_face_normals
from turntable.renderer.meshes.molecules import BALL_RADII, RING_CLASSES, find_scaffold_group, shape_object
from turntable.renderer.meshes.sources import MoleculeSource, with_twins
from turntable.renderer.scene import scenes_from_labels

info = pytest.importorskip("biotite.structure.info")
structure = pytest.importorskip("biotite.structure")
Chem = pytest.importorskip("rdkit.Chem")

WHOLE = MoleculeRule(max_heavy_atoms=200)
KEKULIZED = MoleculeRule(max_heavy_atoms=200, aromatic=False)
BARE = MoleculeRule(max_heavy_atoms=200, hydrogens=False)


def read_as_others(object_id):
    """A molecule by biotite's own function: places, symbols, charges, and orders of bonds by pairs."""
    atoms = info.residue(object_id.removeprefix("ccd/"))
    atoms.bonds.remove_aromaticity()
    orders = {frozenset((int(a), int(b))): int(kind) for a, b, kind in atoms.bonds.as_array()}
    return atoms.coord, [str(item) for item in atoms.element], atoms.charge, orders


@pytest.mark.parametrize("object_id", IDS)
def test_the_arrays_are_what_biotite_reads_in_the_dictionary(object_id):
    arrays = shape_object(object_id, KEKULIZED).arrays
    places, symbols, charges, orders = read_as_others(object_id)
    assert [ELEMENT_SYMBOLS[number].upper() for number in arrays["elements"].tolist()] == symbols
    assert arrays["formal_charges"].tolist() == charges.tolist()
    pairs = itertools.combinations(range(len(symbols)), 2)
    ours = {frozenset(pair): int(arrays["bonds"][pair]) for pair in pairs if arrays["bonds"][pair]}
    assert ours == orders
    for first, second in map(tuple, orders):
        ours_length = np.linalg.norm(arrays["atom_positions"][first] - arrays["atom_positions"][second])
        assert ours_length == pytest.approx(np.linalg.norm(places[first] - places[second]), abs=1e-4)
    moved = places - places.mean(axis=0)
    np.testing.assert_allclose(arrays["atom_positions"], moved, atol=1e-5)


@pytest.mark.parametrize("object_id", IDS)
def test_bonds_are_as_long_as_the_radii_of_their_atoms(object_id):
    arrays, table = shape_object(object_id, WHOLE).arrays, Chem.GetPeriodicTable()
    radii = np.array([table.GetRcovalent(int(number)) for number in arrays["elements"]])
    first, second = np.nonzero(arrays["bonds"])
    lengths = np.linalg.norm(arrays["atom_positions"][first] - arrays["atom_positions"][second], axis=1)
    ratios = lengths / (radii[first] + radii[second])
    assert ratios.min() > 0.75
    assert ratios.max() < 1.15


@pytest.mark.parametrize("rule", [WHOLE, KEKULIZED, BARE])
@pytest.mark.parametrize("object_id", IDS)
def test_arrays_are_centered_symmetric_and_of_the_stated_types(object_id, rule):
    arrays = shape_object(object_id, rule).arrays
    count = len(arrays["elements"])
    assert {name: (item.dtype.name, item.shape) for name, item in arrays.items()} == {
        "atom_positions": ("float32", (count, 3)),
        "elements": ("uint8", (count,)),
        "formal_charges": ("int8", (count,)),
        "bonds": ("uint8", (count, count)),
    }
    assert np.abs(arrays["atom_positions"].astype(np.float64).mean(axis=0)).max() < 1e-6
    assert np.array_equal(arrays["bonds"], arrays["bonds"].T)
    assert not arrays["bonds"].diagonal().any()
    assert (HYDROGEN in arrays["elements"]) == (rule.hydrogens and object_id != "ccd/CYN")
    has_aromatic = rule.aromatic and object_id not in ("ccd/GLC", "ccd/CYN")
    assert (AROMATIC_BOND in arrays["bonds"]) == has_aromatic


def test_benzene_has_six_aromatic_bonds_of_one_length():
    arrays = shape_object("ccd/BNZ", BARE).arrays
    first, second = np.nonzero(np.triu(arrays["bonds"] == AROMATIC_BOND))
    assert len(first) == len(arrays["elements"]) == 6
    lengths = np.linalg.norm(arrays["atom_positions"][first] - arrays["atom_positions"][second], axis=1)
    assert np.ptp(lengths) < 0.01
    assert (
        np.sort(shape_object("ccd/BNZ", KEKULIZED).arrays["bonds"][np.triu_indices(12)])[-3:].tolist()
        == [2] * 3
    )


@pytest.mark.parametrize("object_id", ["ccd/TRP", "ccd/CFF", "ccd/GLC", "ccd/MTX", "nci/000003"])
def test_neutral_atoms_have_the_valencies_of_their_elements(object_id):
    arrays = shape_object(object_id, KEKULIZED).arrays
    valencies = np.array(BOND_ORDERS)[arrays["bonds"]].sum(axis=1)
    expected = {"H": 1, "C": 4, "N": 3, "O": 2, "Cl": 1}
    for number, charge, valency in zip(
        arrays["elements"].tolist(), arrays["formal_charges"].tolist(), valencies.tolist(), strict=True
    ):
        symbol = ELEMENT_SYMBOLS[number]
        assert valency == expected[symbol] + (charge if symbol == "N" else -abs(charge))


def test_the_dictionary_is_listed_with_its_classes():
    listed = open_recipe_source(make_recipe(max_heavy_atoms=9), None).list_objects()
    assert [item.id for item in listed] == sorted(item.id for item in listed)
    assert set(RING_CLASSES) == {item.category for item in listed}
    assert len(listed) > 2_000  # 2,029 with coordinates in biotite 1.6.0
    category = {item.id: item.category for item in listed}
    assert category["ccd/BNZ"] == "aromatic"
    assert category["ccd/GOL"] == "acyclic"
    everything = {item.id: item.category for item in MoleculeSource(WHOLE).list_objects()}
    assert len(everything) > 47_000
    assert everything["ccd/TRP"] == everything["ccd/ATP"] == "heteroaromatic"
    assert everything["ccd/GLC"] == "alicyclic"
    for name in ("ccd/HEM", "ccd/ZN", "ccd/UNL"):  # iron, zinc, and no atoms at all
        assert name not in everything


@pytest.mark.parametrize("object_id", ["ccd/TRP", "ccd/CFF", "ccd/GLC", "ccd/MTX", "ccd/GOL"])
def test_classes_are_those_of_rdkit(object_id):
    arrays = shape_object(object_id, KEKULIZED).arrays
    molecule = Chem.RWMol()
    for number, charge in zip(arrays["elements"].tolist(), arrays["formal_charges"].tolist(), strict=True):
        molecule.AddAtom(Chem.Atom(number))
        molecule.GetAtomWithIdx(molecule.GetNumAtoms() - 1).SetFormalCharge(charge)
    for first, second in np.argwhere(np.triu(arrays["bonds"])).tolist():
        molecule.AddBond(first, second, Chem.BondType.values[int(arrays["bonds"][first, second])])
    Chem.SanitizeMol(molecule)
    aromatic = {atom.GetSymbol() for atom in molecule.GetAromaticAtoms()}
    rings = molecule.GetRingInfo().NumRings()
    expected = (
        "heteroaromatic"
        if aromatic - {"C"}
        else "aromatic"
        if aromatic
        else "alicyclic"
        if rings
        else "acyclic"
    )
    (found,) = [item.category for item in MoleculeSource(WHOLE).list_objects() if item.id == object_id]
    assert found == expected


def test_rules_choose_by_size_and_elements():
    rule = MoleculeRule(min_heavy_atoms=4, max_heavy_atoms=5, elements=("C", "O"))
    listed = MoleculeSource(rule).list_objects()
    assert 50 < len(listed) < 2_000
    for item in listed[::40]:
        elements = Counter(shape_object(item.id, rule).arrays["elements"].tolist())
        assert set(elements) <= {1, 6, 8}
        assert 4 <= elements.total() - elements[1] <= 5
    assert len(MoleculeSource(rule, 8).list_objects()) == 8
    with pytest.raises(InvalidInputError, match=r"\[molecules\] chooses none"):
        MoleculeSource(MoleculeRule(min_heavy_atoms=199, max_heavy_atoms=199, elements=("B",))).list_objects()


@pytest.mark.parametrize("object_id", IDS)
def test_a_mesh_is_closed_balls_and_sticks_of_diagonal_one(object_id):
    mesh = shape_object(object_id, WHOLE).mesh
    low, high = compute_bounds(mesh)
    assert np.linalg.norm(high - low) == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(low + high, 0, atol=1e-5)
    corners = mesh.normals[mesh.triangles].astype(np.float64)
    flat = compute_face_normals(mesh.positions, mesh.triangles)
    assert (np.einsum("tki,ti->tk", corners, flat) > 0.8).all()  # all face outward
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-5)
    again = MoleculeSource(WHOLE)
    assert again.compute_digest(object_id, mesh) == again.compute_digest(object_id, again.load(object_id))


def find_distances(points, shaped):
    """Distances in angstroms of points [N, 3] of the mesh's frame from the balls and from the bonds."""
    places = shaped.arrays["atom_positions"].astype(np.float64)
    radii = np.array([BALL_RADII[int(number)] for number in shaped.arrays["elements"]])
    here = points / shaped.facts.diagonals_per_angstrom + np.array(shaped.facts.center)
    from_balls = np.linalg.norm(here[:, None] - places, axis=-1) - radii
    first, second = np.argwhere(np.triu(shaped.arrays["bonds"])).T
    along = places[second] - places[first]
    share = np.einsum("nbi,bi->nb", here[:, None] - places[first], along) / (along**2).sum(axis=-1)
    nearest = places[first] + np.clip(share, 0, 1)[..., None] * along
    return from_balls, np.linalg.norm(here[:, None] - nearest, axis=-1)


@pytest.mark.parametrize("object_id", ["ccd/CFF", "ccd/GLC"])
def test_every_pixel_shows_a_ball_or_a_stick_at_the_place_of_an_atom_or_a_bond(object_id):
    recipe, shaped = make_recipe(), shape_object(object_id, WHOLE)
    angles = np.array([[0.3, -0.8, 2.0], [1.5, 0.4, -2.0]])
    labels = np.concatenate([angles, np.tile([0.6, 0, 0, 0.1, 1.7], (2, 1))], axis=1).astype(np.float32)
    scenes = scenes_from_labels(recipe.schema.scene_names, labels)
    with open_backend("embree") as backend:
        pixels = backend.render(
            shaped.mesh, scenes, 96, get_quality("standard"), ("rgb", "mask", "coordinates")
        )
    seen = pixels.mask > 250  # whole pixels of the object
    assert seen.sum() > 600
    from_balls, from_bonds = find_distances(pixels.coordinates[seen].astype(np.float64), shaped)
    is_ball = np.abs(from_balls.min(axis=1)) < 0.02  # balls are faceted
    is_stick = (from_bonds.min(axis=1) > 0.02) & (from_bonds.min(axis=1) < 0.25)
    assert (is_ball | is_stick).mean() > 0.995
    assert is_ball.mean() > 0.5
    nearest = shaped.arrays["elements"][from_balls.argmin(axis=1)]
    is_lit = is_ball & (pixels.rgb[seen].max(axis=1) > 60)
    red, green, blue = pixels.rgb[seen].astype(np.float64).T
    oxygen = is_lit & (nearest == ATOMIC_NUMBERS["O"])
    assert (red > 1.5 * green)[oxygen].mean() > 0.8
    assert (red > 1.5 * green)[is_lit & (nearest != ATOMIC_NUMBERS["O"])].mean() < 0.1
    nitrogen = is_lit & (nearest == ATOMIC_NUMBERS["N"])
    assert object_id == "ccd/GLC" or (blue > 1.3 * red)[nitrogen].mean() > 0.8


def test_a_twin_is_the_mirror_image_in_mesh_arrays_and_facts():
    source = with_twins(MoleculeSource(WHOLE), mirrored=True)
    own, twin = (source.find_arrays(name) for name in ("ccd/TRP", "ccd/TRP~mirrored"))
    np.testing.assert_array_equal(twin["atom_positions"], own["atom_positions"] * [-1, 1, 1])
    np.testing.assert_array_equal(twin["bonds"], own["bonds"])
    facts = [source.find_molecule(name) for name in ("ccd/TRP", "ccd/TRP~mirrored")]
    assert facts[1].center[0] == -facts[0].center[0]
    assert facts[1].center[1:] == facts[0].center[1:]
    mesh = source.load("ccd/TRP~mirrored")
    scale, center = facts[1].diagonals_per_angstrom, np.array(facts[1].center)
    places = scale * (twin["atom_positions"] - center)
    nearest = np.linalg.norm(mesh.positions[:, None] - places, axis=-1).min(axis=1)
    assert nearest.max() < scale * 1.0  # every vertex is at an atom, or on a bond
    carbon = own["atom_positions"][np.flatnonzero(own["bonds"][1])[:3]] - own["atom_positions"][1]
    assert np.linalg.det(carbon) * np.linalg.det(carbon * [-1, 1, 1]) < 0


def test_scaffolds_are_on_one_side_whatever_else_is_in_the_set():
    source = MoleculeSource(MoleculeRule(max_heavy_atoms=12))
    ids = [item.id for item in source.list_objects()][::9]
    split = {name: source.find_split(name, 0.3, 5) for name in ids}
    groups = {name: find_scaffold_group(name) for name in ids}
    sides: dict[str, set[str]] = {}
    for name in ids:
        sides.setdefault(groups[name], set()).add(split[name])
    assert all(len(names) == 1 for names in sides.values())
    assert max(Counter(groups.values()).values()) > 20  # benzene's
    share = np.mean([names == {"val"} for names in sides.values()])
    assert 0.2 < share < 0.4
    other = {name: source.find_split(name, 0.3, 6) for name in ids}
    assert other != split
    wider = {name: source.find_split(name, 0.6, 5) for name in ids}
    assert all(wider[name] == "val" for name in ids if split[name] == "val")
    assert {assign_group("c1ccccc1", 0.0, seed) for seed in range(20)} == {"train"}


def test_scaffolds_are_murcko_s():
    assert find_scaffold_group("ccd/PHE") == find_scaffold_group("ccd/TYR") == "c1ccccc1"
    assert find_scaffold_group("ccd/TRP") == "c1ccc2[nH]ccc2c1"
    assert find_scaffold_group("ccd/ALA") == "CC(N)C(=O)O"  # no rings: its own SMILES
    assert find_scaffold_group("ccd/ALA") == find_scaffold_group("ccd/DAL")  # its mirror image


def test_what_rdkit_refuses_has_places_and_is_a_group_of_its_own():
    shaped = shape_object("ccd/N1B", WHOLE)
    assert len(shaped.arrays["elements"])
    assert (shaped.facts.smiles, shaped.facts.scaffold, shaped.facts.rotatable_bonds) == ("", "", 0)
    assert find_scaffold_group("ccd/N1B") == "ccd/N1B"


def test_facts_count_as_rdkit_does():
    facts = shape_object("ccd/MTX", BARE).facts
    molecule = Chem.MolFromSmiles(facts.smiles)
    assert molecule.GetNumAtoms() == facts.heavy_atoms == 33
    assert facts.name == "METHOTREXATE"
    assert facts.rotatable_bonds == 9
    assert shape_object("ccd/BNZ", WHOLE).facts.rotatable_bonds == 0


@pytest.mark.parametrize(
    ("object_id", "reason"),
    [
        ("ccd/NOTHERE", "unknown component"),
        ("ATP", "unknown component"),
        ("nci/zero", "unknown component"),
        ("nci/999999", "unknown component"),
        ("ccd/UNL", "no atoms"),
        ("ccd/HEM", "other elements"),
        ("ccd/34B", "wrong coordinates"),
    ],
)
def test_what_is_no_molecule_is_refused_by_name(object_id, reason):
    with pytest.raises(MeshError, match=object_id) as caught:
        MoleculeSource(WHOLE).load(object_id)
    assert caught.value.reason == reason


def test_components_without_coordinates_are_listed_and_refused():
    source, without = MoleculeSource(WHOLE), find_without_coordinates()
    listed = {item.id for item in source.list_objects()}
    found = sorted(listed & without)
    assert 200 < len(found) < len(without)
    for object_id in found[::60]:
        with pytest.raises(MeshError, match="atoms have no coordinates") as caught:
            source.load(object_id)
        assert caught.value.reason == "no coordinates"


def find_without_coordinates():
    """Ids of the components whose ideal coordinates the dictionary lacks, of all elements, by other code."""
    atoms = info.get_ccd()["chem_comp_atom"]
    lacks = atoms["pdbx_model_Cartn_x_ideal"].mask.array != 0
    ids = np.unique(atoms["comp_id"].as_array()[lacks]).tolist()
    info.get_ccd.cache_clear()
    return {f"ccd/{name}" for name in ids}


def test_conformers_of_the_nci_are_the_molecules_of_their_smiles():
    rule = MoleculeRule(dataset="nci", max_heavy_atoms=12)
    listed = MoleculeSource(rule).list_objects()
    assert 1_500 < len(listed) < 2_500
    assert listed[0].id == "nci/000001"
    shaped = shape_object("nci/000001", rule)
    assert shaped.facts.smiles == "CC1=CC(=O)C=CC1=O"  # the first line of the file
    again = shape_object.__wrapped__("nci/000001", rule)
    np.testing.assert_array_equal(shaped.arrays["atom_positions"], again.arrays["atom_positions"])
    assert MoleculeSource(rule).license == "public domain"


def test_a_rotation_turns_the_places_of_atoms():
    """The mesh of turned atoms is the turned mesh: the record's scale and center are those of the picture."""
    shaped = shape_object("ccd/GLC", WHOLE)
    turn = Rotation.from_euler("xyz", [0.4, -1.0, 2.2])
    places = shaped.arrays["atom_positions"].astype(np.float64)
    shown = shaped.facts.diagonals_per_angstrom * (places - np.array(shaped.facts.center))
    labels = np.array([[0.4, -1.0, 2.2, 0.6, 0, 0, 0.1, 1.7]], np.float32)
    scenes = scenes_from_labels(make_recipe().schema.scene_names, labels)
    np.testing.assert_allclose(scenes.object_to_world[0, :3, :3], turn.as_matrix(), atol=1e-6)
    np.testing.assert_allclose(scenes.object_to_world[0, :3, :3] @ shown.T, turn.apply(shown).T, atol=1e-6)


def test_the_source_is_opened_by_name_and_needs_no_folder(tmp_path):
    assert isinstance(open_source("molecules", None), MoleculeSource)
    with pytest.raises(InvalidInputError, match="generates its meshes"):
        open_source("molecules", tmp_path)
