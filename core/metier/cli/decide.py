"""`metier decide TASK`: which model does this work within the requirements, and what binds each of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from metier_contracts import InputError

from metier.cli import options
from metier.cli.output import FAILED, errors_to_exit_codes, print_table
from metier.config import Privacy
from metier.decision.requirements import Need, Requirements
from metier.runtime import Runtime

if TYPE_CHECKING:
    from metier.decision.decision import Decision

HELP = (
    "Choose a model for a task by requirements. Among all cards that serve it, whether their plugin is ready or not, "
    "it is the cheapest that meets them. Prints what fits, what does not and by how much, and where nothing fits the "
    "least change that would help. Exit code 0 where something fits, 1 where nothing does."
)

Task = Annotated[str, typer.Argument(help="The task, for example classify.")]
Latency = Annotated[float | None, typer.Option(help="The most milliseconds of one request, at the 95th percentile.")]
Cost = Annotated[float | None, typer.Option("--cost-per-1k", help="The most US dollars of 1,000 requests.")]
Throughput = Annotated[float | None, typer.Option(help="The fewest requests a second, at the best batch.")]
Memory = Annotated[str | None, typer.Option(help="The most memory, for example 4GB.")]
Quality = Annotated[float | None, typer.Option(help="The least quality, on your sample or as cards state it.")]
Metric = Annotated[str | None, typer.Option(help="The metric of the cards' figures of quality.")]
Dataset = Annotated[str | None, typer.Option(help="The data set of the cards' figures of quality.")]
PrivacyOption = Annotated[
    str | None,
    typer.Option("--privacy", help="local, any, or remote models by id or host, separated by commas."),
]
Licence = Annotated[
    str | None,
    typer.Option(help="SPDX ids separated by commas; commercial stands for those that ask for a notice only."),
]
NeedsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--needs",
        metavar="NAME[=VALUE,...]",
        help="A capability, for example tools or labels=open; as often as needed.",
    ),
]


def decide(
    task: Task,
    latency_ms: Latency = None,
    cost_per_1k: Cost = None,
    throughput: Throughput = None,
    memory: Memory = None,
    quality: Quality = None,
    metric: Metric = None,
    dataset: Dataset = None,
    privacy: PrivacyOption = None,
    licence: Licence = None,
    device: Annotated[str | None, typer.Option(help="What it must run on: cpu, cuda or mps.")] = None,
    needs: NeedsOption = None,
    as_json: options.Json = False,
) -> None:
    """Decide, and print the answer."""
    with errors_to_exit_codes():
        setting, allowed = _privacy(privacy)
        requirements = Requirements.from_mapping(
            {
                "latency_ms": latency_ms,
                "cost_per_1k": cost_per_1k,
                "throughput": throughput,
                "memory": memory,
                "quality": quality,
                "metric": metric,
                "dataset": dataset,
                "privacy": allowed,
                "licence": None if licence is None else _listed(licence),
                "device": device,
                "needs": dict(map(_need, needs or ())),
            }
        )
        with Runtime(privacy=setting) as runtime:
            decision = runtime.decide(task, requirements)
        if as_json:
            typer.echo(decision.to_json())
        else:
            _print(decision)
    if decision.chosen is None:
        raise typer.Exit(FAILED)


def _print(decision: Decision) -> None:
    from metier.decision.report import headline, sections

    typer.echo(headline(decision))
    for section in sections(decision):
        print_table(section.columns, section.rows, title=section.title)


def _privacy(text: str | None) -> tuple[Privacy | None, Any]:
    """Return the setting that the words stand for, since deciding sends nothing, and the requirement."""
    if text is None or text == "local":
        return None, text
    return "any", None if text == "any" else _listed(text)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _need(text: str) -> tuple[str, Need]:
    name, equals, value = text.partition("=")
    if not equals:
        return name, True
    if not value:
        raise InputError("a need has no value", expected="NAME or NAME=VALUE", got=text, blame="--needs")
    listed = _listed(value)
    return name, int(value) if value.isdecimal() else listed[0] if len(listed) == 1 else listed
