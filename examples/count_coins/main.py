"""Find the coins in a photograph, cut each out, and say how large it is."""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from metier import Runtime, Step, step, task
from metier_contracts import Image, Segment, Segmentation
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

PICTURE = Path(__file__).parent / "data" / "coins.png"
SMALLEST, LARGEST, MARGIN = 14, 36, 5  # radii of coins, and what a box leaves around one, in pixels


@dataclass(frozen=True)
class Coin:
    """A coin: where its middle is, its area and diameter in pixels, and how sure the model is of its outline."""

    x: float
    y: float
    area: int
    diameter: float
    score: float


@dataclass(frozen=True)
class Cut:
    """The coins, the largest first, and the mask of all of them, bool [H, W]."""

    coins: list[Coin]
    mask: NDArray[np.bool_]


@step
def find(image: Image) -> Segment:
    """Ask for the coin in a box around each circle."""
    grey = cv2.medianBlur(np.ascontiguousarray(image.pixels[:, :, 0]), 5)
    circles = cv2.HoughCircles(
        grey, cv2.HOUGH_GRADIENT, 1, 38, param1=120, param2=20, minRadius=SMALLEST, maxRadius=LARGEST
    )
    x, y, radius = circles[0].T
    radius = radius + MARGIN
    return Segment(image=image, boxes=np.stack([x - radius, y - radius, x + radius, y + radius], axis=1))


@step
def measure(found: Segmentation) -> Cut:
    """Measure each mask."""
    coins = []
    for mask, score in zip(found.masks, found.scores, strict=True):
        rows, columns = np.nonzero(mask)
        middle = (float(columns.mean()), float(rows.mean())) if rows.size else (0.0, 0.0)
        coins.append(Coin(*middle, rows.size, 2 * float(np.sqrt(rows.size / np.pi)), float(score)))
    return Cut(sorted(coins, key=lambda coin: -coin.area), found.masks.any(axis=0))


def counter(model: str | None) -> Step[Image, Cut]:
    """Return the pipeline, with the model named or the one that metier chooses."""

    @task(model=model)
    def cut(asked: Segment) -> Segment:
        return asked

    return find >> cut >> measure


def main() -> None:
    arguments = _arguments()
    image = Image.from_path(arguments.image)
    with Runtime() as runtime:
        cut = runtime.run(counter(arguments.model), image)
    if arguments.out:
        tinted = np.where(cut.mask[:, :, None], image.pixels // 2 + np.array([127, 64, 7], np.uint8), image.pixels)
        PIL.Image.fromarray(tinted.astype(np.uint8)).save(arguments.out)
    if arguments.json:
        print(json.dumps([asdict(coin) for coin in cut.coins], indent=2))
    else:
        _print(cut.coins)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", type=Path, default=PICTURE, help="a photograph of coins")
    parser.add_argument("--model", help="the model's id; by default metier chooses")
    parser.add_argument("--out", type=Path, help="write the picture with its coins in colour")
    parser.add_argument("--json", action="store_true", help="print the coins as JSON")
    return parser.parse_args()


def _print(coins: list[Coin]) -> None:
    table = Table("coin", "middle", "area", "diameter", "score", title=f"{len(coins)} coins", title_justify="left")
    for number, coin in enumerate(coins, start=1):
        middle, diameter = f"{coin.x:.0f}, {coin.y:.0f}", f"{coin.diameter:.1f}"
        table.add_row(str(number), middle, str(coin.area), diameter, f"{coin.score:.2f}")
    Console(width=None if Console().is_terminal else 80).print(table)


if __name__ == "__main__":
    main()
