"""A reader of pictures by RapidOCR, which finds lines, turns them upright, and recognizes their characters."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from metier_contracts import CallContext, Image, MetierError, ModelCard, Response
from metier_contracts.authoring import attempt, unsupported
from rapidocr import RapidOCR

from acme_ocr.ocr import Line, Ocr, OcrText
from acme_ocr.task import order_form

FILES = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
}


class Reader:
    """The three networks of a card, loaded from a folder."""

    def __init__(self, card: ModelCard, folder: Path) -> None:
        self._card = card
        paths = {f"{part}.model_path": str(folder / file) for part, file in FILES.items()}
        self._engine: Any = RapidOCR(params={**paths, "Global.log_level": "error"})
        self._bytes = sum((folder / file).stat().st_size for file in FILES.values())
        self._read(order_form(256, 0))  # RapidOCR loads a network when it first needs it

    def infer(self, requests: Sequence[Any], context: CallContext) -> Sequence[Response | MetierError]:
        """Read each picture."""
        answers: list[Response | MetierError] = []
        for request in requests:
            context.check()
            answers.append(attempt(partial(self._answer, request)))
        return answers

    def resident_bytes(self) -> int:
        """Return the bytes of the networks."""
        return self._bytes

    def close(self) -> None:
        """Let the networks go."""
        self._engine = None

    def _answer(self, request: Any) -> OcrText:
        if not isinstance(request, Ocr):
            raise unsupported(request, self._card)
        return self._read(request.image)

    def _read(self, image: Image) -> OcrText:
        found = self._engine(np.ascontiguousarray(image.pixels[:, :, ::-1]))  # BGR, as OpenCV has it
        if found.txts is None:
            return OcrText(text="", lines=())
        corners = np.clip(found.boxes, 0, [image.width, image.height])  # [lines, 4 corners, x and y]
        boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).tolist()
        lines = [
            Line(text=text, box=tuple(box), score=min(1.0, float(score)))
            for text, box, score in zip(found.txts, boxes, found.scores, strict=True)
        ]
        rows = in_rows(lines)
        text = "\n".join(" ".join(line.text for line in row) for row in rows)
        return OcrText(text=text, lines=tuple(line for row in rows for line in row))


def in_rows(lines: Iterable[Line]) -> list[list[Line]]:
    """Return lines grouped into rows from top to bottom, each from left to right.

    A line belongs to a row where it overlaps the row's last one by more than half of the height of the lower one.
    """
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda one: one.box[1] + one.box[3]):
        if rows and _overlap(rows[-1][-1], line) > 0.5:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda one: one.box[0]) for row in rows]


def _overlap(one: Line, other: Line) -> float:
    (_, top, _, bottom), (_, over, _, under) = one.box, other.box
    return (min(bottom, under) - max(top, over)) / min(bottom - top, under - over)
