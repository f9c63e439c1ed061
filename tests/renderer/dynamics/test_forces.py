"""Particles move as their laws say: closed forms, an independent program, conservation, symmetries."""

import math
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from turntable.datasets.draws import WorldKeys
from turntable.datasets.labels import FORCE_LAWS, DynamicsRule, make_dynamics_rule
from turntable.errors import InvalidInputError
from turntable.renderer.dynamics import (
    ParticleTracks,
    Systems,
    integrate,
    iter_tracks,
    measure_conservation,
    simulate,
)

KEYS = WorldKeys.from_names("seed 3")
CONSTANTS = {
    "charged": {"strength": 1.0, "softening": 0.0, "clip": 100.0, "bodies": 5},
    "springs": {"strength": 0.1, "softening": 0.0, "clip": 100.0, "bodies": 5},
    "gravity": {"strength": 1.0, "softening": 0.1, "clip": 0.0, "bodies": 10},
}
"""The constants of the papers, which the defaults must be."""


def place(rule: DynamicsRule, where: Any, velocity: Any, charges: Any, frames: int) -> ParticleTracks:
    """Move one world of two bodies."""
    q = np.array([charges], dtype=np.float64)
    kind = np.zeros((1, 2, 2), dtype=np.int8)
    kind[0, 0, 1] = kind[0, 1, 0] = charges[0] * charges[1] if rule.law == "charged" else 1
    return integrate(rule, Systems(q, kind), np.array([where], float), np.array([velocity], float), frames)


def circle(law: Any, **keys: Any) -> tuple[ParticleTracks, np.ndarray]:
    """Two bodies that attract each other with 1 / r², at distance 1, on a circle; and the exact places."""
    rule = make_dynamics_rule(law, bodies=2, softening=0.0, clip=0.0, **keys)
    # Each is 1/2 from the center, and v² / (1/2) = 1.
    speed = math.sqrt(0.5)
    where, velocity = [[0.5, 0, 0], [-0.5, 0, 0]], [[0, speed, 0], [0, -speed, 0]]
    tracks = place(rule, where, velocity, [1, -1], 21)
    angle = np.arange(21) * rule.dt * rule.stride * speed / 0.5
    side = 0.5 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=-1)
    return tracks, np.stack([side, -side], axis=1)


def test_opposite_charges_circle_each_other() -> None:
    tracks, exact = circle("charged", dt=1e-3, stride=100)
    assert np.abs(tracks.positions[0] - exact).max() < 2e-3
    assert np.abs(tracks.positions[0, -1] - tracks.positions[0, 0]).max() > 0.5


@pytest.mark.parametrize(("law", "order"), [("charged", 1), ("gravity", 2)])
def test_the_error_falls_with_the_order_of_the_method(law: str, order: int) -> None:
    errors = []
    for halvings in range(3):
        tracks, exact = circle(law, dt=4e-3 / 2**halvings, stride=25 * 2**halvings)
        errors.append(np.abs(tracks.positions[0] - exact).max())
    assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(2**order, rel=0.05)


def test_a_spring_swings_at_its_frequency() -> None:
    rule = make_dynamics_rule("springs", bodies=2, stride=200)
    tracks = place(rule, [[0.5, 0, 0], [-0.5, 0, 0]], np.zeros((2, 3)), [0, 0], 60)
    # The difference d of two places obeys d'' = -2 k d.
    time = np.arange(60) * rule.dt * rule.stride
    swing = np.cos(math.sqrt(2 * 0.1) * time)
    assert np.abs(tracks.positions[0, :, 0, 0] - swing / 2).max() < 3e-4
    assert swing.min() < -0.9


def test_gravity_gives_an_ellipse_of_kepler() -> None:
    """Two bodies from the pericenter of an orbit of eccentricity 0.5, by the equation of Kepler."""
    rule = make_dynamics_rule("gravity", bodies=2, softening=0.0, stride=100)
    eccentricity, axis, total = 0.5, 1.0, 2.0  # of the relative orbit; total: strength times both masses
    near = axis * (1 - eccentricity)
    fast = math.sqrt(total / axis * (1 + eccentricity) / (1 - eccentricity))
    tracks = place(
        rule,
        [[near / 2, 0, 0], [-near / 2, 0, 0]],
        [[0, fast / 2, 0], [0, -fast / 2, 0]],
        [0, 0],
        50,
    )
    time = np.arange(50) * rule.dt * rule.stride
    anomaly = math.sqrt(total / axis**3) * time
    assert anomaly[-1] > 2 * math.pi
    E = anomaly.copy()
    for _ in range(50):
        E -= (E - eccentricity * np.sin(E) - anomaly) / (1 - eccentricity * np.cos(E))
    x, y = axis * (np.cos(E) - eccentricity), axis * math.sqrt(1 - eccentricity**2) * np.sin(E)
    relative = tracks.positions[0, :, 0] - tracks.positions[0, :, 1]
    assert np.abs(relative - np.stack([x, y, 0 * x], axis=-1)).max() < 1e-3


