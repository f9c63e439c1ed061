"""Recipes move parts: tracks and pictures side by side, free parts by twists, and what is refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from turntable import geometry
from turntable.datasets import Recipe, draw_factors, load_recipe
from turntable.datasets.draws import WorldKeys, make_system_key
from turntable.datasets.labels import PARTICLE_LAWS, make_dynamics_rule
from turntable.datasets.objects import Joint, get_rest_poses
from turntable.errors import InvalidInputError, MeshError, RecipeError
from turntable.renderer import open_backend, open_source, quality_from_recipe
from turntable.renderer.dynamics import (
    compute_particle_motion,
    draw_systems,
    forget_motions,
    integrate,
    simulate,
)
from turntable.renderer.meshes import (
    Mesh,
    compute_center,
    compute_mesh_digest,
    compute_part_boxes,
    move_parts,
)
from turntable.renderer.meshes.sources import BALL_RADIUS, ParticleSource, ZooSource
from turntable.renderer.posing import PartPoses, pose_parts
from turntable.renderer.scene import Camera, scenes_from_labels

CHARGED = load_recipe("charged")
BRANCHING = CHARGED.replace(dynamics={"law": "branching", "bodies": 6, "branch_at": 5})
TWIST = CHARGED.replace(
    source="folder",
    dynamics={"law": "twist"},
    rotation={"kind": "uniform"},
    factors={
        name: table for name, table in CHARGED.to_dict()["factors"].items() if not name.startswith("rotation")
    },
)


def pose(recipe: Recipe, object_id: str, mesh: Mesh, views: Any) -> tuple[PartPoses, np.ndarray, Any]:
    labels = draw_factors(recipe, object_id, views)
    scenes = scenes_from_labels(recipe.schema.scene_names, recipe.schema.select_scene_columns(labels))
    posed = pose_parts(recipe, object_id, mesh, np.array(views), scenes.object_to_world)
    assert posed is not None
    return posed, labels, scenes


def get_balls(recipe: Recipe, number: int = 0) -> tuple[str, Mesh]:
    source = open_source("particles", None, number + 1, dynamics=recipe.dynamics)
    name = source.list_objects()[number].id
    return name, source.load(name)


def simulate_sequence(recipe: Recipe, object_id: str, sequence: int) -> np.ndarray:
    """Simulate a sequence of an object [T, N, 3] as a world with the number of the sequence."""
    rule, keys = recipe.dynamics, WorldKeys.from_recipe(recipe, object_id)
    assert rule is not None
    world = simulate(rule, keys, np.array([sequence]), 20)
    if rule.law in ("gravity", "branching"):
        return world.positions[0]
    # The charges and springs are those of the object, which has the number 0.
    own = draw_systems(rule, make_system_key(object_id), np.array([0]))
    return integrate(rule, own, world.positions[:, 0], world.velocities[:, 0], 20).positions[0]


@pytest.mark.parametrize("law", PARTICLE_LAWS)
def test_balls_are_where_the_simulation_puts_the_particles(law: str) -> None:
    recipe = CHARGED.replace(dynamics={"law": law})
    name, mesh = get_balls(recipe, 3)
    poses = pose(recipe, name, mesh, range(40))[0].part_pose
    assert (poses[..., :3, :3] == np.eye(3)).all()
    assert recipe.dynamics is not None
    for sequence in (0, 1):
        track = simulate_sequence(recipe, name, sequence)
        center = (track.max(axis=(0, 1)) + track.min(axis=(0, 1))) / 2
        shown = poses[20 * sequence : 20 * sequence + 20, :, :3, 3]
        assert np.abs(shown - recipe.dynamics.scale * (track - center)).max() < 1e-6
        assert np.ptp(shown, axis=0).max() > 0.05


def test_any_views_in_any_order_give_the_same_poses() -> None:
    name, mesh = get_balls(CHARGED)
    whole = pose(CHARGED, name, mesh, range(40))[0].part_pose
    for views in ([39], [21, 3, 3, 38], [0, 20]):
        forget_motions()
        assert pose(CHARGED, name, mesh, views)[0].part_pose.tobytes() == whole[views].tobytes()
    other, mesh = get_balls(CHARGED, 1)
    assert np.abs(pose(CHARGED, other, mesh, range(40))[0].part_pose - whole).max() > 0.1


def test_the_poses_turn_with_the_object() -> None:
    upright, turned = (
        CHARGED.replace(factors=CHARGED.to_dict()["factors"] | {"rotation_z_rad": {"value": angle}})
        for angle in (0, 0.5)
    )
    name, mesh = get_balls(CHARGED)
    for recipe in (upright, turned):
        posed, _, scenes = pose(recipe, name, mesh, range(20))
        local = geometry.invert_pose(scenes.object_to_world)[:, None] @ posed.part_pose
        motion = compute_particle_motion(recipe.dynamics, WorldKeys.from_recipe(recipe, name), (0,), 20)
        assert np.abs(local[..., :3, 3] - motion.places[0]).max() < 1e-6


@pytest.mark.gl
def test_pictures_show_the_balls_where_the_labels_say() -> None:
    """The color of a ball's charge stands at the pixel onto which its center is projected."""
    recipe = CHARGED.replace(image_size_px=96, quality="fast")
    name, mesh = get_balls(recipe, 1)
    views = [0, 7, 19]
    posed, _, scenes = pose(recipe, name, mesh, views)
    motions = posed.compute_motions(mesh, scenes.object_to_world)
    checked = 0
    with open_backend() as backend:
        for row in range(len(views)):
            picture = render_as_one(backend, recipe, move_parts(mesh, motions[row]), scenes[row : row + 1])
            centers = posed.part_pose[row, :, :3, 3].astype(np.float64)
            pixels = Camera().project(centers, 96)
            apart = np.linalg.norm(pixels[:, None] - pixels, axis=-1) + 99 * np.eye(5)
            for part, (x, y) in enumerate(pixels):
                if apart[part].min() > 8 and (np.abs([x - 48, y - 48]) < 44).all():
                    red, _, blue = picture[int(y), int(x)].astype(int)
                    assert (red > blue + 20) == (mesh.parts[part].category == "positive"), (row, part)
                    assert abs(red - blue) > 20
                    checked += 1
    assert checked >= 6
    assert {part.category for part in mesh.parts} == {"positive", "negative"}


