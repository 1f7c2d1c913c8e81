"""The last step to a mask: which colours it holds and which lie around it, near each pixel and in the whole window.

The decoder knows what objects look like. What the colours of this picture say beside that is counted here: those of a
window fall into 16 clusters, and of each cluster it is told how much likelier it is in the mask than around it: in all,
in cells of 32 pixels, and in cells of 8. A small network weighs that and the pixels themselves against the logits.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from metier_sam.promptable.network import STRIDE, WINDOW
from metier_sam.promptable.network import tones as toned

_SEED = WINDOW // STRIDE // 4
_ROUNDS = 4
_SHARP = 4.0
_CELLS = (4, 16)
_AROUND = 6
_FEW = 0.02
_RARE, _MOST = 1e-3, 4.0
_SURE = 8.0
_WIDTH = 16
_DOUBTED = 4.0


class Refiner(nn.Module):
    """Logits and pixels of windows to better logits; it begins as one that changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        logits, tones, likelier, valid = STRIDE**2, 4 * STRIDE**2, 1 + len(_CELLS), 1
        self.enter = nn.Conv2d(logits + tones + likelier + valid, _WIDTH, 3, padding=1)
        self.middle = nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1)
        self.leave = nn.Conv2d(_WIDTH, STRIDE**2, 3, padding=1)
        for parameter in self.leave.parameters():
            nn.init.zeros_(parameter)

    def forward(self, logits: Tensor, expected: Tensor, pixels: Tensor, valid: Tensor) -> Tensor:
        """Return logits float [M, 128, 128], changed in full where an IoU up to 0.75 is expected, not at all at 1.

        Args:
            logits: float [M, 128, 128], of the decoder.
            expected: float [M], the IoU that the decoder expects.
            pixels: float [M, 3, 128, 128], in 0..1.
            valid: float [M, 1, 64, 64], 1 inside the picture and 0 beyond its edges.
        """
        doubt = ((1 - expected) * _DOUBTED).clamp(max=1)
        return logits + doubt[:, None, None] * self.change(facts(logits, pixels, valid))

    def change(self, read: Tensor) -> Tensor:
        """Return what to add to the logits, float [M, 128, 128], from `facts`."""
        x = functional.relu(self.enter(read))
        x = functional.relu(x + self.middle(x))
        return functional.pixel_shuffle(self.leave(x), STRIDE)[:, 0]


def facts(logits: Tensor, pixels: Tensor, valid: Tensor) -> Tensor:
    """Return what the network reads of a window, float [M, 24, 64, 64]."""
    tones = _standardised(toned(pixels), valid)
    sure = logits.clamp(-_SURE, _SURE)[:, None]
    mask = functional.avg_pool2d(sure.sigmoid(), STRIDE)
    likeness = _clusters(functional.avg_pool2d(tones, STRIDE), valid)
    every = torch.cat([sure / 2, tones], 1)
    return torch.cat([functional.pixel_unshuffle(every, STRIDE), evidence(mask, likeness), valid], 1)


def evidence(mask: Tensor, likeness: Tensor) -> Tensor:
    """Return how much likelier a colour is in the mask than around it, as logarithms, float [M, 3, 64, 64].

    Args:
        mask: float [M, 1, 64, 64], in 0..1.
        likeness: float [M, K, 64, 64], how much each pixel belongs to each cluster of colours.
    """
    # What lies far from the mask tells nothing of it.
    near = functional.max_pool2d((mask > 0.5).float(), 2 * _AROUND + 1, 1, _AROUND) * (1 - _FEW) + _FEW
    held = likeness * mask
    both = torch.stack([held, likeness - held], 1) * near[:, None]
    everywhere = both.mean((3, 4), keepdim=True)
    found = [_likelier(everywhere).expand(-1, -1, *likeness.shape[2:])]
    for cell in _CELLS:
        inside, outside = (_smooth(functional.avg_pool2d(one, cell)) for one in both.unbind(1))
        likelier = _likelier(torch.stack([inside, outside], 1) + _FEW * everywhere)
        found.append(functional.interpolate(likelier, scale_factor=float(cell), mode="bilinear", align_corners=False))
    return torch.cat([(one * likeness).sum(1, keepdim=True) for one in found], 1)


def _likelier(both: Tensor) -> Tensor:
    """Return the logarithms of ratios, float [M, K, h, w], from weights in the mask and around it, [M, 2, K, h, w]."""
    shares = both / (both.sum(2, keepdim=True) + 1e-9) + _RARE
    return (shares[:, 0] / shares[:, 1]).log().clamp(-_MOST, _MOST)


def _smooth(cells: Tensor) -> Tensor:
    return functional.avg_pool2d(functional.pad(cells, (1, 1, 1, 1), mode="replicate"), 3, stride=1)


def _clusters(tones: Tensor, valid: Tensor) -> Tensor:
    """Return how much each pixel belongs to each of 16 clusters of colours, float [M, 16, 64, 64], 1 in all."""
    some, weight = (one[:, :, ::2, ::2].flatten(2) for one in (tones, valid))
    seeds = functional.avg_pool2d(tones, 3, stride=1, padding=1)[:, :, _SEED // 2 :: _SEED, _SEED // 2 :: _SEED]
    centres = seeds.flatten(2).transpose(1, 2)
    count = weight.sum(2, keepdim=True).clamp(min=1)
    squares, spread = some.square().sum(1, keepdim=True), torch.ones_like(count)
    for _ in range(_ROUNDS):
        near = _nearness(centres, some)
        spread = ((squares - near.amax(1, keepdim=True)) * weight).sum(2, keepdim=True) / count + 1e-3
        belongs = torch.softmax(near * (_SHARP / spread), 1) * weight
        centres = belongs @ some.transpose(1, 2) / (belongs.sum(2, keepdim=True) + 1e-3)
    found = torch.softmax(_nearness(centres, tones.flatten(2)) * (_SHARP / spread), 1)
    return found.view(*found.shape[:2], *tones.shape[2:]) * valid


def _nearness(centres: Tensor, tones: Tensor) -> Tensor:
    """Return the squared distance to each centre, less the square of the tone itself, with its sign turned."""
    return 2 * centres @ tones - centres.square().sum(2, keepdim=True)


def _standardised(tones: Tensor, valid: Tensor) -> Tensor:
    """Return tones float [M, 4, 128, 128] of mean 0 and deviation 1 over what lies in the picture, and 0 beyond."""
    inside = functional.interpolate(valid, scale_factor=float(STRIDE))
    count = inside.sum((2, 3), keepdim=True).clamp(min=1)
    centred = (tones - (tones * inside).sum((2, 3), keepdim=True) / count) * inside
    return centred / (centred.square().sum((2, 3), keepdim=True) / count + 1e-5).sqrt()
