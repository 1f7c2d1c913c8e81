"""Draw invoices, read them, find their fields, and say how many of the fields are right."""

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random

from acme_ocr import Ocr, OcrText
from drawing import LAYOUTS, SHOWN, draw, written
from invoices import FIELDS, JUDGED, TAUGHT, invoice
from metier import Runtime, Step, step, task
from metier_contracts import Extract, ExtractFit, Extraction, Image
from rich.console import Console
from rich.table import Table

FITTED = "example/invoice-fields"
SEED, EPOCHS = 20261128, 5


@task
def read(picture: Image) -> Ocr:
    """Ask for the text in a picture."""
    return Ocr(image=picture)


@step
def text(found: OcrText) -> str:
    """Take the text alone."""
    return found.text


def finding(model: str, labels: Mapping[str, str]) -> Step[Image, dict[str, str]]:
    """Return the pipeline from a picture to its fields, by a model that calls the fields so."""

    @task(model=model)
    def find(given: str) -> Extract:
        return Extract(text=given, entity_types=list(labels.values()))

    @step
    def choose(found: Extraction) -> dict[str, str]:
        return {name: best for name, label in labels.items() if (best := _best(found, name, label)) is not None}

    return read >> text >> find >> choose


def _best(found: Extraction, name: str, label: str) -> str | None:
    """Return the surest entity of a label; where the model gives no scores, the first, and of amounts the last."""
    entities = found.of(label)
    if not entities:
        return None
    if entities[0].score is not None:
        return max(entities, key=lambda one: one.score or 0.0).text
    return entities[-1 if name == "total" else 0].text


MODELS: dict[str, Mapping[str, str]] = {
    FITTED: {name: name for name in FIELDS},
    "en-core-web-sm": {"date": "DATE", "total": "MONEY", "seller": "ORG"},
    "smollm2-135m-instruct": {
        "number": "invoice number",
        "date": "invoice date",
        "total": "total amount",
        "seller": "seller",
    },
}


def teach(runtime: Runtime, count: int, random: Random) -> None:
    """Fit a tagger on the texts of invoices, of all layouts but one. No picture is read for it."""
    examples = []
    for number in range(count):
        given = invoice(random, TAUGHT)
        examples.append(written(list(LAYOUTS[SHOWN[number % len(SHOWN)]](given)), given))
    request = ExtractFit(
        id=FITTED,
        base="all-MiniLM-L6-v2",
        examples=examples,
        epochs=EPOCHS,
        learning_rate=2e-4,
        batch_size=max(1, min(16, count // 10)),  # as many steps, where there are few examples
    )
    runtime.fit(request, replace=True)


def main() -> None:
    """Do what the command line asks for."""
    arguments = _arguments()
    random = Random(SEED)
    with Runtime() as runtime:
        if arguments.model == FITTED and (arguments.again or FITTED not in {row.card.id for row in runtime.models()}):
            teach(runtime, arguments.taught, Random(SEED + 1))
        names = [list(LAYOUTS)[number % len(LAYOUTS)] for number in range(arguments.count)]
        drawn = [invoice(random, JUDGED) for _ in names]
        pictures = [draw(list(LAYOUTS[name](given)), random) for name, given in zip(names, drawn, strict=True)]
        if arguments.out is not None:
            for number, picture in enumerate(pictures):
                picture.to_pil().save(arguments.out / f"{number:02d}-{names[number]}.png")
        found = list(runtime.map(finding(arguments.model, MODELS[arguments.model]), pictures, batch_size=8))
        seconds = runtime.usage().seconds
    rows = [
        {"layout": name, "field": field, "truth": given.truth[field], "found": fields.get(field)}
        for name, given, fields in zip(names, drawn, found, strict=True)
        for field in FIELDS
    ]
    if arguments.json:
        print(json.dumps({"model": arguments.model, "seconds": round(seconds, 2), "fields": rows}, indent=2))
    else:
        _print(arguments.model, rows)


def _print(model: str, rows: list[dict[str, str | None]]) -> None:
    asked, right = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for row in rows:
        for key in ((str(row["layout"]), str(row["field"])), ("all", str(row["field"]))):
            asked[key] += 1
            right[key] += same(row["truth"], row["found"])
    total = sum(right["all", field] for field in FIELDS)
    title = f"{model}: {total} of {len(rows)} fields right"
    table = Table("layout", *FIELDS, title=title, title_justify="left")
    for layout in (*dict.fromkeys(str(row["layout"]) for row in rows), "all"):
        table.add_row(layout, *(f"{right[layout, field]}/{asked[layout, field]}" for field in FIELDS))
    Console(width=None if Console().is_terminal else 80).print(table)


def same(truth: str | None, found: str | None) -> bool:
    """Tell whether a field was found to the letter, white space aside."""
    return truth is not None and found is not None and "".join(truth.split()) == "".join(found.split())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40, help="how many invoices")
    parser.add_argument("--taught", type=int, default=300, help="on how many others the model is fitted")
    parser.add_argument("--again", action="store_true", help="fit it anew, though an earlier run has")
    parser.add_argument("--model", choices=MODELS, default=FITTED, help="which model finds the fields")
    parser.add_argument("--out", type=Path, help="a folder for the pictures")
    parser.add_argument("--json", action="store_true", help="print every field as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
