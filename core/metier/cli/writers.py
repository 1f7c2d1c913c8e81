"""What `metier run` writes to a file beside what it prints: one function a task, which takes the flags for it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from metier_contracts import ConfigError, InputError

from metier.cli.output import writing

Writer = Callable[[Any, Any], None]
"""Takes a request and its response."""

_USUAL = (".png", ".jpg", ".webp")

PlotOption = Annotated[Path | None, typer.Option("--plot", help="Draw a plot into this file: .png, .svg or .pdf.")]

_PLOTS = (".png", ".svg", ".pdf")


def no_file() -> Writer:
    """Write nothing."""
    return _nothing


def segment(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Draw the masks over the image into this file.")
    ] = None,
) -> Writer:
    """Draw the masks over the image; what cannot be written is refused before any work is done."""
    if out is None:
        return _nothing
    kinds = _picture_kinds()
    _check_name("picture", "--out", out, kinds, f"{', '.join(_USUAL)} or another that Pillow writes")

    def write(request: Any, response: Any) -> None:
        from metier.cli.overlay import overlay

        with writing(out, "--out"):
            overlay(request, response).save(out)

    return write


def forecast(plot: PlotOption = None) -> Writer:
    """Plot the series and its forecast with the quantiles as bands."""
    return _plotter("forecast", plot)


def detect_anomalies(plot: PlotOption = None) -> Writer:
    """Plot the series with its anomalies marked."""
    return _plotter("anomalies", plot)


def _plotter(name: str, file: Path | None) -> Writer:
    """Return what draws the plot; what cannot be written is refused before any work is done."""
    if file is None:
        return _nothing
    if find_spec("matplotlib") is None:
        raise ConfigError(
            "--plot needs matplotlib",
            expected="matplotlib",
            got="an environment without it",
            hint='pip install "metier[timeseries]"',
        )
    _check_name("plot", "--plot", file, _PLOTS, ", ".join(_PLOTS))

    def write(request: Any, response: Any) -> None:
        from metier.cli import plots

        figure = getattr(plots, name)(request, response)
        with writing(file, "--plot"):
            figure.savefig(file)

    return write


def _check_name(what: str, flag: str, file: Path, endings: Collection[str], shown: str) -> None:
    """Raise `InputError` where the file's folder is not there, or its name ends in none of the endings."""
    if file.suffix.lower() not in endings or not file.parent.is_dir():
        raise InputError(
            f"no {what} can be written to {file}",
            expected=f"a folder that exists, and a name that ends in {shown}",
            got=f"the folder {file.parent}, the ending {file.suffix or 'none'!r}",
            blame=flag,
        )


WRITERS: dict[str, Callable[..., Writer]] = {
    "segment": segment,
    "forecast": forecast,
    "detect-anomalies": detect_anomalies,
}


def _nothing(request: Any, response: Any) -> None:
    pass


def _picture_kinds() -> set[str]:
    import PIL.Image

    return {ending for ending, kind in PIL.Image.registered_extensions().items() if kind in PIL.Image.SAVE}
