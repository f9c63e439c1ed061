"""Tracks of particles: those of a simulation by plain loops, in the world and in its own units."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from turntable.datasets import draw_factors, load_recipe
from turntable.datasets.draws import WorldKeys
from turntable.datasets.labels import FORCE_LAWS
from turntable.renderer import open_recipe_source
from turntable.renderer.dynamics import MotionsAhead, compute_particle_motion, forget_motions, simulate
from turntable.renderer.meshes import mirror_mesh

NBODY = load_recipe("nbody").replace(views=12, sequence={"length": 6, "motion": "still"})
BRANCHING = NBODY.replace(dynamics={"law": "branching", "bodies": 4, "branch_at": 3, "scale": 0.2})


def get_system(recipe, number=0):
    source = open_recipe_source(recipe, None, number + 1)
    name = source.list_objects()[number].id
    return name, source.load(name)


def compute_force(rule, places, couplings):
    """The force on each particle, pair by pair."""
    force = np.zeros_like(places)
    for i in range(len(places)):
        for j in range(len(places)):
            if i != j:
                apart = places[i] - places[j]
                distance = np.sqrt(apart @ apart + rule.softening**2)
                power = {"charged": 3, "gravity": 3, "springs": 0}[rule.law]
                sign = 1 if rule.law == "charged" else -1
                force[i] += sign * rule.strength * couplings[i, j] * apart / distance**power
    return np.clip(force, -rule.clip, rule.clip) if rule.clip else force


def run_plain(rule, places, velocities, couplings, num_frames):
    """Simulate one world with plain loops: places and velocities [T, N, 3]."""
    frames, dt = [(places.copy(), velocities.copy())], rule.dt
    for _ in range(num_frames - 1):
        for _ in range(rule.stride):
            if rule.law == "gravity":
                velocities = velocities + dt / 2 * compute_force(rule, places, couplings)
                places = places + dt * velocities
                velocities = velocities + dt / 2 * compute_force(rule, places, couplings)
            else:
                velocities = velocities + dt * compute_force(rule, places, couplings)
                places = places + dt * velocities
        frames.append((places.copy(), velocities.copy()))
    return [np.array(item) for item in zip(*frames, strict=True)]


def to_own_units(recipe, arrays, labels):
    """Tracks and velocities [S, T, N, 3] in the units of the particles' world, from what a set holds."""
    rule, length = recipe.dynamics, recipe.sequence.length
    columns = [recipe.schema.names.index(f"rotation_{axis}_rad") for axis in "xyz"]
    turns = Rotation.from_euler("xyz", labels[:, columns].astype(float)).as_matrix()
    places, velocities = (
        np.einsum("vij,vnj->vni", turns.swapaxes(1, 2), arrays[name]) for name in ("tracks", "velocities")
    )
    places = (
        places.reshape(-1, length, *places.shape[1:]) / rule.scale + arrays["track_center"][:, None, None]
    )
    return places, velocities.reshape(places.shape) / (rule.scale * rule.frame_time)


@pytest.mark.parametrize("law", FORCE_LAWS)
def test_particles_move_as_in_a_simulation_by_plain_loops(track, law):
    turned = {
        f"rotation_{axis}_rad": {"value": angle} for axis, angle in zip("xyz", (0.3, -0.5, 1.2), strict=True)
    }
    recipe = NBODY.replace(
        dynamics={"law": law, "bodies": 4, "stride": 20, "dt": 0.005},
        factors=NBODY.to_dict()["factors"] | turned,
    )
    name, mesh = get_system(recipe)
    arrays, _, parts, labels = track(recipe, name, mesh)
    places, velocities = to_own_units(recipe, arrays, labels)
    couplings = np.ones((4, 4)) if law == "gravity" else arrays["interaction"].astype(float)
    for sequence in (0, 1):
        expected = run_plain(
            recipe.dynamics, places[sequence, 0], velocities[sequence, 0], couplings, recipe.sequence.length
        )
        assert np.abs(places[sequence] - expected[0]).max() < 1e-4
        assert np.abs(velocities[sequence] - expected[1]).max() < 1e-4
        assert np.ptp(places[sequence], axis=0).max() > 0.1
    assert np.abs(np.linalg.norm(velocities[:, 0], axis=-1) - 0.5).max() < 1e-5  # the start has this speed
    assert (arrays["tracks"] == parts.part_pose[..., :3, 3]).all()
    assert arrays["track_part"].tolist() == [0, 1, 2, 3]


def test_charges_and_interactions_are_those_of_the_system(track):
    seen = set()
    for law in FORCE_LAWS:
        recipe = NBODY.replace(dynamics={"law": law, "bodies": 5, "stride": 1})
        for number in range(3):
            arrays, *_ = track(recipe, *get_system(recipe, number))
            charge, interaction = arrays["charge"].astype(int), arrays["interaction"].astype(int)
            assert (interaction == interaction.T).all()
            assert not np.diag(interaction).any()
            if law == "charged":
                assert (interaction == np.outer(charge, charge) - np.eye(5)).all()
            else:
                assert not charge.any()
            seen |= {(law, value) for value in interaction[~np.eye(5, dtype=bool)].tolist()}
    assert seen == {("charged", -1), ("charged", 1), ("springs", 0), ("springs", 1), ("gravity", 0)}