def simulate_in_loops(
    law: str, places: np.ndarray, speeds: np.ndarray, kind: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Move one world by the papers' formulas, a body and a pair at a time, with dt = 0.001."""
    constants, dt, n = CONSTANTS[law], 1e-3, len(places)
    x, v = [list(row) for row in places.tolist()], [list(row) for row in speeds.tolist()]

    def pull(i: int) -> list[float]:
        force = [0.0, 0.0, 0.0]
        for j in range(n):
            if i == j:
                continue
            away = [a - b for a, b in zip(x[i], x[j], strict=True)]
            length = math.sqrt(sum(a * a for a in away) + constants["softening"] ** 2)
            size = {
                "charged": float(kind[i, j]) / length**3,
                "springs": -0.1 * float(kind[i, j]),
                "gravity": -1 / length**3,
            }[law]
            force = [f + size * a for f, a in zip(force, away, strict=True)]
        clip = constants["clip"] or math.inf
        return [min(max(f, -clip), clip) for f in force]

    def kick(share: float) -> None:
        forces = [pull(i) for i in range(n)]
        for i in range(n):
            for c in range(3):
                v[i][c] += share * dt * forces[i][c]

    def drift() -> None:
        for i in range(n):
            for c in range(3):
                x[i][c] += dt * v[i][c]

    for _ in range(steps):
        if law == "gravity":
            kick(0.5)
            drift()
            kick(0.5)
        else:
            kick(1)
            drift()
    return np.array(x), np.array(v)


@pytest.mark.parametrize("law", FORCE_LAWS)
def test_an_independent_program_gives_the_same_numbers(law: Any) -> None:
    rule = make_dynamics_rule(law, stride=40)
    assert (rule.dt, make_dynamics_rule(law).stride) == (1e-3, 100)
    assert {name: getattr(rule, name) for name in CONSTANTS[law]} == CONSTANTS[law]
    tracks = simulate(rule, KEYS, np.array([7]), 6)
    place, speed = tracks.positions[0], tracks.velocities[0]
    x, v = simulate_in_loops(law, place[0], speed[0], tracks.interaction[0], 200)
    assert np.abs(place[-1] - x).max() < 1e-11
    assert np.abs(speed[-1] - v).max() < 1e-10
    assert np.abs(place[-1] - place[0]).max() > 0.05


def test_the_force_is_clipped_by_component() -> None:
    rule = make_dynamics_rule("charged", bodies=2, stride=1, clip=5.0)
    # At distance 0.05 along (3, 4, 0) / 5, the force is 400 (0.6, 0.8, 0).
    tracks = place(rule, [[0.03, 0.04, 0], [0, 0, 0]], np.zeros((2, 3)), [1, 1], 2)
    assert np.allclose(tracks.velocities[0, 1], [[0.005, 0.005, 0], [-0.005, -0.005, 0]], atol=0)


@pytest.mark.parametrize("law", FORCE_LAWS)
def test_momentum_and_energy_are_kept(law: Any) -> None:
    rule = make_dynamics_rule(law)
    tracks = simulate(rule, KEYS, np.arange(64), 11)
    kept = measure_conservation(rule, tracks)
    i, j = np.triu_indices(rule.bodies, 1)
    apart = np.linalg.norm(tracks.positions[:, :, i] - tracks.positions[:, :, j], axis=-1).min(axis=(1, 2))
    # Charges that come near one another meet the clip, or steps too long for them.
    calm = apart > 0.4 if law == "charged" else apart >= 0
    assert calm.sum() >= 8
    assert kept.momentum_drift[calm].max() < 1e-12
    assert kept.energy_drift[calm].max() < 0.02
    assert np.ptp((tracks.velocities**2).sum(axis=(-1, -2)), axis=1).max() > 0.02


def test_the_clip_is_seen_in_what_is_reported() -> None:
    rule = make_dynamics_rule("charged")
    kept = measure_conservation(rule, simulate(rule, KEYS, np.arange(256), 11))
    assert kept.energy_drift.max() > 0.1
    assert kept.momentum.shape == (256, 11, 3)


@pytest.mark.parametrize("law", FORCE_LAWS)
def test_motion_turns_with_the_world(law: Any) -> None:
    """Rotations, reflections, shifts and another order of the bodies, in worlds without clips."""
    rule = make_dynamics_rule(law, clip=0.0, softening=0.1, stride=50)
    before = simulate(rule, KEYS, np.arange(16), 5)
    x, v = before.positions[:, 0], before.velocities[:, 0]
    turn = Rotation.random(random_state=0).as_matrix() @ np.diag([1, 1, -1])
    order = np.random.default_rng(0).permutation(rule.bodies)
    systems = Systems(before.charges[:, order], before.interaction[:, order][:, :, order])
    after = integrate(rule, systems, (x @ turn.T + [3, -2, 1])[:, order], (v @ turn.T)[:, order], 5)
    assert np.abs(after.positions - (before.positions @ turn.T + [3, -2, 1])[:, :, order]).max() < 1e-11
    assert np.abs(after.velocities - (before.velocities @ turn.T)[:, :, order]).max() < 1e-10


@pytest.mark.parametrize("law", FORCE_LAWS)
def test_a_world_depends_on_its_key_and_number_alone(law: Any) -> None:
    rule = make_dynamics_rule(law, stride=10)
    whole = simulate(rule, KEYS, np.arange(20), 4)
    pieces = list(iter_tracks(rule, KEYS, np.arange(20), 4, at_once=7))
    assert [len(piece.positions) for piece in pieces] == [7, 7, 6]
    assert np.concatenate([piece.positions for piece in pieces]).tobytes() == whole.positions.tobytes()
    one = simulate(rule, KEYS, np.array([13]), 4)
    assert one.positions.tobytes() == whole.positions[13:14].tobytes()
    assert one.velocities.tobytes() == whole.velocities[13:14].tobytes()
    assert one.interaction.tobytes() == whole.interaction[13:14].tobytes()
    other = simulate(rule, WorldKeys.from_names("seed 4"), np.array([13]), 4)
    assert np.abs(other.positions - one.positions).max() > 0.1


def test_starts_have_the_distribution_of_the_papers() -> None:
    for law, spread in (("charged", (8 / 5) ** (1 / 3)), ("springs", 0.5), ("gravity", 1.0)):
        tracks = simulate(make_dynamics_rule(law, bodies=8), KEYS, np.arange(2000), 1)
        x = tracks.positions.reshape(-1, 3) / spread
        assert np.abs(np.cov(x.T) - np.eye(3)).max() < 0.03
        assert np.mean(np.abs(x) < 1) == pytest.approx(0.6827, abs=0.01)
        v = tracks.velocities.reshape(-1, 3)
        assert np.abs(np.linalg.norm(v, axis=-1) - 0.5).max() < 1e-6
        assert np.abs(v.mean(axis=0)).max() < 0.01
        assert np.abs(np.corrcoef(np.hstack([x, v]).T) - np.eye(6)).max() < 0.04


def test_systems_are_drawn_at_even_odds() -> None:
    charged = simulate(make_dynamics_rule("charged"), KEYS, np.arange(2000), 1)
    assert set(np.unique(charged.charges)) == {-1, 1}
    assert charged.charges.mean() == pytest.approx(0, abs=0.04)
    products = charged.charges[:, :, None] * charged.charges[:, None, :]
    assert (charged.interaction == products * (1 - np.eye(5))).all()
    springs = simulate(make_dynamics_rule("springs"), KEYS, np.arange(2000), 1)
    kind = springs.interaction
    assert (kind == kind.transpose(0, 2, 1)).all()
    assert (np.diagonal(kind, axis1=1, axis2=2) == 0).all()
    assert kind[:, *np.triu_indices(5, 1)].mean() == pytest.approx(0.5, abs=0.02)
    assert kind.dtype == np.int8
    assert not springs.charges.any()
    assert not simulate(make_dynamics_rule("gravity"), KEYS, np.arange(2), 1).interaction.any()


def test_a_motion_that_leaves_all_numbers_is_refused() -> None:
    rule = make_dynamics_rule("springs", dt=1e3, clip=0.0)
    with pytest.raises(InvalidInputError, match=r"springs leaves the range of numbers.*dt = 1000.*smaller"):
        simulate(rule, KEYS, np.arange(2), 10)


PINNED = {
    "charged": ([0.395835638, 0.528612316, 0.196204126], [0.237809852, 0.548668639, 0.144590151]),
    "springs": ([0.197917819, 0.264306128, 0.098102093], [0.101664412, 0.270997002, 0.059089451]),
    "gravity": ([0.445982933, 1.173417151, 0.666064918], [0.548062650, 1.197148707, 0.676445807]),
}
"""Places of the first body of world 2 under the key "pinned": at the start, and 200 steps later."""


@pytest.mark.parametrize("law", PINNED)
def test_worlds_stay_as_they_are(law: Any) -> None:
    """No later version draws other worlds in silence; the loops above give the same end from this start."""
    tracks = simulate(make_dynamics_rule(law), WorldKeys.from_names("pinned"), np.array([2]), 3)
    place, speed = tracks.positions[0], tracks.velocities[0]
    start, end = PINNED[law]
    assert np.abs(place[0, 0] - start).max() < 1e-8
    assert np.abs(place[-1, 0] - end).max() < 1e-8
    looped, _ = simulate_in_loops(law, place[0], speed[0], tracks.interaction[0], 200)
    assert np.abs(looped[0] - end).max() < 1e-8
