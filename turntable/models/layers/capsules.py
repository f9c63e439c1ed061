"""Self-routing capsules: groups of neurons with an activation and a pose, over a whole feature map.

Hahn, Pyeon and Kim, "Self-Routing Capsule Networks" (NeurIPS 2019), with a kernel as large as the map, as in
CapsIE and EquiCaps. There are K input capsules at every position of the map. Each of them votes for the pose
of each of K output capsules, and distributes its activation among them by learned routing weights.
"""

import math

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from turntable.models import losses


class CapsuleProjector(nn.Module):
    """A projector from maps [B, C, h, w] to activations [B, K], which sum to 1, and poses [B, K, P].

    With i over the I = K h w input capsules, and u_i and a_i their poses and activations:

        r_ij = softmax_j(W2_i u_i + b_i),   A_j = sum_i a_i r_ij / sum_i a_i,
        P_j = sum_i a_i r_ij (W1_ij u_i) / sum_i a_i r_ij

    The votes W1_ij u_i are B x (h w K) x K x P numbers, which take most of the memory of the published code.
    They are linear in u_i, so for each output capsule j, ``sum_i (a_i r_ij u_i) W1_ij`` is one matrix product
    over i and the entries of the pose. Its first factor is recomputed in the backward pass, so that only the
    factor of one j is in memory at a time.
    """

    def __init__(self, map_shape: tuple[int, int, int], num_capsules: int, pose_dim: int) -> None:
        """Build the projector with fresh weights.

        Args:
            map_shape: Shape (C, h, w) of the maps.
            num_capsules: Number of capsules K.
            pose_dim: Number of values P of a pose.
        """
        super().__init__()
        channels, height, width = map_shape
        self.num_capsules, self.pose_dim = num_capsules, pose_dim
        self.activation_map = nn.Sequential(
            nn.Conv2d(channels, num_capsules, 3, padding=1, bias=False), nn.BatchNorm2d(num_capsules)
        )
        self.pose_map = nn.Sequential(
            nn.Conv2d(channels, num_capsules * pose_dim, 3, padding=1, bias=False),
            nn.BatchNorm2d(num_capsules * pose_dim),
        )
        num_inputs = num_capsules * height * width
        self.votes = nn.Parameter(torch.empty(num_inputs, pose_dim, num_capsules, pose_dim))
        """W1 [I, P, K, P'], from the pose of an input capsule to its votes."""
        self.routing = nn.Parameter(torch.zeros(num_inputs, pose_dim, num_capsules))
        """W2 [I, P, K]; zeros at first, so that every input capsule distributes its activation evenly."""
        self.routing_bias = nn.Parameter(torch.zeros(num_inputs, num_capsules))
        nn.init.normal_(self.votes, std=math.sqrt(2 / (num_capsules * pose_dim**2)))  # Kaiming, over K P P

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Compute activations [B, K] and poses [B, K, P] of maps [B, C, h, w]."""
        with torch.autocast(maps.device.type, enabled=False):
            return self._route_votes(
                *self.compute_input_capsules(maps.float() if maps.dtype != torch.float64 else maps)
            )

    def compute_input_capsules(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Compute activations [B, I] and poses [B, I, P] of the input capsules, I = K h w."""
        activations = torch.sigmoid(self.activation_map(maps)).flatten(1)
        poses = self.pose_map(maps).unflatten(1, (self.num_capsules, self.pose_dim))
        return activations, poses.flatten(3).transpose(2, 3).flatten(1, 2)

    def _route_votes(self, activations: Tensor, poses: Tensor) -> tuple[Tensor, Tensor]:
        logits = torch.einsum("bip,ipk->bik", poses, self.routing) + self.routing_bias
        shares = activations.unsqueeze(2) * logits.softmax(dim=2)  # [B, I, K]
        received = shares.sum(dim=1)  # [B, K]
        sums = [
            checkpoint(_sum_votes, shares[:, :, k], poses, self.votes[:, :, k], use_reentrant=False)
            for k in range(self.num_capsules)
        ]
        total = activations.sum(dim=1, keepdim=True)
        tiny = torch.finfo(received.dtype).tiny  # instead of 0 as a divisor, where all activations vanish
        return received / total.clamp_min(tiny), torch.stack(sums, dim=1) / received.clamp_min(
            tiny
        ).unsqueeze(2)


def _sum_votes(shares: Tensor, poses: Tensor, votes: Tensor) -> Tensor:
    """Compute the weighted sum of the votes for one output capsule.

    Args:
        shares: Activation [B, I] that each input capsule gives to it.
        poses: Poses [B, I, P] of the input capsules.
        votes: Weights [I, P, P'] from poses to votes.

    Returns:
        Sums [B, P'].
    """
    return (shares.unsqueeze(2) * poses).flatten(1) @ votes.flatten(0, 1)


@losses.with_full_precision
def soft_cross_entropy_loss(predicted: Tensor, target: Tensor, *, floor: float = 1e-6) -> Tensor:
    """Compute the mean cross-entropy of distributions [B, K]; predictions count as at least ``floor``."""
    return -(target * predicted.clamp_min(floor).log()).sum(dim=1).mean()


@losses.with_full_precision
def mean_entropy_loss(activations: Tensor) -> Tensor:
    """Compute log K, the maximum, minus the entropy of the mean of distributions [B, K] (ME-MAX)."""
    mean = activations.mean(dim=0)
    return math.log(len(mean)) + torch.xlogy(mean, mean).sum()