def test_numbers_of_the_own_world_are_those_of_the_simulator(track):
    name, mesh = get_system(NBODY.replace(dynamics={"law": "gravity", "bodies": 3}))
    recipe = NBODY.replace(dynamics={"law": "gravity", "bodies": 3, "scale": 0.3})
    arrays, _, _, labels = track(recipe, name, mesh)
    places, velocities = to_own_units(recipe, arrays, labels)
    exact = simulate(recipe.dynamics, WorldKeys.from_recipe(recipe, name), np.arange(2), 6)
    assert np.abs(places - exact.positions).max() < 1e-6
    assert np.abs(velocities - exact.velocities).max() < 1e-5
    assert arrays["track_center"].dtype == np.float64


def test_a_particle_that_its_object_carries_has_both_velocities(track):
    recipe = BRANCHING.replace(
        sequence={"length": 6, "motion": "constant", "speed_rad": {"low": 0.2, "high": 0.3}},
        dynamics={"law": "branching", "bodies": 4, "branch_at": 3, "speed_rad": {"low": 0, "high": 0}},
    )
    arrays, pose, _, labels = track(recipe, *get_system(recipe))
    tracks, velocities = arrays["tracks"].astype(float), arrays["velocities"].astype(float)
    in_object = np.einsum("vji,vnj->vni", pose[:, :3, :3], tracks)
    shift = np.diff(in_object[:6], axis=0)  # of a body that does not turn: the same in every frame
    assert np.abs(shift - shift[0]).max() < 1e-5
    names = [f"twist_omega_{axis}_rad" for axis in "xyz"]
    omega = labels[1, [recipe.schema.names.index(item) for item in names]].astype(float)
    for view in range(6):
        expected = pose[view, :3, :3] @ (np.cross(omega, in_object[view]) + shift[0]).T
        assert np.abs(velocities[view] - expected.T).max() < 1e-5


def test_branches_of_particles_follow_the_label(track):
    seen = set()
    for number in range(4):
        name, mesh = get_system(BRANCHING, number)
        arrays, _, _, labels = track(BRANCHING, name, mesh)
        world = simulate(BRANCHING.dynamics, WorldKeys.from_recipe(BRANCHING, name), np.arange(2), 6)
        branch = labels[::6, BRANCHING.schema.names.index("branch")]
        assert branch.tolist() == world.branch.tolist()
        scale = BRANCHING.dynamics.scale
        assert np.abs(arrays["velocities"].reshape(2, 6, 4, 3) - scale * world.velocities).max() < 1e-6
        seen |= set(branch.tolist())
    assert len(seen) == 3


def test_a_twin_is_a_system_of_the_mirror_image(track):
    recipe = NBODY.replace(mirrored=True, dynamics={"law": "charged", "stride": 5})
    name, mesh = get_system(recipe)
    own, *_ = track(recipe, name, mesh)
    twin, *_ = track(recipe, f"{name}~mirrored", mirror_mesh(mesh))
    for item in ("tracks", "velocities", "track_center"):
        assert np.abs(twin[item] - own[item] * [-1, 1, 1]).max() < 1e-6, item
    assert (twin["charge"] == own["charge"]).all()


@pytest.mark.parametrize("law", [*FORCE_LAWS, "branching"])
def test_objects_simulated_together_are_those_simulated_alone(law):
    recipe = NBODY.replace(mirrored=True, dynamics={"law": law, "bodies": 4})
    ids = [item.id for item in open_recipe_source(recipe, None, 5).list_objects()]
    named = [name for item in ids for name in (item, f"{item}~mirrored")]
    alone = {}
    for name in ids:
        forget_motions()
        alone[name] = compute_particle_motion(recipe.dynamics, WorldKeys.from_recipe(recipe, name), (0, 1), 6)
    forget_motions()
    ahead = MotionsAhead(recipe, named)
    for name in named:
        ahead.reach(name)
    for name in ids:
        together = compute_particle_motion(recipe.dynamics, WorldKeys.from_recipe(recipe, name), (0, 1), 6)
        assert together is not alone[name]
        for item in ("places", "velocities", "centers", "charges", "interaction"):
            assert getattr(together, item).tobytes() == getattr(alone[name], item).tobytes(), item


def test_tracks_leave_labels_and_poses_as_they_are():
    charged = load_recipe("charged")
    tracked = charged.replace(tracks={})
    name = "charged-5/000000"
    assert tracked.label_digest == charged.label_digest
    assert (draw_factors(tracked, name, range(4)) == draw_factors(charged, name, range(4))).all()
    assert tracked.digest != charged.digest
    assert tracked.replace(tracks=None) == charged
