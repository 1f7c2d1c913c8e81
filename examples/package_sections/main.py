"""Tell the section of Debian packages from what depends on what, and from what is said of each."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from metier import Runtime
from metier_contracts import Embed, GraphFit, GraphScore
from numpy.typing import NDArray
from packages import Packages, extract, of_this_machine, sections_of
from rich.console import Console
from rich.table import Table

MODEL, SHOWN = "examples/package-sections", 12


@dataclass(frozen=True)
class Report:
    """What was told of the packages whose sections were not shown."""

    packages: int
    links: int
    sections: int
    known: int
    accuracy: float
    most_frequent: float
    told: Sequence[tuple[str, str, str]]


def main() -> None:
    arguments = _arguments()
    packages = of_this_machine(arguments.count) if arguments.apt else extract()
    order = np.random.default_rng(0).permutation(len(packages.names))
    known, others = np.sort(order[: arguments.known]), np.sort(order[arguments.known :])
    with Runtime() as runtime:
        told = _with_texts(runtime, packages, known) if arguments.apt else _by_links(runtime, packages, known)
    report = _report(packages, known, others, told)
    print(json.dumps(asdict(report), indent=2)) if arguments.json else _print(report)


def _with_texts(runtime: Runtime, packages: Packages, known: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fit on links and descriptions, then let the pipeline read the descriptions and look around in the graph."""
    vectors = runtime.run(Embed(texts=packages.texts), model="all-MiniLM-L6-v2").vectors
    _fit(runtime, packages, known, vectors)
    return runtime.run(sections_of(packages, MODEL), packages.texts)


def _by_links(runtime: Runtime, packages: Packages, known: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fit and tell from the links alone."""
    _fit(runtime, packages, known, None)
    return runtime.run(GraphScore(graph=packages.graph()), model=MODEL).scores.argmax(axis=1)


def _fit(runtime: Runtime, packages: Packages, known: NDArray[np.int64], vectors: NDArray[np.float32] | None) -> None:
    request = GraphFit(
        id=MODEL,
        graphs=[packages.graph(vectors)],
        indices=known,
        targets=packages.truth[known],
        labels=packages.labels,
        epochs=60,
    )
    runtime.fit(request, replace=True)


def _report(packages: Packages, known: NDArray[np.int64], others: NDArray[np.int64], told: NDArray[np.int64]) -> Report:
    truth = packages.truth
    rows = [(packages.names[i], packages.sections[i], packages.labels[told[i]]) for i in others]
    return Report(
        packages=len(packages.names),
        links=packages.links.shape[1],
        sections=len(packages.labels),
        known=len(known),
        accuracy=round(float((told == truth)[others].mean()), 3),
        most_frequent=round(float((truth[others] == np.bincount(truth[known]).argmax()).mean()), 3),
        told=rows,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apt", action="store_true", help="read this machine's index, with its descriptions")
    parser.add_argument("--count", type=int, default=4000, help="how many packages to take from it")
    parser.add_argument("--known", type=int, default=1000, help="of how many the section is shown")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser.parse_args()


def _print(report: Report) -> None:
    title = f"{report.accuracy:.0%} right (most frequent section: {report.most_frequent:.0%})"
    table = Table("package", "section", "told", title=title, title_justify="left")
    for row in report.told[:SHOWN]:
        table.add_row(*row)
    Console(width=None if Console().is_terminal else 80).print(table)


if __name__ == "__main__":
    main()