def render_as_one(backend: Any, recipe: Recipe, mesh: Mesh, scenes: Any) -> np.ndarray:
    """Render an assembly as one mesh, whose box the renderer centers: moved back here."""
    one = replace(mesh, parts=(), part_index=None)
    shift = geometry.make_pose(np.eye(3), compute_center(one))
    placed = replace(scenes, object_to_world=scenes.object_to_world @ shift)
    return backend.render(one, placed, recipe.image_size_px, quality_from_recipe(recipe), ("rgb",)).rgb[0]


def test_most_balls_of_the_shipped_recipes_stay_in_the_picture() -> None:
    for name in ("charged", "springs"):
        recipe, inside = load_recipe(name), []
        for number in range(8):
            object_id, mesh = get_balls(recipe, number)
            centers = pose(recipe, object_id, mesh, range(40))[0].part_pose[..., :3, 3]
            pixels = Camera().project(centers.astype(np.float64), 128)
            inside.append((np.abs(pixels - 64) < 64).all(axis=-1).mean())
        assert np.mean(inside) > 0.97, name


def test_a_ball_is_a_sphere_of_the_color_of_its_charge() -> None:
    source = ParticleSource(40)
    categories = set()
    for item in source.list_objects():
        mesh = source.load(item.id)
        categories |= {part.category for part in mesh.parts}
        for part, color in zip(mesh.parts, mesh.materials, strict=True):
            red, _, blue = color.base_color
            assert (red > blue) == (part.category == "positive")
    assert categories == {"positive", "negative"}
    rest = get_rest_poses(mesh.parts)[:, :3, 3]
    centers = np.repeat(rest, len(mesh.positions) // 5, axis=0)
    assert np.abs(np.linalg.norm(mesh.positions - centers, axis=-1) - BALL_RADIUS).max() < 1e-6
    assert np.abs(mesh.normals - (mesh.positions - centers) / BALL_RADIUS).max() < 1e-4
    assert np.abs(compute_part_boxes(mesh).mean(axis=1) - rest).max() < 1e-6
    corners = (mesh.positions - centers)[mesh.triangles].astype(np.float64)
    volume = np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
    assert volume == pytest.approx(5 * 4 / 3 * np.pi * BALL_RADIUS**3, rel=0.05)


def test_systems_are_found_by_their_ids() -> None:
    source = open_source("particles", None, 3, dynamics=make_dynamics_rule("springs", bodies=4))
    ids = [item.id for item in source.list_objects()]
    assert ids == ["springs-4/000000", "springs-4/000001", "springs-4/000002"]
    assert {item.category for item in source.list_objects()} == {"springs"}
    other = ParticleSource(1).load(ids[1])  # by its id alone
    assert compute_mesh_digest(other) == compute_mesh_digest(source.load(ids[1]))
    assert len({material.base_color for material in other.materials}) == 4
    assert len(ParticleSource(1).load("gravity-64/000001").parts) == 64
    for wrong in ("charged-5/1", "twist-5/000001", "charged-1/000000", "charged-65/000000", "mug/000001"):
        with pytest.raises(InvalidInputError, match="ids are like charged-5/000007"):
            source.load(wrong)
    with pytest.raises(InvalidInputError, match="--objects 1 or more"):
        ParticleSource(0).list_objects()


def make_chain() -> Mesh:
    """Make an assembly of two free parts, the first of which carries two others, one by a hinge."""
    mesh = ParticleSource(1).load("springs-4/000000")
    hinge = Joint("hinge", (0.0, 0.0, 1.0), (0.0, 0.0, 0.0), -1, 1)
    first, second, third, last = mesh.parts
    carried = (replace(second, parent=0, joint=hinge), replace(third, parent=1))
    return replace(mesh, parts=(first, *carried, last))


def test_free_parts_have_constant_twists_of_their_own() -> None:
    mesh = make_chain()
    held = TWIST.replace(joints={"range": "full", "motion": "held"})  # so that carried parts do not swing
    posed = pose(held, "some/thing", mesh, range(40))[0].part_pose.astype(np.float64).reshape(2, 20, 4, 4, 4)
    steps = geometry.log_se3(geometry.invert_pose(posed[:, :-1]) @ posed[:, 1:])[:, :, [0, 3]]
    assert np.abs(steps - steps[:, :1]).max() < 1e-5
    angle, shift = (np.linalg.norm(steps[:, 0, :, span], axis=-1) for span in (slice(3), slice(3, 6)))
    assert (angle > 0.05 - 1e-5).all()
    assert (angle < 0.3 + 1e-5).all()
    assert (shift < 0.05 + 1e-5).all()
    four = steps[:, 0].reshape(4, 6)  # two parts in two sequences
    assert np.linalg.norm(four[:, None] - four, axis=-1)[~np.eye(4, dtype=bool)].min() > 0.05
    for carried in (1, 2):
        relative = geometry.invert_pose(posed[:, :, 0]) @ posed[:, :, carried]
        assert np.abs(relative - relative[:, :1]).max() < 1e-5
    assert np.abs(posed[:, 0, 0, :3, 3] - posed[:, -1, 0, :3, 3]).max() > 0.05


def test_free_parts_take_the_branch_of_their_label() -> None:
    recipe = TWIST.replace(dynamics={"law": "branching", "branch_at": 5, "branches": 2})
    mesh = make_chain()
    seen = set()
    for number in range(6):
        posed, labels, _ = pose(recipe, f"some/{number}", mesh, range(20))
        poses = posed.part_pose.astype(np.float64)
        steps = geometry.log_se3(geometry.invert_pose(poses[:-1]) @ poses[1:])[:, [0, 3]]
        assert np.abs(steps[:4] - steps[0]).max() < 1e-5
        branch = labels[0, -1]
        seen.add(float(branch))
        factor = np.array([2 * branch - 1] * 3 + [1] * 3)
        assert np.abs(steps[4:] - factor * steps[0]).max() < 1e-5
    assert seen == {0, 1}


def test_branches_are_labels_at_equal_odds() -> None:
    recipe = BRANCHING.replace(dynamics={"law": "branching", "branches": 4})
    assert recipe.dynamics is not None
    assert recipe.dynamics.branch_at == 10
    labels = np.concatenate([draw_factors(recipe, f"a/{n}", range(40))[::20, -1] for n in range(200)])
    assert np.abs(np.bincount(labels.astype(int), minlength=4) / 400 - 0.25).max() < 0.08
    assert recipe.factors[-1].contains(labels).all()
    assert (labels == labels.astype(int)).all()


def test_an_object_of_one_piece_is_refused() -> None:
    mesh = ZooSource(1, ("mug",)).load("mug/000000")
    with pytest.raises(MeshError, match=r"mug/0: it has no parts that could move.*\[dynamics\]") as caught:
        pose(TWIST, "mug/0", mesh, [0])
    assert caught.value.reason == "no parts"


def test_a_system_of_another_size_is_refused() -> None:
    name = "charged-4/000000"
    with pytest.raises(MeshError, match=r"charged-4/000000: it has 4 balls, and dynamics.bodies is 5"):
        pose(CHARGED, name, ParticleSource(1).load(name), [0])


REFUSED = {
    "no parts": ({"source": "zoo"}, 'dynamics: an object of source = "zoo" has no parts that could move'),
    "no frames": ({"sequence": None}, r"dynamics: motion needs frames; give \[sequence\] with length"),
    "no law": ({"dynamics": None}, "dynamics: missing; .* one of charged, springs, gravity, branching"),
    "other source": (
        {"source": "folder"},
        'dynamics.law: "charged" moves particles; give source = "particles"',
    ),
    "other law": (
        {"dynamics": {"law": "twist"}},
        'dynamics.law: source = "particles" moves by one of charged',
    ),
    "one branch": ({"dynamics": {"law": "branching", "branches": 1}}, "dynamics.branches: 1 is below 2"),
    "early": ({"dynamics": {"law": "branching", "branch_at": 1}}, "dynamics.branch_at: 1 is below 2"),
    "late": (
        {"dynamics": {"law": "branching", "branch_at": 20}},
        "branch_at: 20 is not below sequence.length 20",
    ),
    "short": (
        {"dynamics": {"law": "branching"}, "sequence": {"length": 2, "motion": "still"}},
        "sequence.length: a sequence with branches has at least 4 views",
    ),
    "unused": ({"dynamics": {"law": "charged", "branches": 3}}, 'branches: law = "charged" does not use it'),
    "fast": (
        {"dynamics": {"law": "branching", "speed_rad": {"low": 0, "high": 4}}},
        r"dynamics.speed_rad: leaves \[0, pi\]",
    ),
    "backward": (
        {"dynamics": {"law": "branching", "travel": {"low": -1, "high": 0}}},
        "dynamics.travel: -1.0 is negative, but it is a distance",
    ),
    "still": (
        {"sequence": {"length": 20, "motion": "still", "speed_rad": {"low": 0, "high": 1}}},
        'sequence.speed_rad: motion = "still" has no speed',
    ),
    "unknown": ({"dynamics": {"law": "charged", "steps": 3}}, "dynamics.steps: unknown key; "),
    "number": ({"dynamics": {"law": "charged", "dt": 0}}, "dynamics.dt: 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_move_is_refused_by_name(name: str) -> None:
    changes, message = REFUSED[name]
    table = {key: value for key, value in (CHARGED.to_dict() | changes).items() if value is not None}
    with pytest.raises(RecipeError, match=message):
        Recipe.from_dict(table)


@pytest.mark.parametrize("recipe", [CHARGED, load_recipe("springs"), BRANCHING, TWIST], ids=str)
def test_recipes_with_dynamics_are_written_and_read(recipe: Recipe) -> None:
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert recipe.label_digest != recipe.replace(seed=1).label_digest


def test_every_key_of_the_law_decides_the_labels() -> None:
    rule = CHARGED.to_dict()["dynamics"]
    digests = {
        CHARGED.replace(dynamics=rule | {key: 2 * value}).label_digest
        for key, value in rule.items()
        if key not in ("law", "softening")
    }
    assert len(digests | {CHARGED.label_digest}) == 7
