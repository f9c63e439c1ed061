"""Forces between all pairs of particles, for many worlds at once.

Arrays are [3, N, W], so that a number of every world stands beside the same number of the next world, and one
operation serves them all. No result depends on how many worlds are computed together: each operation acts on
every number alone, and sums over bodies have one order.
"""

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import DynamicsRule
from turntable.renderer.dynamics.systems import Systems

Array = NDArray[np.float64]


class PairForces:
    """The forces of a law in W worlds of N particles of mass 1.

    Each pair is computed once. Pairs are taken in circles: every body with the next, with the one after it,
    and so on, where body N is body 0 again. Places are therefore given twice, [3, 2N, W].

    Args:
        rule: Rule with the law and its constants.
        systems: Charges and springs of the worlds.
    """

    def __init__(self, rule: DynamicsRule, systems: Systems) -> None:
        self._rule, self._n = rule, rule.bodies
        coupling = compute_couplings(rule, systems)
        self._circles = [self._list_circle(coupling, shift) for shift in range(1, self._n // 2 + 1)]
        self._difference, self._square = np.empty((2, 3, self._n, len(coupling)))
        self._weight, self._root = np.empty((2, self._n, len(coupling)))

    def _list_circle(self, coupling: Array, shift: int) -> tuple[int, Array]:
        """Return a shift and the couplings [count, W] of each body with the one that far ahead."""
        count = self._n // 2 if 2 * shift == self._n else self._n
        first = np.arange(count)
        return shift, np.ascontiguousarray(coupling[:, first, (first + shift) % self._n].T)

    def compute(self, places: Array, forces: Array) -> Array:
        """Compute the force on each particle.

        Args:
            places: Places [3, 2N, W], the second N being the first again.
            forces: Array [3, 2N, W] to write into.

        Returns:
            The forces [3, N, W], which are the first half of ``forces``.
        """
        forces.fill(0)
        for shift, coupling in self._circles:
            count = len(coupling)
            difference = self._difference[:, :count]
            np.subtract(places[:, :count], places[:, shift : shift + count], out=difference)
            difference *= self._weigh(difference, coupling)
            forces[:, :count] += difference
            forces[:, shift : shift + count] -= difference
        total = forces[:, : self._n]
        total += forces[:, self._n :]
        if self._rule.clip:
            # Less work in each call than np.clip, which counts where there are few worlds.
            np.minimum(np.maximum(total, -self._rule.clip, out=total), self._rule.clip, out=total)
        return total

    def _weigh(self, difference: Array, coupling: Array) -> Array:
        """Compute the factors [count, W] that turn differences [3, count, W] of places into forces."""
        if self._rule.law == "springs":
            return coupling
        count = len(coupling)
        square = np.multiply(difference, difference, out=self._square[:, :count])
        weight, root = self._weight[:count], self._root[:count]
        np.add(square[0], square[1], out=weight)
        weight += square[2]
        if self._rule.softening:
            weight += self._rule.softening**2
        weight *= np.sqrt(weight, out=root)
        return np.divide(coupling, weight, out=weight)


def compute_couplings(rule: DynamicsRule, systems: Systems) -> Array:
    """Return the factor [W, N, N] of each pair's force along the difference of its places; above 0 repels."""
    if rule.law == "gravity":
        return np.full(systems.interaction.shape, -rule.strength)
    strength = rule.strength if rule.law == "charged" else -rule.strength
    return strength * systems.interaction.astype(np.float64)
