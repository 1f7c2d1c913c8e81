"""The promptable network as a whole, and its file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

from metier_sam.promptable.network import MASKS, Config, Decoder, Encoder
from metier_sam.promptable.prompts import Prompts, draw
from metier_sam.promptable.windows import (
    Features,
    Level,
    Window,
    cut,
    into,
    out_of,
    resized,
    sized,
    sizes,
    windows,
    within,
    without_margin,
)

CONFIG = "config"
"""The key of the configuration, as JSON, in the metadata of the weights' file."""
_AT_ONCE = 16


class PromptableNet(nn.Module):
    """Masks from prompts: `encode` a picture once, then `decode` any number of prompts on it."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.encoder)
        self.decoder = Decoder(config)

    @torch.inference_mode()
    def encode(self, pixels: Tensor) -> Features:
        """Return the features of one picture: the costly part. They take 34 megabytes at most in float32.

        Args:
            pixels: float [3, H, W], RGB in 0..1, of any size.
        """
        height, width = pixels.shape[1:]
        levels = []
        for size in sizes(height, width):
            found = without_margin(self.encoder(resized(pixels, size).to(self.encoder.stem.weight.dtype)))
            levels.append(Level(found, size, (size[1] / width, size[0] / height)))
        return Features(tuple(levels), (height, width))

    @torch.inference_mode()
    def decode(
        self,
        features: Features,
        points: Tensor | None = None,
        point_labels: Tensor | None = None,
        boxes: Tensor | None = None,
        masks: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Answer N prompts on one picture, all in pixels of the picture itself.

        A prompt with a box or an earlier mask is answered in one window, around that. Where only points are given,
        the size of the object is open: it is answered at each scale, and the best of each is a candidate. The best of
        all tells a size after all: the points are asked again with the box around it, for one candidate more.

        Args:
            features: of `encode`; N must be 1 at least.
            points: float [N, P, 2], x and y; None: no points.
            point_labels: int64 [N, P]: 1 on the object, 0 off it, -1 padding.
            boxes: float [N, 4], x0, y0, x1, y1; None: no boxes; a row of NaN: none for that prompt.
            masks: float [N, h, w], logits of an earlier mask, of any size, over the whole picture; None or NaN: none.

        Returns:
            logits, float [N, 3, H, W], positive on the object, and the IoU expected of each, float [N, 3]; best first.
        """
        prompts = _filled(features, points, point_labels, boxes, masks)
        answers = self._asked(features, prompts)
        again = [number for number in range(len(answers)) if not sized(prompts, number) and _found(answers[number])]
        if again:
            chosen = Prompts(*(getattr(prompts, name)[again] for name in Prompts.__slots__))
            around = replace(chosen, boxes=torch.stack([_box_around(answers[number][0][0]) for number in again]))
            for number, (found, iou) in zip(again, self._asked(features, around), strict=True):
                answers[number] = _with_candidate(answers[number], found[0], iou[0])
        return torch.stack([found for found, _ in answers]), torch.stack([iou for _, iou in answers])

    def _asked(self, features: Features, prompts: Prompts) -> list[tuple[Tensor, Tensor]]:
        """Return of each prompt the three masks expected to be best, logits float [3, H, W], and their IoU, [3]."""
        count = len(prompts.points)
        asked = [(number, window) for number in range(count) for window in windows(features, prompts, number)]
        logits, expected = self._answers(features, prompts, asked)
        results = []
        for number, box in enumerate(prompts.boxes):
            places = [place for place, (owner, _) in enumerate(asked) if owner == number]
            found, iou = _best(features, [asked[place][1] for place in places], logits[places], expected[places])
            results.append((within(box, found) if box.isfinite().all() else found, iou))
        return results

    def _answers(self, features: Features, prompts: Prompts, asked: list[tuple[int, Window]]) -> tuple[Tensor, Tensor]:
        logits, expected = [], []
        for start in range(0, len(asked), _AT_ONCE):
            some = asked[start : start + _AT_ONCE]
            cuts = [cut(window) for _, window in some]
            moved = [into(window, prompts, number, features.size) for number, window in some]
            valid = torch.stack([inside for _, inside in cuts])
            joined = Prompts(*(torch.cat([getattr(one, name) for one in moved]) for name in Prompts.__slots__))
            maps, focus = draw(joined, valid)
            found = torch.stack([features for features, _ in cuts])
            answer = self.decoder(found, maps.to(found.dtype), focus.to(found.dtype), valid)
            logits.append(answer[0].float())
            expected.append(answer[1].float())
        return torch.cat(logits), torch.cat(expected)


def _filled(
    features: Features, points: Tensor | None, labels: Tensor | None, boxes: Tensor | None, masks: Tensor | None
) -> Prompts:
    count = next((len(one) for one in (points, boxes, masks) if one is not None), 0)
    like = features.levels[0].features
    none = torch.full((count, 4), torch.nan, device=like.device)
    if points is None or labels is None:
        points, labels = none[:, None, :2].nan_to_num(), torch.full((count, 1), -1, device=like.device)
    boxes = none if boxes is None else boxes.float()
    return Prompts(points.float(), labels, boxes, none[:, None] if masks is None else masks.float())


def _best(features: Features, places: list[Window], logits: Tensor, expected: Tensor) -> tuple[Tensor, Tensor]:
    """Return the three masks of a prompt that are expected to be best: of one window, or one of each window first."""
    favour = expected + (expected == expected.amax(1, keepdim=True)) * (len(places) >= MASKS)
    order = favour.flatten().argsort(descending=True)[:MASKS]
    order = order[expected.flatten()[order].argsort(descending=True)]
    chosen = [divmod(int(one), MASKS) for one in order]
    pasted = [out_of(places[place], logits[place, mask][None], features.size) for place, mask in chosen]
    return torch.cat(pasted), expected.flatten()[order]


def _found(answer: tuple[Tensor, Tensor]) -> bool:
    return bool((answer[0][0] > 0).any())


def _box_around(logits: Tensor) -> Tensor:
    """Return the box of what is positive, float [4]."""
    rows, columns = ((logits > 0).any(axis).nonzero() for axis in (1, 0))
    return torch.stack([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]).flatten().float()


def _with_candidate(answer: tuple[Tensor, Tensor], logits: Tensor, expected: Tensor) -> tuple[Tensor, Tensor]:
    """Return the best three of an answer's masks and one more, best first."""
    every, iou = torch.cat([answer[0], logits[None]]), torch.cat([answer[1], expected[None]])
    order = iou.argsort(descending=True)[:MASKS]
    return every[order], iou[order]


def load(path: str | Path, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32) -> PromptableNet:
    """Return the network of a safetensors file whose metadata hold its configuration, ready to answer."""
    with safe_open(path, framework="pt", device=str(device)) as file:
        settings = json.loads(file.metadata()[CONFIG])
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    network = PromptableNet(Config(settings["encoder"], tuple(settings["decoder"])))
    network.load_state_dict(weights)
    return network.to(device=device, dtype=dtype).eval().requires_grad_(False)
