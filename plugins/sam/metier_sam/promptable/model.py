"""The promptable network as a whole, and its file."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

from metier_sam.promptable.network import MASKS, Config, Decoder, Encoder
from metier_sam.promptable.parts import part_at
from metier_sam.promptable.prompts import Prompts, draw
from metier_sam.promptable.refinement import Refiner
from metier_sam.promptable.windows import (
    Features,
    Level,
    Window,
    as_bytes,
    box_into,
    box_window,
    cut,
    into,
    out_of,
    pixels_of,
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
_ALIKE = 0.8


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mask that may answer a prompt.

    Attributes:
        window: where it was found.
        box: float [4], in pixels of the picture, beyond which it has nothing; NaN: no such box.
        logits: float [128, 128], in the window.
        expected: the IoU expected of it, float [].
    """

    window: Window
    box: Tensor
    logits: Tensor
    expected: Tensor


class PromptableNet(nn.Module):
    """Masks from prompts: `encode` a picture once, then `decode` any number of prompts on it."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.encoder)
        self.decoder = Decoder(config)
        self.refiner = Refiner()

    @torch.inference_mode()
    def encode(self, pixels: Tensor) -> Features:
        """Return the features of one picture: the costly part. They take 38 megabytes at most in float32.

        Args:
            pixels: float [3, H, W], RGB in 0..1, of any size.
        """
        height, width = pixels.shape[1:]
        levels = []
        for size in sizes(height, width):
            shown = resized(pixels, size)
            found = without_margin(self.encoder(shown.to(self.encoder.stem.weight.dtype)))
            levels.append(Level(found, as_bytes(shown, size), size, (size[1] / width, size[0] / height)))
        return Features(tuple(levels), (height, width))

    @torch.inference_mode()
    def decode(
        self,
        features: Features,
        points: Tensor | None = None,
        point_labels: Tensor | None = None,
        boxes: Tensor | None = None,
        masks: Tensor | None = None,
        count: int = MASKS,
    ) -> tuple[Tensor, Tensor]:
        """Answer N prompts on one picture, all in pixels of the picture itself.

        A prompt with a box or an earlier mask is answered in one window, around that. Where only points are given,
        the size of the object is open: it is answered at each scale, and the best of each is a candidate. The best of
        all tells a size after all: the points are asked again with the box around it, for one candidate more, and with
        the box around the part of one tone that they lie on, where there is one, for another. The masks that are
        returned are refined by what the picture's colours say.

        Args:
            features: of `encode`; N must be 1 at least.
            points: float [N, P, 2], x and y; None: no points.
            point_labels: int64 [N, P]: 1 on the object, 0 off it, -1 padding.
            boxes: float [N, 4], x0, y0, x1, y1; None: no boxes; a row of NaN: none for that prompt.
            masks: float [N, h, w], logits of an earlier mask, of any size, over the whole picture; None or NaN: none.
            count: how many masks of each prompt are wanted, at most 3.

        Returns:
            logits, float [N, count, H, W], positive on the object, and the IoU expected of each, float [N, count]; best
            first.
        """
        prompts = _filled(features, points, point_labels, boxes, masks)
        answers = [found[:count] for found in self._asked_again(features, prompts, self._asked(features, prompts))]
        logits = [torch.stack([_pasted(features, self._refined(one)) for one in found]) for found in answers]
        expected = [torch.stack([one.expected for one in found]) for found in answers]
        return torch.stack(logits), torch.stack(expected)

    def _asked(self, features: Features, prompts: Prompts) -> list[list[Candidate]]:
        """Return of each prompt the three masks expected to be best, the best first."""
        count = len(prompts.points)
        asked = [(number, window) for number in range(count) for window in windows(features, prompts, number)]
        logits, expected = self._answers(features, prompts, asked)
        results = []
        for number, box in enumerate(prompts.boxes):
            places = [place for place, (owner, _) in enumerate(asked) if owner == number]
            best = [(places[row], mask) for row, mask in _best(expected[places])]
            results.append([Candidate(asked[at][1], box, logits[at, mask], expected[at, mask]) for at, mask in best])
        return results

    def _asked_again(
        self, features: Features, prompts: Prompts, answers: list[list[Candidate]]
    ) -> list[list[Candidate]]:
        """Return the answers to points with further ones: to the points with a box."""
        boxes = {
            number: _box_around(mask)
            for number, found in enumerate(answers)
            if not sized(prompts, number) and (mask := _pasted(features, found[0]) > 0).any()
        }
        again: list[tuple[int, Tensor, Tensor | None]] = [(number, box, None) for number, box in boxes.items()]
        for number, box in boxes.items():
            part = part_at(features, box_window(features, box), prompts, number)
            if part is not None:
                again.append((number, _box_around(part), part))
        if not again:
            return answers
        chosen = prompts.some([number for number, _, _ in again])
        asked = self._asked(features, replace(chosen, boxes=torch.stack([box for _, box, _ in again])))
        for (number, _, part), found in zip(again, asked, strict=True):
            if part is None or _overlap(_pasted(features, found[0]) > 0, part) >= _ALIKE:
                answers[number] = _ordered([*answers[number], found[0]])
        return answers

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

    def _refined(self, one: Candidate) -> Candidate:
        logits, (_, valid) = one.logits[None], cut(one.window)
        if one.box.isfinite().all():
            logits = within(box_into(one.window, one.box[None])[0], logits)
        refined = self.refiner(logits, one.expected[None], pixels_of(one.window)[None], valid[None].float())
        return replace(one, logits=refined[0])


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


def _best(expected: Tensor) -> list[tuple[int, int]]:
    """Return window and mask of the three of a prompt that are expected to be best, the best first.

    Where the windows are three at least, the best of each window goes before the others of any.
    """
    favour = expected + (expected == expected.amax(1, keepdim=True)) * (len(expected) >= MASKS)
    order = favour.flatten().argsort(descending=True)[:MASKS]
    order = order[expected.flatten()[order].argsort(descending=True)]
    return [divmod(place, MASKS) for place in order.tolist()]


def _ordered(found: list[Candidate]) -> list[Candidate]:
    """Return the best three, the best first."""
    return sorted(found, key=lambda one: -float(one.expected))[:MASKS]


def _pasted(features: Features, one: Candidate) -> Tensor:
    """Return the logits of a mask over the whole picture, float [H, W]."""
    logits = out_of(one.window, one.logits[None], features.size)
    return (within(one.box, logits) if one.box.isfinite().all() else logits)[0]


def _overlap(mask: Tensor, other: Tensor) -> float:
    return float((mask & other).sum() / (mask | other).sum().clamp(min=1))


def _box_around(mask: Tensor) -> Tensor:
    """Return the box of a mask, float [4]."""
    rows, columns = (mask.any(axis).nonzero() for axis in (1, 0))
    return torch.stack([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]).flatten().float()


def load(path: str | Path, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32) -> PromptableNet:
    """Return the network of a safetensors file whose metadata hold its configuration, ready to answer."""
    with safe_open(path, framework="pt", device=str(device)) as file:
        settings = json.loads(file.metadata()[CONFIG])
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    network = PromptableNet(Config(settings["encoder"], tuple(settings["decoder"])))
    network.load_state_dict(weights)
    return network.to(device=device, dtype=dtype).eval().requires_grad_(False)
