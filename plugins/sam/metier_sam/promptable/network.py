"""The two networks: one over whole pictures, run once each; one over a window and its prompt, run once a prompt."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

MASKS = 3
"""Masks for each prompt: a click on a button may mean the button, the shirt or the person."""
WINDOW = 128
"""Side of a window, in pixels of its level."""
STRIDE = 2
"""Pixels of a level for one feature."""
MAPS = 11
"""Channels that draw a prompt into a window: see `prompts.draw`."""
_FAINT = 0.4
_GROUP = 8


@dataclass(frozen=True, slots=True)
class Config:
    """Widths of the networks, kept with the weights: channels of the features, and of the decoder at each halving."""

    encoder: int = 24
    decoder: tuple[int, int, int, int] = (32, 64, 128, 192)


class Encoder(nn.Module):
    """Pixels to features at half their resolution; convolutional, so that a crop has those of its picture."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(4 * STRIDE**2, width, 3, padding=1)
        self.inner = nn.Conv2d(width, width, 3, padding=1)
        self.outer = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return float [B, C, H/2, W/2] of pixels float [B, 3, H, W] in 0..1, H and W even; 0.5 is neutral."""
        stem = functional.relu(self.stem(functional.pixel_unshuffle(tones(pixels), STRIDE)))
        result: Tensor = stem + self.outer(functional.relu(self.inner(stem)))
        return result


def tones(pixels: Tensor) -> Tensor:
    """Return float [B, 4, H, W] of pixels float [B, 3, H, W] in 0..1: the colours about 0, and the grey, lifted."""
    # Faint objects on black are a thousandth of the range: the power lifts them.
    grey = pixels.mean(1, keepdim=True).clamp(min=1e-4)
    return torch.cat([(pixels - 0.5) * 4, (grey**_FAINT - 0.5**_FAINT) * 4], 1)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = _convolution(width, width)
        self.outer = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.GroupNorm(_GROUP, width))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.outer(self.inner(x)))


class Decoder(nn.Module):
    """Features of a window and the maps of one prompt to masks, each with the IoU that it expects to reach.

    A U-Net. Each feature also comes as its difference from the features at the prompt, standardised over the window:
    the first layer then sees likeness to what was pointed at, whatever the contrast.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        first, second, third, last = config.decoder
        self.fuse = nn.Sequential(
            nn.Conv2d(2 * config.encoder + MAPS, first, 1, bias=False), nn.GroupNorm(_GROUP, first), nn.ReLU()
        )
        self.level0 = _convolution(first, first)
        self.level1 = nn.Sequential(_convolution(first, second, stride=2), _Residual(second))
        self.level2 = nn.Sequential(_convolution(second, third, stride=2), _Residual(third), _Residual(third))
        self.level3 = nn.Sequential(_convolution(third, last, stride=2), _Residual(last))
        self.rise2, self.join2 = nn.Conv2d(last, third, 1), _convolution(third, third)
        self.rise1, self.join1 = nn.Conv2d(third, second, 1), _convolution(second, second)
        self.rise0, self.join0 = nn.Conv2d(second, first, 1), _convolution(first, first)
        self.masks = nn.Conv2d(first, MASKS * STRIDE**2, 3, padding=1)
        self.quality = nn.Sequential(nn.Linear(last + first + 3 + MASKS, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, features: Tensor, maps: Tensor, focus: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits float [M, 3, 128, 128] and the IoU expected of each mask, float [M, 3] in 0..1.

        Args:
            features: float [M, C, 64, 64], of the encoder.
            maps: float [M, MAPS, 64, 64], the prompt.
            focus: float [M, 1, 64, 64], weights of the places that the prompt points at.
            valid: float [M, 1, 64, 64], 1 inside the picture and 0 beyond its edges.
        """
        standard = _standardised(features, valid)
        pointed = (standard * focus).sum((2, 3), keepdim=True) / focus.sum((2, 3), keepdim=True).clamp(min=1e-6)
        at0 = self.level0(self.fuse(torch.cat([standard, (standard - pointed) * valid, maps], 1)))
        at1 = self.level1(at0)
        at2 = self.level2(at1)
        at3 = self.level3(at2)
        up2 = self.join2(at2 + _doubled(self.rise2(at3)))
        up1 = self.join1(at1 + _doubled(self.rise1(up2)))
        up0 = self.join0(at0 + _doubled(self.rise0(up1)))
        logits = functional.pixel_shuffle(self.masks(up0), STRIDE)
        return logits, self._expected(logits, at3, up0)

    def _expected(self, logits: Tensor, deep: Tensor, fine: Tensor) -> Tensor:
        """Judge each mask by what lies under it, its area, how sure it is and how much of it runs out of the window."""
        inside = functional.avg_pool2d(logits.detach().float().sigmoid(), STRIDE).flatten(2)
        area = inside.sum(2, keepdim=True)
        under = inside @ fine.float().flatten(2).transpose(1, 2) / (area + 1)
        side = fine.shape[-1]
        border = torch.zeros(side, side, device=fine.device)
        border[0], border[-1], border[:, 0], border[:, -1] = 1, 1, 1, 1
        runs_out = (inside * border.flatten()).sum(2, keepdim=True) / side
        doubt = (inside * (1 - inside)).sum(2, keepdim=True) / (area + 1)
        which = torch.eye(MASKS, device=fine.device).expand(len(inside), -1, -1)
        whole = deep.float().mean((2, 3)).unsqueeze(1).expand(-1, MASKS, -1)
        facts = torch.cat([whole, under, area / side**2, runs_out, doubt, which], 2)
        result: Tensor = self.quality(facts.to(deep.dtype)).squeeze(2).sigmoid()
        return result


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False), nn.GroupNorm(_GROUP, outputs), nn.ReLU()
    )


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def _standardised(features: Tensor, valid: Tensor) -> Tensor:
    count = valid.sum((2, 3), keepdim=True).clamp(min=1)
    centred = (features - (features * valid).sum((2, 3), keepdim=True) / count) * valid
    return centred / (centred.square().sum((2, 3), keepdim=True) / count + 1e-4).sqrt()
