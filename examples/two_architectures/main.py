"""Put the same typed request to a language model and to a specialist, and see what each costs and gets right."""

import argparse
import csv
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from metier import Runtime
from metier_contracts import Classify, ExampleSet
from rich.console import Console
from rich.table import Table

DATA = Path(__file__).parents[1] / "help_desk" / "data"
MODELS = ("all-MiniLM-L6-v2", "smollm2-135m-instruct")


@dataclass(frozen=True)
class Judged:
    """What a model did: the share of texts that it labelled as a person did, and its milliseconds for each."""

    model: str
    parameters: int
    accuracy: float
    milliseconds: float


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a file of the help desk's data."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def judge(runtime: Runtime, model: str, texts: list[dict[str, str]]) -> Judged:
    """Classify the texts by one model, which learns the labels from the same examples."""
    examples = ExampleSet.from_mapping({"examples": rows("examples.csv")})
    requests = [Classify(text=row["text"], examples=examples) for row in texts]
    card = runtime.load(model).card
    runtime.run(requests[0], model=model)  # learns the examples, once
    started = time.perf_counter()
    labels = [answer.label for answer in runtime.map(requests, model=model)]
    seconds = time.perf_counter() - started
    right = sum(label == row["label"] for label, row in zip(labels, texts, strict=True))
    return Judged(model, card.parameters, right / len(texts), 1000 * seconds / len(texts))


def main() -> None:
    arguments = _arguments()
    texts = rows("stream.csv")[: arguments.limit]
    with Runtime() as runtime:
        judged = [judge(runtime, model, texts) for model in arguments.models]
    if arguments.json:
        print(json.dumps([asdict(one) for one in judged], indent=2))
    else:
        _print(judged, len(texts))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=MODELS, help=f"ids of models; by default {' '.join(MODELS)}")
    parser.add_argument("--limit", type=int, help="the first so many texts alone")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def _print(judged: list[Judged], texts: int) -> None:
    table = Table("model", "parameters", "accuracy", "ms a text", title=f"{texts} texts", title_justify="left")
    for one in judged:
        table.add_row(one.model, f"{one.parameters / 1e6:.0f} M", f"{one.accuracy:.3f}", f"{one.milliseconds:.1f}")
    Console(width=None if Console().is_terminal else 80).print(table)


if __name__ == "__main__":
    main()
