"""Samplers of related views of several objects: quads by a rule, and the edges of a list."""

import logging
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from turntable.datasets import Split
from turntable.datasets.relations import EdgeList, RelationRule, read_labeled_views
from turntable.errors import InvalidInputError
from turntable.loaders.argument_checks import check_flag, check_integer, check_type
from turntable.loaders.sampling.partner_table import NUM_TRIES, PartnerTable
from turntable.loaders.sampling.random_order import draw_permutation, draw_visit_order, draw_words
from turntable.loaders.sampling.samplers import Fixed, Sampler, Samples, ViewNaming
from turntable.loaders.sampling.view_selection import ViewSelection

_LOG = logging.getLogger("turntable.loaders")
_WORDS_PER_QUAD = NUM_TRIES + 4
"""Words of a quad: one for each of A, A' and B', and those of B."""


@runtime_checkable
class RelationSampler(Sampler, Protocol):
    """The interface of samplers whose samples have views of several objects.

    In their batches each view has an ``object_index``, a ``category`` and values of the object's fields of
    its own.
    """

    @property
    def views_per_object(self) -> int:
        """Least number of views that an object must have."""
        ...

    def prepare(self, selection: ViewSelection, split: Split) -> ViewSelection:
        """Return the selection as ``draw_samples`` takes it: with the objects that can be drawn alone.

        Raises:
            InvalidInputError: No sample can be drawn.
        """
        ...


def has_several_objects(sampler: Sampler) -> bool:
    """Return True if the views of a sample may belong to several objects."""
    if isinstance(sampler, Fixed):
        return sampler.fixed_samples.have_several_objects
    return isinstance(sampler, RelationSampler)


