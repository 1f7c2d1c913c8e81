"""`metier fit TASK`: fit a model on labelled texts, and keep it under an id."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from metier_contracts import CascadeFit, CascadeReport, ClassifyFit, FitRequest, ModelCard

from metier.cli import options
from metier.cli.output import errors_to_exit_codes, print_table
from metier.cli.tables import read_labelled_texts
from metier.runtime import Runtime

app = typer.Typer(help="Fit a model, and keep it under an id.", no_args_is_help=True, rich_markup_mode=None)

Csv = Annotated[Path, typer.Option("--csv", help="A CSV file with the columns text and label.")]
Id = Annotated[str, typer.Option("--id", help="The id of the new model.")]
Replace = Annotated[bool, typer.Option("--replace", help="Take the place of an earlier fitted model of that id.")]


@app.command("classify")
def classify(
    csv_file: Csv,
    model: Id,
    base: Annotated[str | None, typer.Option(help="The model to fit from; by default metier chooses.")] = None,
    method: Annotated[str, typer.Option(help="head (seconds) or fine-tune (minutes).")] = "head",
    epochs: Annotated[int, typer.Option(help="Times that fine-tuning goes through the texts.")] = 1,
    seed: Annotated[int, typer.Option(help="Makes the fit repeatable.")] = 0,
    replace: Replace = False,
    device: options.Device = None,
    offline: options.Offline = False,
    as_json: options.Json = False,
) -> None:
    """Fit a classifier of texts."""
    with errors_to_exit_codes():
        given = {"id": model, "base": base, "method": method, "epochs": epochs, "seed": seed}
        request = ClassifyFit.from_mapping({**given, "examples": read_labelled_texts(csv_file)})
        _fit(request, replace, device, offline, as_json)


@app.command("cascade")
def cascade(
    csv_file: Csv,
    model: Id,
    cheap: Annotated[str, typer.Option(help="The model asked first.")],
    strong: Annotated[str, typer.Option(help="The model asked where that one is not sure.")],
    max_loss: Annotated[float, typer.Option(help="The accuracy that may be lost against the strong model.")] = 0.01,
    confidence: Annotated[float, typer.Option(help="How sure it is to be that no more is lost, in 0..1.")] = 0.95,
    replace: Replace = False,
    device: options.Device = None,
    offline: options.Offline = False,
    as_json: options.Json = False,
) -> None:
    """Fit when a cascade asks its second model.

    The texts are some that neither of the two models has learned from.
    """
    with errors_to_exit_codes():
        given = {"id": model, "cheap": cheap, "strong": strong, "max_loss": max_loss, "confidence": confidence}
        request = CascadeFit.from_mapping({**given, "labelled": read_labelled_texts(csv_file)})
        _fit(request, replace, device, offline, as_json)


def _fit(request: FitRequest, replace: bool, device: str | None, offline: bool, as_json: bool) -> None:
    with Runtime(device=device, offline=offline or None) as runtime:
        card = runtime.fit(request, replace=replace)
    if as_json:
        typer.echo(card.to_json())
        return
    if card.cascade is not None and card.cascade.report is not None:
        _print_report(card.cascade.report, card)
    typer.echo(f"fitted {card.id}")


def _print_report(report: CascadeReport, card: ModelCard) -> None:
    rows = (
        ("cheap", report.cheap),
        ("strong", report.strong),
        ("cascade", report.cascade),
        ("random mix of equal price", report.random_mix),
    )
    print_table(
        ("", "accuracy", "$ per 1,000", "seconds per 1,000"),
        [(name, f"{one.accuracy:.4f}", f"{one.cost:.4f}", f"{one.seconds:.3f}") for name, one in rows],
    )
    typer.echo(
        f"{card.summary}\n"
        f"It keeps {report.kept:.1%} of {report.examples:,} texts, "
        f"with {report.losses} losses and {report.gains} gains.\n"
        f"Best single: {report.best_single}.\n"
        f"At most {report.max_loss:g} of accuracy is lost against the strong model, with confidence "
        f"{report.confidence:g}.\n"
        f"Calibration error of the cheap model: {report.calibration_error:.4f}, {report.calibrated_error:.4f} scaled."
    )
