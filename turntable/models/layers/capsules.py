"""Self-routing capsules: small groups of neurons, each with an activation and a pose, over a whole map.

Hahn, Pyeon and Kim, "Self-Routing Capsule Networks" (NeurIPS 2019), with one kernel as large as the map, as
CapsIE and EquiCaps have it: every type of capsule at every place of the map sends a vote for the pose of
each of K capsules, and shares itself out among them by a routing of its own.
"""

import math

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from turntable.models import losses


class CapsuleProjector(nn.Module):
    """Maps [B, C, h, w] to activations [B, K], which sum to 1, and poses [B, K, P].

    With i over the K capsules at each of the h w places, u_i and a_i their poses and activations:

        r_ij = softmax_j(W2_i u_i + b_i),   A_j = sum_i a_i r_ij / sum_i a_i,
        P_j = sum_i a_i r_ij (W1_ij u_i) / sum_i a_i r_ij

    The votes W1_ij u_i are B x (h w K) x K x P numbers, most of the memory of the published code. They are
    linear in u_i: for each capsule j, ``sum_i (a_i r_ij u_i) W1_ij`` is one product over i and the pose's
    entries. Its first factor is made anew in the backward pass, so that one j's at a time is in memory.
    """

    def __init__(self, map_shape: tuple[int, int, int], capsules: int, pose_dim: int) -> None:
        """Make the projector.

        Args:
            map_shape: C, h, w.
            capsules: K.
            pose_dim: P, the numbers of a pose.
        """
        super().__init__()
        channels, height, width = map_shape
        self.capsules, self.pose_dim = capsules, pose_dim
        self.activation_map = nn.Sequential(
            nn.Conv2d(channels, capsules, 3, padding=1, bias=False), nn.BatchNorm2d(capsules)
        )
        self.pose_map = nn.Sequential(
            nn.Conv2d(channels, capsules * pose_dim, 3, padding=1, bias=False),
            nn.BatchNorm2d(capsules * pose_dim),
        )
        senders = capsules * height * width
        self.votes = nn.Parameter(torch.empty(senders, pose_dim, capsules, pose_dim))
        """W1 [I, P, K, P']: from a sender's pose to its votes."""
        self.routing = nn.Parameter(torch.zeros(senders, pose_dim, capsules))
        """W2 [I, P, K]; at first every sender shares itself out evenly."""
        self.routing_bias = nn.Parameter(torch.zeros(senders, capsules))
        nn.init.normal_(self.votes, std=math.sqrt(2 / (capsules * pose_dim**2)))  # Kaiming, over K P P

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Activations [B, K] and poses [B, K, P] of maps [B, C, h, w]."""
        with torch.autocast(maps.device.type, enabled=False):
            return self._route(*self.senders(maps.float() if maps.dtype != torch.float64 else maps))

    def senders(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Activations [B, I] and poses [B, I, P] of the capsules that send, I = K h w."""
        activations = torch.sigmoid(self.activation_map(maps)).flatten(1)
        poses = self.pose_map(maps).unflatten(1, (self.capsules, self.pose_dim))
        return activations, poses.flatten(3).transpose(2, 3).flatten(1, 2)

    def _route(self, activations: Tensor, poses: Tensor) -> tuple[Tensor, Tensor]:
        logits = torch.einsum("bip,ipk->bik", poses, self.routing) + self.routing_bias
        shares = activations.unsqueeze(2) * logits.softmax(dim=2)  # [B, I, K]
        received = shares.sum(dim=1)  # [B, K]
        sums = [
            checkpoint(_shared_votes, shares[:, :, k], poses, self.votes[:, :, k], use_reentrant=False)
            for k in range(self.capsules)
        ]
        total = activations.sum(dim=1, keepdim=True)
        tiny = torch.finfo(received.dtype).tiny
        return received / total.clamp_min(tiny), torch.stack(sums, dim=1) / received.clamp_min(
            tiny
        ).unsqueeze(2)


def _shared_votes(shares: Tensor, poses: Tensor, votes: Tensor) -> Tensor:
    """What one capsule is sent, [B, P'], of shares [B, I], poses [B, I, P] and votes [I, P, P']."""
    return (shares.unsqueeze(2) * poses).flatten(1) @ votes.flatten(0, 1)


@losses.full_precision
def cross_entropy(predicted: Tensor, target: Tensor, *, floor: float = 1e-6) -> Tensor:
    """Of distributions [B, K], averaged; probabilities are predicted as at least ``floor``."""
    return -(target * predicted.clamp_min(floor).log()).sum(dim=1).mean()


@losses.full_precision
def missing_entropy(activations: Tensor) -> Tensor:
    """How far the entropy of the mean distribution of [B, K] falls below log K, its most."""
    mean = activations.mean(dim=0)
    return math.log(len(mean)) + torch.xlogy(mean, mean).sum()