@dataclass(frozen=True, slots=True)
class Quads:
    """Four views A, A', B, B': two of one object, two of another, related by a rule (Wang et al., 2017).

    (A, A') and (B, B') are intra pairs: one object seen differently. (A, B) is an inter pair: two objects of
    one category that look alike. So (A', B), (A, B') and (A', B') are transitive pairs. A is drawn from the
    views of the object that have both pairs, and the others from all that fit, all equally likely.
    """

    rule: RelationRule = RelationRule()
    """Conditions on the labels of the pairs."""
    visits: int = 1
    """Number of times that an epoch goes through all objects that can be A's."""
    quads_per_visit: int = 1
    """Number of quads of an object at each visit. They are at least half a window apart."""

    def __post_init__(self) -> None:
        check_type(
            "Quads.rule", self.rule, RelationRule, "give a RelationRule, such as RelationRule(inter_deg=10)"
        )
        for name in ("visits", "quads_per_visit"):
            object.__setattr__(self, name, check_integer(f"Quads.{name}", getattr(self, name), 1))

    @property
    def views(self) -> int:
        """Number of views of a sample: 4."""
        return 4

    @property
    def views_per_object(self) -> int:
        """Least number of views of an object: 2."""
        return 2

    @property
    def naming(self) -> ViewNaming:
        """Naming of the images: ``views`` [B, 4, ...]."""
        return "several"

    def prepare(self, selection: ViewSelection, split: Split) -> ViewSelection:
        """Return the selection with its pairs, without objects that have none; log how many these are.

        Raises:
            InvalidInputError: There is no quad, or the data lack what the rule asks for.
        """
        owners = np.repeat(selection.objects, selection.view_counts)
        partners = PartnerTable(read_labeled_views(split, owners, selection.views), self.rule)
        usable = partners.first_counts > 0
        if not usable.any():
            raise InvalidInputError(self._explain_no_quads(selection))
        if not usable.all():
            _LOG.warning(
                "%d of %d objects of %s have no view of a quad and are left out",
                (~usable).sum(),
                len(selection),
                split.name,
            )
        return replace(selection.take(usable), partners=partners)

    def count_samples(self, selection: ViewSelection) -> int:
        """Return the number of objects times visits times quads per visit."""
        return len(selection) * self.visits * self.quads_per_visit

    def draw_samples(self, selection: ViewSelection, window: int | None, seed: int, epoch: int) -> Samples:
        """Draw ``quads_per_visit`` quads of every object at each visit.

        A window holds the objects of A; those of B come from the whole selection.

        Raises:
            InvalidInputError: The selection was not prepared.
        """
        partners = selection.partners
        if partners is None:
            raise InvalidInputError(
                "Quads draws from a selection with labels: use Quads.prepare(selection, split), as Loader "
                "does"
            )
        order = np.concatenate(
            [
                draw_visit_order(selection.shards, window, self.quads_per_visit, seed, visit)
                for visit in range(epoch * self.visits, (epoch + 1) * self.visits)
            ]
        )
        words = draw_words("quads", seed, epoch, len(order) * _WORDS_PER_QUAD).reshape(len(order), -1)
        places = np.searchsorted(partners.objects, selection.objects[order])
        first = partners.draw_first(places, words[:, 0])
        near = partners.draw_inter(first, words[:, 3:])
        quads = [first, partners.draw_intra(first, words[:, 1]), near, partners.draw_intra(near, words[:, 2])]
        return Samples(*partners.get_views(np.stack(quads, axis=1)))

    def _explain_no_quads(self, selection: ViewSelection) -> str:
        rule = self.rule
        intra = (
            f"views {rule.consecutive} frames apart"
            if rule.consecutive
            else f"two views that are {rule.intra_deg[0]:g} to {rule.intra_deg[1]:g} degrees apart"
        )
        bounds = f", with {', '.join(name for name, _ in rule.bounds)} within bounds" if rule.bounds else ""
        return (
            f"no quads: no object of these {len(selection)} has {intra}, one of them within "
            f"{rule.inter_deg:g} degrees of such a view of another object of its category{bounds}. "
            "Independent rotations seldom meet: render with a pose_bank, from which all objects draw their "
            "rotations (as the recipe 'shared-poses' does), or more views, or use a larger inter_deg"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Both ends of each edge of a list, such as that of ``read_edges``, once per epoch."""

    edges: EdgeList
    """The edges; ``edges.select_kinds`` takes those of some kinds."""
    shuffled: bool = True
    """True for a random order, False for the order of the list."""

    def __post_init__(self) -> None:
        check_type("Edges.edges", self.edges, EdgeList, "give an EdgeList, such as read_edges(path, dataset)")
        object.__setattr__(self, "shuffled", check_flag("Edges.shuffled", self.shuffled))

    @property
    def views(self) -> int:
        """Number of views of a sample: 2."""
        return 2

    @property
    def views_per_object(self) -> int:
        """Least number of views of an object: 1."""
        return 1

    @property
    def naming(self) -> ViewNaming:
        """Naming of the images: ``view_1`` and ``view_2``."""
        return "pair"

    def __repr__(self) -> str:
        # States of loaders have a hash of this text: it must not change.
        return f"Edges({len(self.edges)} edges, sha256 {self.edges.digest}, shuffled={self.shuffled})"

    def prepare(self, selection: ViewSelection, split: Split) -> ViewSelection:
        """Return the selection, after a check that it has the views of all edges.

        Raises:
            InvalidInputError: The edges belong to another split or data set, or a view is not in the
                selection.
        """
        edges, manifest = self.edges, split.manifest
        if (edges.split, edges.fingerprint) != (split.name, manifest.fingerprint):
            raise InvalidInputError(
                f"the edges belong to {edges.split} of the data set {edges.fingerprint[:12]}, not to "
                f"{split.name} of {manifest.name} ({manifest.fingerprint[:12]}); list the edges of this one"
            )
        if not len(edges) or not selection.contains(edges.objects, edges.views):
            raise InvalidInputError(
                f"{len(edges)} edges: there is none, or a view of one is left out by the filter; use the "
                "split that the edges were listed for, and no filter"
            )
        return selection

    def count_samples(self, selection: ViewSelection) -> int:
        """Return the number of edges."""
        del selection
        return len(self.edges)

    def draw_samples(self, selection: ViewSelection, window: int | None, seed: int, epoch: int) -> Samples:
        """Draw every edge once. A window is ignored: the ends of edges lie in any shards."""
        del selection, window
        samples = Samples(self.edges.objects, self.edges.views)
        return samples[draw_permutation(len(samples), seed, epoch, "edges")] if self.shuffled else samples
