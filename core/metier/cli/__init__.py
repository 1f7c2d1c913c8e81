"""The command line, `metier`: each command in a module of its own."""

from __future__ import annotations

import typer

from metier.cli import bench, calibrate, decide, doctor, fit, inspect, lock, models, plugin, pull, run

app = typer.Typer(
    name="metier",
    help="Send each piece of work to the model whose trade it is. Exit codes: 0 fine, 1 the work failed, 2 bad usage.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("models", help=models.HELP)(models.models)
app.command("doctor", help=doctor.HELP)(doctor.doctor)
app.command("pull", help=pull.HELP)(pull.pull)
app.command("lock", help=lock.HELP_LOCK)(lock.lock)
app.command("sync", help=lock.HELP_SYNC)(lock.sync)
app.command("verify", help=lock.HELP_VERIFY)(lock.verify)
app.command("calibrate", help=calibrate.HELP)(calibrate.calibrate)
app.command("decide", help=decide.HELP)(decide.decide)
app.add_typer(run.app, name="run")
app.command("inspect", help=inspect.HELP)(inspect.inspect)
app.add_typer(fit.app, name="fit")
app.add_typer(bench.app, name="bench")
app.add_typer(plugin.app, name="plugin")


def _version(show: bool) -> None:
    if show:
        from metier import __version__

        typer.echo(f"metier {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Serve every command: the options that stand before it."""


def main() -> None:
    """Run the command line."""
    app()
