"""`metier lock`, `metier sync` and `metier verify`: the same plugins and weights elsewhere, and later."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from metier_contracts import InputError

from metier.cli import options
from metier.cli.output import FAILED, errors_to_exit_codes, print_json, terminal_lines

if TYPE_CHECKING:
    from metier.locking.comparing import Difference
    from metier.locking.lockfile import Lock, LockedFile, LockedModel

HELP_LOCK = (
    "Write metier.lock: exact plugins, models and licences. Plugins by version, models by revision and the sha256 of "
    "each file. Without ids it holds the models in use: pulled, fitted, or named in metier.toml."
)
HELP_SYNC = (
    "Fetch exactly the weights that metier.lock names. Prints the pip lines of plugins that differ. Exit code 1 "
    "where something still differs."
)
HELP_VERIFY = (
    "Compare plugins and weights with metier.lock. Each file by its sha256. Exit code 1 where something differs."
)

File = Annotated[Path, typer.Option("--file", help="The lock.")]
_DEFAULT = Path("metier.lock")


def lock(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Ids from `metier models`.")] = None,
    file: File = _DEFAULT,
    offline: Annotated[
        Path | None,
        typer.Option("--offline", metavar="DIR", help="Also write an export there, for a machine without network."),
    ] = None,
    wheels: Annotated[
        bool,
        typer.Option(
            "--wheels", help="Let the export hold the wheels of metier, plugins and all that they require too."
        ),
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Lock the models; weights that are not here are fetched first."""
    from metier.locking.export import export
    from metier.locking.inventory import Inventory
    from metier.locking.lockfile import write_lock
    from metier.locking.making import make_lock
    from metier.locking.wheels import with_wheels

    with errors_to_exit_codes():
        if wheels and offline is None:
            raise InputError("--wheels is of an export", expected="--offline DIR too", got="none", blame="--wheels")
        inventory = Inventory.here()
        made = make_lock(inventory, ids or ())
        if offline is not None:
            if wheels:
                with terminal_lines("wheels") as report:
                    made = with_wheels(made, inventory, offline, report)
            export(made, inventory, offline)
        write_lock(made, file)
        if as_json:
            print_json(made.model_dump(mode="json"))
            return
        typer.echo(
            f"{file}: {_count(len(made.plugins), 'plugin')}, {_count(len(made.models), 'model')}, {_size(made.models)}"
        )
        if offline is not None:
            _tell_of_export(made, offline)


def sync(
    file: File = _DEFAULT,
    offline: Annotated[
        Path | None,
        typer.Option("--offline", metavar="DIR", help="Take lock and weights from this export, without network."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Fetch what is absent or differs, then compare."""
    from metier.locking.lockfile import LOCK_NAME, read_lock
    from metier.locking.syncing import sync as bring_here

    with errors_to_exit_codes():
        _report(bring_here(read_lock(file if offline is None else offline / LOCK_NAME), export=offline), as_json)


def verify(file: File = _DEFAULT, as_json: options.Json = False) -> None:
    """Compare; nothing is fetched."""
    from metier.locking.comparing import differences
    from metier.locking.inventory import Inventory
    from metier.locking.lockfile import read_lock

    with errors_to_exit_codes():
        _report(differences(read_lock(file), Inventory.here(offline=True)), as_json)


def _report(found: list[Difference], as_json: bool) -> None:
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
    else:
        typer.echo("\n".join(map(str, found)) or "nothing differs")
    if found:
        raise typer.Exit(FAILED)


def _tell_of_export(made: Lock, folder: Path) -> None:
    from metier.locking.wheels import install_line

    typer.echo(f"{folder}: an export. Copy it, and there run")
    there = Path(folder.name)
    if made.wheels:
        typer.echo(f"  {install_line(there)}  # {_count(len(made.wheels), 'wheel')}, {_size(made.wheels)}")
    typer.echo(f"  metier sync --offline {there}")
    lacking = ", ".join(dict.fromkeys(each.requirement for each in made.plugins if not made.has_wheel(each.package)))
    if not made.wheels:
        typer.echo(f"It lacks the wheels of metier, of {lacking} and of all that they require: --wheels adds them.")
    elif lacking:
        typer.echo(f"It lacks the wheels of {lacking}, installed here in an environment of its own.")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _size(sized: Iterable[LockedModel | LockedFile]) -> str:
    from metier.memory import format_bytes

    return format_bytes(sum(each.bytes for each in sized))
